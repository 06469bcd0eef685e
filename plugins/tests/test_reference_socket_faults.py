"""
Every defect of the WebSocket side breaks the rules it names, and every variant keeps them all.

A small oracle, written apart from the checks: it knows for each rule how an EPOS would break it on the wire.
"""

from __future__ import annotations

import asyncio
import tomllib

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

import pytest

from epos_conformance import _suite
from epos_conformance.reference import faults
from epos_conformance.reference.defects import ws_sessions
from epos_conformance.reference.records import Json
from epos_conformance.reference.sockets import KEY

from .test_reference_sockets import FULL, Gateway, meeting


ERROR_TYPES = ("NotFound", "UnexpectedError", "InvalidRequest", "Conflict")

#: Seconds in which what comes by itself has come.
A_WHILE = 0.3

NO_REQUESTS = ["[]", "[1, 2]", "5", '"ListAreasV1"', "null", "{}", '{"id": "1"}', '{"id": "1", "method": null}']


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ws_sessions, "IDLE", 0.1)
    monkeypatch.setattr(ws_sessions, "RENEWAL", 0.1)
    monkeypatch.setattr(ws_sessions, "OVERLAP", 0.2)


def is_epos_error(reply: Json | None) -> bool:
    error = (reply or {}).get("error")
    return isinstance(error, dict) and error.get("errorType") in ERROR_TYPES


def has_result(reply: Json | None) -> bool:
    return reply is not None and reply.get("result") is not None and reply.get("error") is None


async def some_replies(gateway: Gateway) -> list[Any]:
    """One of each kind: a result, an object that is empty, and errors."""
    found = []
    for method, params in (
        ("ListAreasV1", {"headers": {}}),
        ("DeletePartyByIdV1", {"partyId": "pty-1"}),
        ("GetOrderByIdV1", {"orderId": "nobody's"}),
        ("GetOrderByIdV1", {"orderId": "ord-1005"}),
    ):
        found += await gateway.ask_raw(gateway.spell(method, params, gateway.new_id()))
    return found


# -- the handshake ------------------------------------------------------------------------------------------------


def authorization(gateway: Gateway) -> str:
    return gateway.handshake.get("authorization", "")


async def has_another_scheme(gateway: Gateway) -> bool:
    return not authorization(gateway).startswith("Basic ")


async def hides_the_key(gateway: Gateway) -> bool:
    return authorization(gateway).rpartition(" ")[2] != KEY


async def has_an_unknown_key(gateway: Gateway) -> bool:
    return not authorization(gateway).rpartition(" ")[2].startswith(("sk_sandbox_", "sk_prod_"))


async def has_no_software_house(gateway: Gateway) -> bool:
    return not gateway.handshake.get("software-house-id")


async def has_no_reseller(gateway: Gateway) -> bool:
    return not gateway.handshake.get("reseller-id")


# -- replies ------------------------------------------------------------------------------------------------------


async def changes_ids(gateway: Gateway) -> bool:
    for id in ("17", f"Ünïque {uuid4()}", str(uuid4())):
        for order in ("ord-1005", "nobody's"):
            replies = await gateway.ask_raw(gateway.spell("GetOrderByIdV1", {"orderId": order}, id))
            if [each.get("id") for each in replies if "id" in each or "method" not in each] != [id]:
                return True
    return False


async def lacks_the_version(gateway: Gateway) -> bool:
    return any(each.get("jsonrpc") != "2.0" for each in await some_replies(gateway))


async def says_nothing(gateway: Gateway) -> bool:
    return any("result" not in each and each.get("error") is None for each in await replies_to_questions(gateway))


async def says_both(gateway: Gateway) -> bool:
    return any("result" in each and each.get("error") is not None for each in await replies_to_questions(gateway))


async def replies_to_questions(gateway: Gateway) -> list[Any]:
    """Some replies, without what the EPOS says by itself."""
    return [each for each in await some_replies(gateway) if "id" in each]


