"""
Orders are created for a check, tried elsewhere where they are refused, read, judged and canceled.
"""

from __future__ import annotations

import json

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from starlette.responses import Response

from epos_conformance import creating, kept, order_places, order_versions
from epos_conformance.exceptions import Inconclusive, NotOffered, Violation
from epos_conformance.ordering import Json, Version
from epos_conformance.partner import Partner
from epos_conformance.reference.errors import conflict
from epos_conformance.reference.records import Order
from epos_conformance.verdict import Finding

from .place import Place, refusing, variants


def versions(partner: Partner, number: int = 1, **more: Any) -> Iterator[Version]:
    order = creating.book(partner)
    for each in range(number):
        yield Version(title=f"order {each}", body=order.body([order.dishes[0]], note=f"note {each}"), **more)


def saying(**answers: Any) -> Callable[[str], Response | None]:
    """Answers what begins with a word of *answers* with that JSON: POST, GET or DELETE."""

    def instead(asked: str) -> Response | None:
        found = answers.get(asked.partition(" ")[0])
        return None if found is None else Response(json.dumps(found), media_type="application/json")

    return instead


CRASH = Response(b'{"errorType": "UnexpectedError"}', 500, media_type="application/json")
NOTE = kept.member("note")


def orders(place: Place) -> list[Order]:
    return [each for each in place.epos.orders.values() if each.dojo_order_id]


def asked(place: Place, what: str) -> int:
    return sum(each.startswith(what) for each in place.asked)


# Creating


def test_an_order_that_is_refused_is_tried_at_other_tables(place: Place) -> None:
    partner = place.partner()
    (version,) = versions(partner)
    place.instead = refusing("POST /v1/orders", times=0)
    wanted = version.body["details"]["dineIn"]["tableId"]
    place.epos.check_new_order = lambda body: _refuse(body["details"]["dineIn"]["tableId"] == wanted)  # type: ignore[method-assign]

    body, exchange = creating.create(partner, version)

    assert exchange.succeeded
    assert body["details"]["dineIn"]["tableId"] != wanted
    assert wanted not in creating.book(partner).tables


def _refuse(yes: bool) -> None:
    if yes:
        raise conflict("this table is closed")


@pytest.mark.parametrize(("anywhere", "tried"), [(True, 3), (False, 1)])
def test_it_is_given_up_after_a_few_tables(place: Place, anywhere: bool, tried: int) -> None:
    partner = place.partner()
    (version,) = versions(partner, anywhere=anywhere)
    place.instead = _refusing_creation
    _, exchange = creating.create(partner, version)
    assert exchange.refused
    assert place.asked.count("POST /v1/orders") == tried


def _refusing_creation(what: str) -> Response | None:
    return refusing("POST /v1/orders")(what) if what == "POST /v1/orders" else None


def test_what_is_taken_is_given_with_what_was_sent(place: Place) -> None:
    partner = place.partner()
    found = list(creating.taken(partner, versions(partner, 9)))
    assert [version.title for version, _, _ in found] == ["order 0", "order 1", "order 2", "order 3"]
    assert [body["note"] for _, body, _ in found] == ["note 0", "note 1", "note 2", "note 3"]
    partner.clean_up()
    assert {each.status for each in orders(place)} == {"Canceled"}


def test_what_is_not_taken_is_noted(place: Place) -> None:
    partner = place.partner()
    place.epos.check_new_order = lambda body: _refuse(body["note"] != "note 2")  # type: ignore[method-assign]
    found = list(creating.taken(partner, versions(partner, 3)))
    assert [version.title for version, _, _ in found] == ["order 2"]
    assert [note.partition(":")[0] for note in partner.notes] == ["not taken", "not taken"]


def test_where_nothing_is_taken_the_words_of_the_partner_are_told(place: Place) -> None:
    partner = place.partner()
    place.instead = _refusing_creation
    with pytest.raises(Inconclusive, match=r"no order of this kind is taken \(order 0: .*not today.*; ask Dojo$"):
        list(creating.taken(partner, versions(partner, 9), most=1, hint="ask Dojo"))
    with pytest.raises(Inconclusive, match="nothing is known that could be ordered so; name what there is"):
        list(creating.taken(partner, []))


