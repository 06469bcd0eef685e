"""
Who dials the right path with the right key is let in; everybody else is told why not, as Dojo words it.
"""

from __future__ import annotations

import json
import socket
import ssl

from collections.abc import Callable
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import trustme

from cryptography.hazmat.primitives import serialization
from websockets.exceptions import InvalidStatus

from epos_conformance._settings import Listen, Settings
from epos_conformance.exceptions import Unreachable
from epos_conformance.websocket.hub import MOST_SESSIONS
from epos_conformance.websocket.station import Station

from .tills import ANYWHERE, HANDSHAKE, KEY, PATIENCE, Desk, bare, desk, head_of, till, until


EVERYWHERE = Listen("0.0.0.0", 0)  # noqa: S104 - what only tests reach


def at(here: Desk, path: str = "/epos") -> str:
    """Where *here* can be reached from this machine."""
    return f"ws://127.0.0.1:{urlsplit(here.url).port}{path}"


def refusal(url: str, headers: dict[str, str] | None = None) -> tuple[int, dict[str, Any]]:
    """The status and the problem that a till is told."""
    with pytest.raises(InvalidStatus) as caught, till(url, headers):
        pass
    response = caught.value.response
    assert response.headers["content-type"] == "application/problem+json"
    body = response.body or b""
    assert response.headers["content-length"] == str(len(body))
    problem = json.loads(body)
    assert problem["status"] == response.status_code
    assert problem["title"]
    assert problem["type"] == "about:blank"
    return response.status_code, problem


def let_in(url: str, headers: dict[str, str] | None = None) -> bool:
    with till(url, headers) as found:
        return found.connection.protocol.state.name == "OPEN"


# Subprotocols


def test_a_till_that_asks_for_a_subprotocol_gets_it() -> None:
    with desk() as here, till(here.url, subprotocols=["jsonrpc-2.0", "other"]) as found:
        assert found.connection.subprotocol == "jsonrpc-2.0"


# Paths


@pytest.mark.parametrize("path", ["/epos", "/epos/", "/epos?venue=1", "/epos/?a=b/c"])
def test_the_path_is_dojos(path: str) -> None:
    with desk() as here:
        assert let_in(at(here, path))
        until(lambda: here.evidence["handshakes"])
        assert here.evidence["handshakes"][0]["path"] == path


@pytest.mark.parametrize("path", ["/", "/EPOS", "/epos/v1", "/eposs", "/epos%20", "/v1/epos"])
def test_at_other_paths_there_is_nothing(path: str) -> None:
    with desk() as here:
        status, problem = refusal(at(here, path))
        assert status == 404
        assert problem["detail"] == f"there is nothing at {path}: dial /epos"
        assert here.evidence["handshakes"][0]["refused"] == [404, problem["detail"]]
        assert list(here.station.news) == [f"refused a handshake with status 404: {problem['detail']}"]
        assert here.ask("open") == []


def test_a_long_path_is_told_in_part_and_without_the_key() -> None:
    with desk() as here:
        _, problem = refusal(at(here, f"/{KEY}/{'x' * 500}"))
        assert KEY not in problem["detail"]
        assert len(problem["detail"]) < 200


# Keys


def test_on_this_machine_anybody_is_let_in() -> None:
    with desk(api_key=KEY) as here:
        assert let_in(here.url, {})
        assert let_in(here.url, {"Authorization": "Basic sk_sandbox_another"})


def test_from_elsewhere_one_needs_the_key() -> None:
    with desk(EVERYWHERE, api_key=KEY) as here:
        assert let_in(at(here))
        status, problem = refusal(at(here), {})
        assert (status, problem["title"]) == (401, "Unauthorized")
        assert problem["detail"] == "the Authorization header has to be 'Basic' and the API key; it has none"


@pytest.mark.parametrize(
    "authorization",
    ["Basic sk_sandbox_another", f"Basic {KEY}x", f"Basic {KEY[:-1]}", "Basic", f"Basic {KEY.upper()}", "Bearer x"],
)
def test_another_key_is_refused_without_being_repeated(authorization: str) -> None:
    with desk(EVERYWHERE, api_key=KEY) as here:
        status, problem = refusal(at(here), {**HANDSHAKE, "Authorization": authorization})
        assert status == 401
        for secret in (KEY, "sk_sandbox_another", KEY[:-1], KEY.upper()):
            assert secret not in json.dumps(problem)
            assert secret not in json.dumps(here.evidence)
            assert secret not in "".join(here.station.news)