async def has_other_errors(gateway: Gateway) -> bool:
    replies = [
        await gateway.ask("GetOrderByIdV1", {"orderId": "nobody's"}),
        await gateway.ask("SearchOrdersV1", {"payableOnly": "yes"}),
    ]
    return not all(is_epos_error(each) for each in replies)


async def names_another_method(gateway: Gateway) -> bool:
    reply = await gateway.ask("ListAreasV1")
    return reply is not None and reply.get("method", "ListAreasV1") != "ListAreasV1"


async def loses_requests(gateway: Gateway) -> bool:
    ids = [gateway.new_id() for _ in range(40)]
    for each in ids:
        await gateway.send(gateway.spell("ListAreasV1", {}, each))
    return not await gateway.until(lambda: all(gateway.replies(each) for each in ids), gateway.patience + 0.5)


async def mixes_replies_up(gateway: Gateway) -> bool:
    orders = {f"id of {each}": each for each in list(gateway.epos.orders)[5:25]}
    for id, order in orders.items():
        await gateway.send(gateway.spell("GetOrderByIdV1", {"orderId": order}, id))
    await gateway.until(lambda: all(gateway.replies(id) for id in orders), gateway.patience + 0.5)
    return any(
        each["result"]["id"] != order
        for id, order in orders.items()
        for each in gateway.replies(id)
        if "result" in each
    )


async def repeats_replies(gateway: Gateway) -> bool:
    ids = gateway.new_id(), gateway.new_id()
    await gateway.ask("ListAreasV1", id=ids[0])
    await gateway.ask("GetOrderByIdV1", {"orderId": "nobody's"}, id=ids[1])
    return await gateway.until(lambda: any(len(gateway.replies(each)) > 1 for each in ids), A_WHILE)


async def accepts_unknown_methods(gateway: Gateway) -> bool:
    reply = await gateway.ask("NothingV1", {"headers": {}})
    return reply is None or reply.get("error") is None


async def accepts_what_it_lacks(gateway: Gateway) -> bool:
    if "SearchParties" in gateway.epos.offered():
        return False
    reply = await gateway.ask("SearchPartiesV1", {"headers": {}})
    return reply is None or reply.get("error") is None


async def needs_headers(gateway: Gateway) -> bool:
    return not has_result(await gateway.ask("SearchTablesV1", {"headers": {}}))


async def dislikes_headers(gateway: Gateway) -> bool:
    return not has_result(await gateway.ask("SearchTablesV1", {"headers": FULL}))


async def needs_params(gateway: Gateway) -> bool:
    return not has_result(await gateway.ask("ListAreasV1"))


async def dislikes_members(gateway: Gateway) -> bool:
    return not has_result(await gateway.ask("SearchTablesV1", {}, sentAt="2026-01-01T12:00:00Z", meta={"attempt": 1}))


async def dislikes_fragments(gateway: Gateway) -> bool:
    id = gateway.new_id()
    text = gateway.spell("SearchTablesV1", {"headers": FULL}, id)
    await gateway.send([text[:20], text[20:50], text[50:]])
    await gateway.until(lambda: gateway.replies(id))
    return not any(has_result(each) for each in gateway.replies(id))


async def dislikes_size(gateway: Gateway) -> bool:
    return not has_result(await gateway.ask("GetOrderByIdV1", {"orderId": "ord-1005", "note": "£" * 100_000}))


# -- sessions -----------------------------------------------------------------------------------------------------


async def hangs_up(gateway: Gateway) -> bool:
    for _ in range(4):
        await gateway.ask("SearchTablesV1", {})
    await asyncio.sleep(A_WHILE)
    return len(gateway.sessions) > 1 or not gateway.live


async def has_several_sessions(gateway: Gateway) -> bool:
    await gateway.ask("GetOrderByIdV1", {"orderId": "nobody's"})
    await gateway.ask("ListAreasV1")
    return await gateway.until(lambda: gateway.most_at_once > 1, A_WHILE)


