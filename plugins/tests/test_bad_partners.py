"""
Partners that are down, wrong, slow or hostile: each costs little time and ends in one clear outcome, with a complete
certificate.
"""

from __future__ import annotations

import gzip
import socket
import time

from pathlib import Path

import pytest

from epos_conformance.reference import launch

from .support import Run, Talk, answer, partner_that, read_request, run_suite


JSON = "HTTP/1.1 200 OK\ncontent-type: application/json\n"
CLAIMED = "--capabilities=ListAreas,SearchTables,GetOrderById"


def hang(connection: socket.socket) -> None:
    read_request(connection)
    time.sleep(30)


def say_nothing_in_http(connection: socket.socket) -> None:
    read_request(connection)
    connection.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")


HOSTILE: dict[str, tuple[Talk, str]] = {
    "hangs": (hang, "no complete answer within"),
    "streams without end": (
        answer(f"{JSON}transfer-encoding: chunked\n", forever=b"10000\r\n" + b" " * 0x10000 + b"\r\n"),
        "longer than",
    ),
    "dribbles": (answer(f"{JSON}content-length: 100000\n", forever=b" ", pause=0.2), "no complete answer within"),
    "dribbles its head": (answer("HTTP/1.1 200 OK\nx: ", forever=b"a", pause=0.2), "no complete answer within"),
    "closes in mid-body": (answer(f"{JSON}content-length: 1000\n", b'{"data": ['), "broke off"),
    "speaks something else": (say_nothing_in_http, "broke off"),
    "unpacks to gigabytes": (
        answer(f"{JSON}content-encoding: gzip\n", gzip.compress(b" " * 2**28, 9)),
        "longer than",
    ),
    "packs nonsense": (answer(f"{JSON}content-encoding: gzip\n", b"no gzip at all"), "can't be unpacked"),
    "packs unasked": (answer(f"{JSON}content-encoding: br\ncontent-length: 3\n", b"abc"), "not asked for"),
}


def require_complete(run: Run) -> None:
    """A certificate that has every selected check in it, and the run's exit status."""
    assert run.status == 1, run.output
    assert run.certificate["verdict"] != "conformant"
    assert len(run.certificate["checks"]) > 400
    assert "Traceback" not in run.output
    assert "INTERNALERROR" not in run.output


@pytest.mark.parametrize("kind", HOSTILE)
@pytest.mark.parametrize("claimed", [True, False], ids=["claimed", "probed"])
def test_hostile_partner_ends_in_time_with_a_complete_certificate(tmp_path: Path, kind: str, claimed: bool) -> None:
    talk, words = HOSTILE[kind]
    with partner_that(talk) as url:
        run = run_suite(tmp_path, f"--partner-url={url}", "--fail-after=1", "--slow-after=0.5", *[CLAIMED] * claimed)

    require_complete(run)
    assert words in run.output
    assert run.certificate["verdict"] in ("not-proven", "not-conformant")
    assert run.seconds < 40, run.output


def test_partner_that_is_down_is_told_once(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
    run = run_suite(tmp_path, f"--partner-url={url}")

    require_complete(run)
    assert run.certificate["verdict"] == "not-proven"
    assert not run.checks("conforms")
    assert "can't connect" in run.output
    assert len(run.output.splitlines()) < 70
    assert run.seconds < 30


def test_unknown_host_is_told(tmp_path: Path) -> None:
    run = run_suite(tmp_path, "--partner-url=http://till.invalid/dojo", CLAIMED)

    require_complete(run)
    assert "can't connect to http://till.invalid" in run.output


def test_html_with_status_200_is_no_epos(tmp_path: Path) -> None:
    page = b"<!doctype html><title>Welcome</title>"
    with partner_that(answer(f"HTTP/1.1 200 OK\ncontent-type: text/html\ncontent-length: {len(page)}\n", page)) as url:
        run = run_suite(tmp_path, f"--partner-url={url}")

    require_complete(run)
    assert {each["id"]: each["message"] for each in run.checks("violates")} == {}
    assert run.certificate["verdict"] == "not-proven"
    assert "answers like an EPOS" in run.output
    assert "text/html" in run.output


def test_html_with_status_200_violates_what_is_claimed(tmp_path: Path) -> None:
    page = b"<!doctype html><title>Welcome</title>"
    with partner_that(answer(f"HTTP/1.1 200 OK\ncontent-type: text/html\ncontent-length: {len(page)}\n", page)) as url:
        run = run_suite(tmp_path, f"--partner-url={url}", CLAIMED)

    require_complete(run)
    assert "ListAreas.answer-matches-schema" in run.rules("violates", "must")


def test_wrong_password_is_told_once(tmp_path: Path) -> None:
    with launch.start() as running:
        for claimed in ([], [CLAIMED]):
            run = run_suite(tmp_path, f"--partner-url={running.url}", "--partner-auth=dojo:wrong-password", *claimed)

            require_complete(run)
            assert run.certificate["verdict"] == "not-proven"
            assert "refuses the credentials (status 401): check --partner-auth" in run.output
            assert not run.checks("violates")


def test_missing_password_is_asked_for(tmp_path: Path) -> None:
    with launch.start() as running:
        run = run_suite(tmp_path, f"--partner-url={running.url}")

    require_complete(run)
    assert "pass --partner-auth=USER:PASSWORD" in run.output


def test_redirects_are_not_followed(tmp_path: Path) -> None:
    with partner_that(answer("HTTP/1.1 301 Moved\nlocation: https://elsewhere.example/\ncontent-length: 0\n")) as url:
        run = run_suite(tmp_path, f"--partner-url={url}", "--partner-auth=dojo:secret-of-ours", CLAIMED)

    require_complete(run)
    assert "redirects to https://elsewhere.example/" in run.output
    assert not run.checks("conforms")


def test_partner_that_goes_away_leaves_what_was_learnt(tmp_path: Path) -> None:
    answered = 0

    def talk(connection: socket.socket) -> None:
        nonlocal answered
        answered += 1
        read_request(connection)
        if answered < 60:
            connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n[]")

    with partner_that(talk) as url:
        run = run_suite(tmp_path, f"--partner-url={url}", "--capabilities=ListAreas,SearchOrders")

    require_complete(run)
    assert "ListAreas.answer-matches-schema" in run.rules("conforms")
    assert run.checks("inconclusive")