@pytest.mark.parametrize("authorization", [KEY, f"Bearer {KEY}", "Basic c2tfc2FuZGJveF9vZi10aGVzZS10ZXN0cw=="])
def test_the_right_key_is_let_in_however_it_is_spelt(authorization: str) -> None:
    """What is wrong with it, a check tells."""
    with desk(EVERYWHERE, api_key=KEY) as here:
        assert let_in(at(here), {**HANDSHAKE, "Authorization": authorization})
        until(lambda: here.evidence["handshakes"])
        assert here.evidence["handshakes"][0]["faults"]


def test_keys_are_learnt_from_handshakes_for_masking() -> None:
    with desk() as here:
        assert let_in(here.url, {"Authorization": "Basic sk_prod_learnt"})
        refusal(at(here, "/elsewhere"), {"Authorization": "Bearer sk_prod_refused"})
        assert {"sk_prod_learnt", "sk_prod_refused"} <= here.station.secrets


def test_many_who_dial_at_once_are_let_in_up_to_the_limit() -> None:
    """All handshakes arrive before any of them is answered."""
    with desk() as here:
        opened = [bare(here.url) for _ in range(MOST_SESSIONS + 5)]
        heads = []
        connections = [each.__enter__() for each in opened]
        try:
            heads = [head_of(each).split()[1] for each in connections]
        finally:
            for each in opened:
                each.__exit__(None, None, None)
        assert sorted(heads) == [b"101"] * MOST_SESSIONS + [b"503"] * 5


# What is no handshake


def test_plain_http_is_told_to_upgrade() -> None:
    with desk() as here:
        for path, status in (("/epos", 426), ("/", 404)):
            client = HTTPConnection("127.0.0.1", urlsplit(here.url).port, timeout=PATIENCE)
            client.request("GET", path)
            response = client.getresponse()
            assert response.status == status
            assert json.loads(response.read())["status"] == status
            client.close()
        assert here.station.news[0].startswith("refused a handshake with status 426: this is no WebSocket handshake")
        assert [each["session"] for each in here.evidence["handshakes"]] == [0, 0]


@pytest.mark.parametrize("headers", [{"Sec-WebSocket-Version": "12"}, {"Sec-WebSocket-Key": ""}, {"Connection": ""}])
def test_a_handshake_that_breaks_the_protocol_is_refused(headers: dict[str, str]) -> None:
    with desk() as here:
        with bare(here.url, None, **headers) as connection:
            assert head_of(connection).split()[1].startswith(b"4")
        assert let_in(here.url)
        assert here.evidence["counts"]["sessions"] == 1


@pytest.mark.parametrize(
    "rubbish",
    [
        b"\x16\x03\x01\x02\x00",
        b"POST /epos HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}",
        b"\r\n\r\n",
        b"GET",
        b"\x00" * 10_000,
        b"x" * 100_000,
    ],
)
def test_rubbish_at_the_port_disturbs_nobody(rubbish: bytes) -> None:
    with desk() as here:
        with socket.create_connection(("127.0.0.1", urlsplit(here.url).port or 0)) as connection:
            connection.sendall(rubbish)
        assert let_in(here.url)


def test_headers_that_are_no_ascii_are_taken() -> None:
    with desk() as here, bare(here.url, None, **{"reseller-id": "caf\xe9", "software-house-id": "\xff"}) as connection:
        assert b" 101 " in head_of(connection)
        until(lambda: here.evidence["handshakes"])
        json.dumps(here.evidence)


# Addresses


def test_what_is_dialled_is_told() -> None:
    with desk() as here:
        parts = urlsplit(here.url)
        assert (parts.scheme, parts.hostname, parts.path) == ("ws", "127.0.0.1", "/epos")
        assert parts.port


def test_a_port_that_is_taken_is_told() -> None:
    with desk() as here:
        port = urlsplit(here.url).port
        assert port is not None
        where = Listen("127.0.0.1", port)
        with pytest.raises(Unreachable) as caught, Station(Settings(ws=where), where):
            pass
        assert str(caught.value).startswith(f"can't listen on 127.0.0.1:{port} (--partner-ws): ")
        assert let_in(here.url)