def stays_away_after(code: int) -> Callable[[Gateway], Awaitable[bool]]:
    async def is_broken(gateway: Gateway) -> bool:
        await gateway.ask("SearchTablesV1", {})
        if code == 1006:
            gateway.session.transport.abort()
        else:
            await gateway.session.close(code)
        if not await gateway.next_session(1, gateway.patience + 0.3):
            return True
        return not has_result(await gateway.ask("SearchTablesV1", {}))

    return is_broken


def falls_over(*messages: str) -> Callable[[Gateway], Awaitable[bool]]:
    async def is_broken(gateway: Gateway) -> bool:
        for each in messages:
            await gateway.send(each)
            if not has_result(await gateway.ask("SearchTablesV1", {})) or len(gateway.sessions) > 1:
                return True
        await asyncio.sleep(0.05)
        return len(gateway.sessions) > 1 or not gateway.live

    return is_broken


async def ignores_pings(gateway: Gateway) -> bool:
    pong = await gateway.session.ping(b"table 7")
    done, _ = await asyncio.wait([asyncio.ensure_future(_arrival(pong))], timeout=gateway.patience)
    return not done


async def _arrival(pong: Awaitable[float]) -> None:
    await asyncio.shield(pong)


BROKEN: dict[str, Callable[[Gateway], Awaitable[bool]]] = {
    "ws.authorization-names-the-basic-scheme": has_another_scheme,
    "ws.authorization-carries-the-raw-key": hides_the_key,
    "ws.sends-the-software-house-id": has_no_software_house,
    "ws.sends-the-reseller-id": has_no_reseller,
    "ws.key-has-a-known-prefix": has_an_unknown_key,
    "ws.reply-carries-the-id": changes_ids,
    "ws.reply-carries-the-json-rpc-version": lacks_the_version,
    "ws.reply-has-a-result-or-an-error": says_nothing,
    "ws.reply-never-has-both-result-and-error": says_both,
    "ws.error-is-an-epos-error": has_other_errors,
    "ws.echoes-the-method": names_another_method,
    "ws.answers-every-request-in-flight": loses_requests,
    "ws.keeps-concurrent-replies-apart": mixes_replies_up,
    "ws.answers-a-request-once": repeats_replies,
    "ws.unknown-method-is-an-error": accepts_unknown_methods,
    "ws.capability-not-offered-is-an-error": accepts_what_it_lacks,
    "ws.works-with-empty-headers": needs_headers,
    "ws.works-with-full-headers": dislikes_headers,
    "ws.ignores-unknown-members-of-a-request": dislikes_members,
    "ws.takes-a-request-in-fragments": dislikes_fragments,
    "ws.takes-a-big-request": dislikes_size,
    "ws.keeps-the-session-open": hangs_up,
    "ws.keeps-one-session-at-a-time": has_several_sessions,
    "ws.redials-a-dropped-session": stays_away_after(1006),
    "ws.redials-after-going-away": stays_away_after(1001),
    "ws.redials-after-a-restart-of-the-service": stays_away_after(1012),
    "ws.survives-a-frame-that-is-not-json": falls_over("{not json", "", "order?"),
    "ws.survives-json-that-is-not-a-request": falls_over(*NO_REQUESTS),
    "ws.answers-a-ping": ignores_pings,
    "ListAreas.works-without-params": needs_params,
}

#: What a variant may leave undone.
INFORMING = {"ws.sends-the-reseller-id", "ws.key-has-a-known-prefix", "ws.echoes-the-method"}

#: Those of the WebSocket side.
DEFECTS = {name: each for name, each in faults.defects().items() if set(each.breaks) & set(BROKEN)}

#: What the oracle below asks for isn't offered there, or its gateway has no subprotocol to give.
STRANGERS = {"ws-areas-alone", "ws-asks-for-a-subprotocol", "ws-events-alone"}