@variants("nothing-but-dishes")
@pytest.mark.parametrize(("part", "feature"), [("subItems", "sub_items"), ("modifiers", "modifiers")])
def test_what_is_shown_by_no_order_and_refused_in_all_is_not_sold(place: Place, part: str, feature: str) -> None:
    partner = place.partner()
    make = getattr(order_versions, feature)

    def judge() -> None:
        creating.judge_if_sold(partner, part, "menus", lambda _, __: iter(()), make(creating.book(partner)))

    with pytest.raises(NotOffered, match=r"menus are not sold, and no order shows any \(.*dishes are sold as they are"):
        judge()
    assert {each.status for each in orders(place)} == {"Canceled"}
    place.instead = _refusing_creation
    with pytest.raises(Inconclusive):
        judge()


@variants("nothing-but-dishes")
def test_what_an_order_shows_is_sold(place: Place) -> None:
    partner = place.partner()
    book = creating.book(partner)
    extra = {"plu": "x", "name": "X", "quantity": 1, "amountPerModifier": book.money(0)}
    book.orders[0]["items"][0]["subItems"] = [{**book.dishes[0], "modifiers": [extra]}]
    for part, feature in (("subItems", order_versions.sub_items), ("modifiers", order_versions.modifiers)):
        with pytest.raises(Inconclusive, match="no order of this kind is taken"):
            creating.judge_if_sold(partner, part, "menus", lambda _, __: iter(()), feature(book))


def test_room_is_made_on_conflict(place: Place) -> None:
    partner = place.partner()
    left = [3]
    place.instead = lambda what: refusing("POST")(what) if what == "POST /v1/orders" and left[0] else None

    def room() -> bool:
        left[0] = 0
        return True

    (found,) = creating.taken(partner, versions(partner), room=room)
    assert found[2].succeeded


def test_crashing_on_what_a_till_can_know_is_a_violation(place: Place) -> None:
    partner = place.partner()

    def crash(body: Json) -> None:
        if "note" in body:
            raise KeyError("note")

    place.epos.check_new_order = crash  # type: ignore[method-assign]
    with pytest.raises(Violation, match=r"CreateOrder \(order 0\): expected an order, or a refusal, saw status 500"):
        list(creating.taken(partner, versions(partner), crashing=False))
    with pytest.raises(Inconclusive, match="UnexpectedError"):
        list(creating.taken(partner, versions(partner)))
    with pytest.raises(Inconclusive, match="UnexpectedError"):
        list(creating.taken(partner, versions(partner, made_up=True), crashing=False))


def test_crashing_on_every_order_is_no_rules_fault_in_particular(place: Place) -> None:
    partner = place.partner()
    creating.book(partner).tables  # noqa: B018 - looked up before everything crashes
    place.instead = lambda what: CRASH if what == "POST /v1/orders" else None
    with pytest.raises(Inconclusive):
        list(creating.taken(partner, versions(partner), crashing=False))


def test_an_answer_without_an_id_is_inconclusive(place: Place) -> None:
    partner = place.partner()
    found = list(versions(partner))
    place.instead = saying(POST={"status": "New"})
    ((_, _, exchange),) = creating.taken(partner, found)
    with pytest.raises(Inconclusive, match="the answer carries no id"):
        creating.id_of(exchange)
    creating.cancel(partner, exchange)
    assert asked(place, "DELETE") == 0


# Judging


def test_what_is_kept_is_read_and_canceled(place: Place) -> None:
    partner = place.partner()
    creating.judge(partner, "note", NOTE, versions(partner, 2))
    assert asked(place, "GET /v1/orders") == 2
    assert {each.status for each in orders(place)} == {"Canceled"}