@pytest.mark.parametrize("host", ["nowhere.invalid", "x" * 70, "192.0.2.1", "."])
def test_a_host_that_is_not_this_machine_is_told(host: str) -> None:
    where = Listen(host, 0)
    with pytest.raises(Unreachable) as caught, Station(Settings(ws=where), where):
        pass
    assert str(caught.value).startswith(f"can't listen on {host}:0 (--partner-ws): ")


def test_ipv6_is_spelt_in_brackets() -> None:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this machine has no IPv6")
    with desk(Listen("::1", 0)) as here:
        assert here.url.startswith("ws://[::1]:")
        assert let_in(here.url)


def test_a_port_is_free_again_when_the_run_has_ended() -> None:
    with desk() as here:
        port = urlsplit(here.url).port
        assert port is not None
        with till(here.url):
            here.seen(1)
    with desk(Listen("127.0.0.1", port)) as here:
        assert let_in(here.url)


def test_the_end_says_goodbye() -> None:
    with till_of_an_ended_desk() as code:
        assert code() == 1001


class till_of_an_ended_desk:  # noqa: N801 - reads like a function
    """A till whose gateway has gone; gives the code that it was told."""

    def __enter__(self) -> Callable[[], int | None]:
        with desk() as here:
            self._till = till(here.url)
            found = self._till.__enter__()
            here.seen(1)
        until(lambda: found.connection.protocol.state.name == "CLOSED")
        return lambda: found.connection.close_code

    def __exit__(self, *_: object) -> None:
        self._till.__exit__(None, None, None)


# TLS


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def pair(authority: trustme.CA, tmp_path: Path) -> tuple[Path, Path]:
    """PEM files of a certificate for this machine, and of its key."""
    issued = authority.issue_cert("127.0.0.1", "localhost")
    files = tmp_path / "certificate.pem", tmp_path / "key.pem"
    files[0].write_bytes(b"".join(each.bytes() for each in issued.cert_chain_pems))
    files[1].write_bytes(issued.private_key_pem.bytes())
    return files


def test_with_a_certificate_it_is_wss(authority: trustme.CA, pair: tuple[Path, Path]) -> None:
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    with desk(ws_tls=pair) as here:
        assert here.url.startswith("wss://127.0.0.1:")
        with till(here.url, ssl=trusting) as found:
            pending = here.calling("a")
            found.serve()
            assert pending.result(PATIENCE)[0]["failure"] is None


def test_who_does_not_trust_the_certificate_does_not_get_in(pair: tuple[Path, Path]) -> None:
    with desk(ws_tls=pair) as here:
        with pytest.raises(ssl.SSLError), till(here.url):
            pass
        with pytest.raises(Exception, match=r".+"), till(here.url.replace("wss:", "ws:")):
            pass
        assert here.evidence["handshakes"] == []


def test_files_that_are_no_certificate_are_told(pair: tuple[Path, Path], tmp_path: Path) -> None:
    (tmp_path / "empty.pem").touch()
    for files in ((tmp_path / "empty.pem", pair[1]), (pair[0], tmp_path / "empty.pem"), (pair[1], pair[0])):
        with pytest.raises(Unreachable) as caught, Station(Settings(ws=ANYWHERE, ws_tls=files), ANYWHERE):
            pass
        assert str(caught.value).startswith(f"{files[0]} and {files[1]} are no certificate and its key (--partner-ws")


def test_a_key_with_a_password_is_told_and_nobody_is_asked(pair: tuple[Path, Path], tmp_path: Path) -> None:
    certificate, key = pair
    locked = tmp_path / "locked.pem"
    password = serialization.BestAvailableEncryption(b"a-password")
    found = serialization.load_pem_private_key(key.read_bytes(), None)
    locked.write_bytes(found.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, password))
    with pytest.raises(Unreachable, match="are no certificate and its key"), desk(ws_tls=(certificate, locked)):
        pass


def test_on_every_interface_the_url_names_this_machine() -> None:
    with desk(EVERYWHERE, api_key=KEY) as here:
        assert urlsplit(here.url).hostname == socket.gethostname().lower()