VARIANTS = {
    name for name, each in faults.variants().items() if each.layers[0].__module__.endswith(".variants.ws")
} - STRANGERS


def broken(*rules: str, patience: float = 0.3, **faulty: Any) -> set[str]:
    """Those of *rules* that an EPOS breaks: one EPOS for each, all at the same time."""

    async def judge(rule: str) -> str | None:
        async with meeting(**faulty) as gateway:
            gateway.patience = patience
            return rule if await BROKEN[rule](gateway) else None

    async def main() -> set[str | None]:
        return set(await asyncio.gather(*map(judge, rules)))

    return {each for each in asyncio.run(main()) if each}


def test_the_oracle_knows_every_rule() -> None:
    """
    Each rule of the page about WebSocket has a way to be broken, and defects that break it.
    """
    page = tomllib.loads((_suite.FIXTURES / "rules" / "websocket.toml").read_text(encoding="utf-8"))
    rules = {each["id"] for each in page["rule"]} | {"ListAreas.works-without-params"}

    assert set(BROKEN) == rules
    assert {rule for each in DEFECTS.values() for rule in each.breaks} & set(BROKEN) == rules


@pytest.mark.parametrize("name", sorted(DEFECTS))
def test_a_defect_breaks_what_it_names(name: str) -> None:
    """
    Each rule that a defect names is broken.
    """
    rules = set(DEFECTS[name].breaks) & set(BROKEN)

    assert broken(*rules, defects=[name]) == rules


@pytest.mark.parametrize(
    "name",
    [
        "ws-version-1",
        "ws-silent-on-unknown-methods",
        "ws-silent-on-what-it-lacks",
        "ws-strict-envelope",
        "ws-strict-envelope-is-silent",
        "ws-strict-envelope-ends-the-session",
        "ws-no-params-is-no-request",
        "ws-no-params-is-a-notification",
        "ws-fragments-end-the-session",
        "ws-big-requests-are-ignored",
        "ws-bad-json-stops-the-reading",
        "ws-no-method-ends-the-session",
        "ws-pings-are-ignored",
    ],
)
def test_a_defect_breaks_nothing_else(name: str) -> None:
    """
    A defect of small reach breaks no rule but those it names.
    """
    assert broken(*BROKEN, patience=1.0, defects=[name]) == set(DEFECTS[name].breaks)


@pytest.mark.parametrize(
    "name",
    [
        "ws-headers-need-a-product",
        "ws-empty-headers-are-refused",
        "ws-nobody-asks",
        "ws-waiters-are-numbers",
        "ws-waiters-belong-to-devices",
        "ws-strict-headers",
        "ws-waiters-have-to-sign-on",
    ],
)
def test_a_defect_of_headers_is_about_headers(name: str) -> None:
    """
    A defect of the headers leaves requests without any alone.
    """
    others = ["ListAreas.works-without-params", "ws.answers-every-request-in-flight", "ws.takes-a-big-request"]

    assert broken(*others, patience=1.0, defects=[name]) == set()


def test_the_reference_breaks_nothing() -> None:
    """
    The reference itself keeps every rule.
    """
    assert broken(*BROKEN, patience=2.0) == set()


@pytest.mark.parametrize("name", sorted(VARIANTS))
def test_a_variant_breaks_nothing(name: str) -> None:
    """
    A variant keeps every rule but those that inform.
    """
    assert faults.variants()[name].summary.endswith(".")
    assert broken(*(set(BROKEN) - INFORMING), patience=2.0, variants=[name]) == set()


def test_variants_combine() -> None:
    """
    Several variants at once conform as well.
    """
    together = ["ws-binary-frames", "ws-pretty-printed", "ws-now-fast-now-slow", "ws-more-members-in-replies"]

    assert broken(*(set(BROKEN) - INFORMING), patience=2.0, variants=together) == set()