def keep(place: Place, change: Callable[[Json], Json]) -> None:
    store = place.epos.store_order
    place.epos.store_order = lambda body: store(change(body))  # type: ignore[method-assign]


def test_what_is_not_kept_is_told_once_for_all_that_show_it(place: Place) -> None:
    keep(place, lambda body: {**body, "note": "gone"})
    partner = place.partner()
    with pytest.raises(Violation) as found:
        creating.judge(partner, "note", NOTE, versions(partner))
    assert str(found.value) == (
        "at CreateOrder's answer and GetOrderById afterwards (order 0), $.note: expected 'note 0', saw 'gone'"
    )


def test_what_is_only_answered_is_not_kept(place: Place) -> None:
    create = place.epos.create_order
    keep(place, lambda body: {**body, "note": "gone"})
    place.epos.create_order = lambda call: {**create(call), "note": call.body["note"]}  # type: ignore[method-assign]
    partner = place.partner(settle=0.1)
    with pytest.raises(
        Violation, match=r"^at GetOrderById afterwards \(order 0\), \$.note: expected 'note 0', saw 'gon"
    ):
        creating.judge(partner, "note", NOTE, versions(partner))


@variants("creation-is-answered-briefly")
def test_an_answer_may_be_brief(place: Place) -> None:
    partner = place.partner()
    creating.judge(partner, "note", NOTE, versions(partner))


@pytest.mark.parametrize("brief", [True, False])
def test_orders_that_cannot_be_read_are_judged_by_the_answer(place: Place, brief: bool) -> None:
    place.instead = refusing("GET")
    create = place.epos.create_order
    if brief:
        place.epos.create_order = lambda call: {"id": create(call)["id"]}  # type: ignore[method-assign]
    partner = place.partner(settle=0.1)
    if brief:
        with pytest.raises(Inconclusive, match="orders don't show their note, neither in the answer nor when they are"):
            creating.judge(partner, "note", NOTE, versions(partner, 2))
    else:
        creating.judge(partner, "note", NOTE, versions(partner, 2))
    # Waited for once.
    assert len({each for each in place.asked if each.startswith("GET /v1/orders")}) == 1


@pytest.mark.parametrize(
    ("offered", "step"),
    [({"SearchOrders"}, "CreateOrder's answer and SearchOrders afterwards"), (set(), "CreateOrder's answer")],
)
def test_without_reading_orders_are_searched_for(place: Place, offered: set[str], step: str) -> None:
    keep(place, lambda body: {**body, "note": "gone"})
    partner = place.partner(settle=0.1)
    partner._session.offered = frozenset({"CreateOrder", *offered})
    with pytest.raises(Violation, match=f"^at {step} "):
        creating.judge(partner, "note", NOTE, versions(partner))
    partner.clean_up()


@variants("nobody-waits")
def test_what_may_not_exist_need_not_be_kept(place: Place) -> None:
    partner = place.partner(settle=0)
    with pytest.raises(Inconclusive, match="waiterId 'Conformance-1' may not exist, and wasn't kept; name one"):
        creating.judge(partner, "details", kept.dine_in("waiterId"), order_places.waiters(creating.book(partner)))


def test_only_the_first_differences_are_told() -> None:
    many = [Finding(f"$[{n}]", "a", "b") for n in range(20)]
    version = Version(title="t", body={})
    with pytest.raises(Violation) as found:
        creating.require_kept(version, {"one": many})
    assert len(found.value.findings) == creating.MOST_FINDINGS
    creating.require_kept(version, {"one": []})


# Searching


def test_an_order_is_looked_for_on_all_pages(place: Place) -> None:
    partner = place.partner()
    wanted = next(iter(place.epos.orders))
    assert creating.search(partner, wanted, {})[0]["id"] == wanted
    assert creating.search(partner, "none", {}) == (None, None)


def test_a_search_that_allows_no_limit_is_walked_as_it_likes(place: Place) -> None:
    partner = place.partner()
    page = place.epos.search_orders

    def search(call: Any) -> Any:
        if "limit" in call.body.get("cursor", {}):
            _refuse(True)
        return page(call)

    place.epos.search_orders = search  # type: ignore[method-assign]
    place.epos.page_size = 5
    assert creating.search(partner, next(iter(place.epos.orders)), {})[0] is not None


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ({"errorType": "Conflict", "debugMessage": "closed"}, "status 200, Conflict: closed"),
        ({"data": [], "after": "again"}, None),
        ({"data": "none"}, None),
    ],
)
def test_a_search_that_does_not_end_well_says_why(place: Place, answer: Any, why: str | None) -> None:
    partner = place.partner()
    place.instead = saying(POST=answer)
    assert creating.search(partner, "none", {}) == (None, why)


def test_a_search_that_never_ends_is_given_up(place: Place) -> None:
    partner = place.partner()
    cursors = iter(range(1000))
    place.instead = lambda _: saying(POST={"data": [], "after": f"{next(cursors)}"})("POST")
    assert creating.search(partner, "none", {}) == (None, "it is not on the first 30 pages")


def found(place: Place, controls: list[Mapping[str, Any]] | None = None) -> None:
    """Demands that an order at a table is found."""
    partner = place.partner(settle=0)
    order = creating.book(partner)
    version = next(order_places.waiters(order))
    body, exchange = creating.create(partner, version)
    creating.require_found(partner, version, body, exchange, order.orders if controls is None else controls)


def test_an_order_is_found_by_all_searches_that_fit(place: Place) -> None:
    found(place)
    bodies = [each for what, each in zip(place.asked, place.bodies, strict=True) if what == "POST /v1/orders/search"]
    queries = [{name: value for name, value in each.items() if name != "cursor"} for each in bodies]
    assert [list(each.get("dineIn", each)) for each in queries[-4:]] == [[], ["tableId"], ["waiterId"], ["payableOnly"]]


def hide(place: Place, when: Callable[[Json], bool], which: Callable[[Order], Any] = lambda o: o.dojo_order_id) -> None:
    is_wanted = place.epos.is_wanted_order
    place.epos.is_wanted_order = (  # type: ignore[method-assign]
        lambda order, wanted: not (which(order) and when(wanted)) and is_wanted(order, wanted)
    )


def test_an_order_that_is_not_found_is_a_violation(place: Place) -> None:
    hide(place, lambda _: True)
    with pytest.raises(Violation, match=r"SearchOrders after CreateOrder \(an order of tableId .* it isn't found"):
        found(place)


@pytest.mark.parametrize("name", ["tableId", "waiterId", "payableOnly"])
def test_an_order_that_a_filter_hides_is_a_violation_if_the_filter_works(place: Place, name: str) -> None:
    hide(place, lambda query: name in query or name in query.get("dineIn", {}))
    with pytest.raises(Violation, match=f"{name}.* which a search without filters finds"):
        found(place)


def test_a_filter_that_finds_nobodys_order_is_no_fault_of_this_one(place: Place) -> None:
    hide(place, lambda query: "dineIn" in query or "payableOnly" in query, lambda _: True)
    found(place)
    found(place, [])


def test_where_there_are_too_many_orders_those_of_its_table_are_enough(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(creating, "MOST_PAGES", 1)
    place.epos.limit_of = lambda cursor: 3  # type: ignore[method-assign]  # noqa: ARG005
    newest = place.epos.newest_orders
    place.epos.newest_orders = lambda: reversed(list(newest()))  # type: ignore[method-assign]
    hide(place, lambda query: "dineIn" in query, lambda order: not order.dojo_order_id)
    found(place)
    hide(place, lambda query: "dineIn" in query)
    with pytest.raises(Inconclusive, match="the search can't be walked to its end: it is not on the first 1 pages"):
        found(place)


def test_versions_of_the_catalogue_are_judged_alike(place: Place) -> None:
    partner = place.partner()
    creating.judge(partner, "payments", kept.payments, order_versions.payments(creating.book(partner)))
