"""
What becomes of an order that Dojo creates: it is kept as sent, in the answer and when it is read, and can be found.

Each rule orders something with the feature it is about, in a few versions (`order_versions`, `order_places`): a till
may refuse those that it can't know, so one that is taken is enough.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from itertools import chain, islice

from epos_conformance import (
    Exchange,
    Finding,
    Inconclusive,
    NotOffered,
    Partner,
    Violation,
    check,
    creating,
    kept,
    kept_items,
    order_places,
    order_versions,
)
from epos_conformance.creating import book, judge, judge_if_sold
from epos_conformance.order_versions import Feature, Versions
from epos_conformance.ordering import Version
from epos_conformance.settling import settled


# Items


@check("CreateOrder.keeps-the-items")
def test_keeps_the_items(partner: Partner) -> None:
    """All items of an order are there, and no others."""
    compare = partial(kept_items.items, known=book(partner).known)
    judge(partner, "items", compare, order_versions.items(book(partner)))


@check("CreateOrder.keeps-the-quantities")
def test_keeps_the_quantities(partner: Partner) -> None:
    """As many pieces of each item are there as were ordered."""
    judge(partner, "items", kept_items.quantities, order_versions.quantities(book(partner)))


@check("CreateOrder.keeps-the-item-prices")
def test_keeps_the_item_prices(partner: Partner) -> None:
    """Each item costs what it was ordered for."""
    judge(partner, "items", kept_items.prices, order_versions.prices(book(partner)))


@check("CreateOrder.keeps-the-modifiers")
def test_keeps_the_modifiers(partner: Partner) -> None:
    """Each item has the modifiers that it was ordered with."""
    compare = partial(kept_items.modifiers, known=book(partner).known)
    judge_if_sold(partner, "modifiers", "items with modifiers", compare, order_versions.modifiers(book(partner)))


@check("CreateOrder.keeps-the-sub-items")
def test_keeps_the_sub_items(partner: Partner) -> None:
    """Each item has the sub-items that it was ordered with."""
    compare = partial(kept_items.sub_items, known=book(partner).known)
    judge_if_sold(partner, "subItems", "set menus", compare, order_versions.sub_items(book(partner)))


@check("CreateOrder.keeps-the-item-notes")
def test_keeps_the_item_notes(partner: Partner) -> None:
    """Each item has the note that it was ordered with."""
    judge(partner, "items", kept_items.item_notes, order_versions.item_notes(book(partner)))


# Sums

#: What helps where no payment is taken.
INTENTS = "an EPOS that looks payment intents up can't find made-up ones: see [payment-intents] in partner.toml"

#: What a total is made of.
ADDENDS: tuple[Feature, ...] = (
    order_versions.everything,
    order_versions.items,
    order_versions.quantities,
    order_versions.modifiers,
    order_versions.sub_items,
    order_versions.discounts,
    order_versions.service_charges,
    order_versions.tax_lines,
    order_versions.payments,
)


@check("CreateOrder.keeps-the-total")
def test_keeps_the_total(partner: Partner) -> None:
    """An order comes to what was sent, whatever it is made of."""
    versions = chain.from_iterable(islice(each(book(partner)), 2) for each in ADDENDS)
    judge(partner, "totalAmount", kept.total, versions, most=2 * len(ADDENDS), crashing=True)


@check("CreateOrder.keeps-the-discounts")
def test_keeps_the_discounts(partner: Partner) -> None:
    """An order has the discounts that were sent."""
    judge(partner, "discounts", kept.discounts, order_versions.discounts(book(partner)))


@check("CreateOrder.keeps-the-service-charge")
def test_keeps_the_service_charge(partner: Partner) -> None:
    """An order has the service charge that was sent."""
    compare = kept.member("serviceChargeAmount")
    judge(partner, "serviceChargeAmount", compare, order_versions.service_charges(book(partner)))


@check("CreateOrder.keeps-the-tax-lines")
def test_keeps_the_tax_lines(partner: Partner) -> None:
    """An order has the tax lines that were sent."""
    judge(partner, "taxLines", kept.tax_lines, order_versions.tax_lines(book(partner)))


@check("CreateOrder.keeps-the-payments")
def test_keeps_the_payments(partner: Partner) -> None:
    """An order that is paid for already has its payments, and sums that are theirs."""
    judge(partner, "payments", kept.payments, order_versions.payments(book(partner)), hint=INTENTS)


# Texts


@check("CreateOrder.keeps-the-customer")
def test_keeps_the_customer(partner: Partner) -> None:
    """An order has the customer that was sent."""
    judge(partner, "customer", kept.customer, order_versions.customers(book(partner)))


@check("CreateOrder.keeps-the-note")
def test_keeps_the_note(partner: Partner) -> None:
    """An order has the note that was sent, to the letter."""
    judge(partner, "note", kept.member("note"), order_versions.notes(book(partner)))


@check("CreateOrder.keeps-the-reference")
def test_keeps_the_reference(partner: Partner) -> None:
    """An order has the reference that was sent, to the letter."""
    judge(partner, "reference", kept.member("reference"), order_versions.references(book(partner)))


@check("CreateOrder.keeps-the-display-name")
def test_keeps_the_display_name(partner: Partner) -> None:
    """An order has the display name that was sent, to the letter."""
    judge(partner, "displayName", kept.member("displayName"), order_versions.display_names(book(partner)))


# Places and times


@check("CreateOrder.keeps-the-order-type")
def test_keeps_the_order_type(partner: Partner) -> None:
    """An order to eat in stays one, and so does one to collect."""
    judge(partner, "details", kept.order_type, order_places.order_types(book(partner)))


@check("CreateOrder.keeps-the-table")
def test_keeps_the_table(partner: Partner) -> None:
    """An order is at the table that was sent."""
    versions = order_places.tables(book(partner))
    judge(partner, "details", kept.dine_in("tableId"), versions, most=order_places.MOST_TABLES)


@check("CreateOrder.keeps-the-waiter")
def test_keeps_the_waiter(partner: Partner) -> None:
    """An order is the waiter's that was sent, whoever holds the terminal."""
    headers = partner.all_headers()
    holder = headers.get("waiter-id")

    def held(version: Version) -> dict[str, str] | None:
        return headers if version.body["details"]["dineIn"]["waiterId"] != holder else None

    compare = kept.dine_in("waiterId", header=holder)
    judge(partner, "details", compare, order_places.waiters(book(partner)), headers=held)


@check("CreateOrder.keeps-the-party")
def test_keeps_the_party(partner: Partner) -> None:
    """An order is the party's that was sent."""
    guests(partner, "party", "partyId", order_places.parties(book(partner)))


@check("CreateOrder.keeps-the-reservation")
def test_keeps_the_reservation(partner: Partner) -> None:
    """A pre-order is for the reservation that was sent."""
    guests(partner, "reservation", "reservationId", order_places.reservations(book(partner)))


def guests(partner: Partner, thing: str, name: str, versions: Versions) -> None:
    """Demand that details.dineIn's *name* is kept: of guests of the venue, else of our own."""
    first = next(versions, None)
    compare = kept.dine_in(name)
    try:
        if first is not None:
            return judge(partner, "details", compare, chain([first], versions))
    except Inconclusive:
        if not partner.offers(MAKERS[thing]):
            raise
    if not partner.offers(MAKERS[thing]):
        raise NotOffered(f"there is no {thing} to order for, and {MAKERS[thing]} isn't offered")
    made = partner.make(thing)
    place = order_places.seat(book(partner), name, made.ids[name], made.answer)
    seats = [place, {name: made.ids[name]}]
    return judge(partner, "details", compare, [order_places.placed(book(partner), each) for each in seats])


MAKERS = {"party": "CreateParty", "reservation": "CreateReservation"}


@check("CreateOrder.keeps-the-ready-time")
def test_keeps_the_ready_time(partner: Partner) -> None:
    """A pre-order is to be ready at the instant that was sent."""
    judge(partner, "details", kept.ready_time, chain(order_places.ready_times(book(partner)), own_pre_order(partner)))


def own_pre_order(partner: Partner) -> Iterator[Version]:
    """A pre-order for a reservation of our own, where there can be one: the only kind that some tills know."""
    try:
        made = partner.make("reservation")
    except Inconclusive:
        return
    place = order_places.seat(book(partner), "reservationId", made.ids["reservationId"], made.answer)
    if start := order_places.start_of(made.sent):
        yield order_places.pre_order(book(partner), place, start)


@check("CreateOrder.keeps-the-collection-details")
def test_keeps_the_collection_details(partner: Partner) -> None:
    """An order to collect is for the time that was sent."""
    sold = partner.settings.data.order_types
    if sold and "Collection" not in sold:
        raise NotOffered("nothing is sold for collection: data.order-types in partner.toml doesn't name it")
    try:
        judge(partner, "details", kept.collection, order_places.collections(book(partner)))
    except Inconclusive as error:
        nothing = 'if nothing is sold for collection, name data.order-types = ["DineIn"]'
        raise Inconclusive(f"{error}; {nothing}") from None


# Finding it again


@check("CreateOrder.can-be-fetched")
def test_can_be_fetched(partner: Partner) -> None:
    """A created order can be read under the id that was answered."""
    if not partner.offers("GetOrderById"):
        raise NotOffered("GetOrderById isn't offered")
    for version, _, exchange in creating.taken(partner, order_places.kinds(book(partner)), most=6):
        id = creating.id_of(exchange)
        found = settled(partner, partial(partner.call, "GetOrderById", {"orderId": id}), partial(is_order, id))
        if not is_order(id, found):
            raise Violation(Finding(f"GetOrderById after CreateOrder ({version.title})", f"the order {id}", found.seen))


def is_order(id: str, found: Exchange) -> bool:
    return isinstance(found.result, dict) and found.result.get("id") == id


@check("CreateOrder.is-found-by-search")
def test_is_found_by_search(partner: Partner) -> None:
    """A created order is found by a search without filters, and by those that fit it."""
    if not partner.offers("SearchOrders"):
        raise NotOffered("SearchOrders isn't offered")
    controls = book(partner).orders
    for version, body, exchange in creating.taken(partner, order_places.kinds(book(partner)), most=6):
        creating.require_found(partner, version, body, exchange, controls)


@check("CreateOrder.gives-each-order-its-own-id")
def test_gives_each_order_its_own_id(partner: Partner) -> None:
    """Orders alike get ids of their own, one after the other and at the same instant."""
    version = next(order_versions.simple(book(partner)))
    ids: list[str] = []
    for _, _, exchange in creating.taken(partner, alike(partner, version), most=3):
        ids.append(creating.id_of(exchange))
        require_different(ids, "orders one after the other")
    if len(ids) < 2:
        raise Inconclusive(f"a second order isn't taken while there is a first: {partner.exchanges[-1].seen}")
    if partner.offers("CancelOrderById"):
        partner.call("CancelOrderById", {"orderId": ids.pop(0)})
        _, exchange = creating.create(partner, another(version))
        if exchange.succeeded:
            require_different([*ids, creating.id_of(exchange)], "orders after another one was canceled")
    crashed: list[Exchange] = []
    for _ in range(min(3, partner.settings.race_rounds)):
        bodies = [another(version).body for _ in range(3)]
        exchanges = partner.at_once(*(("CreateOrder", each) for each in bodies))
        require_different([creating.id_of(each) for each in exchanges if each.succeeded], "orders at the same instant")
        crashed += [each for each in exchanges if each.answer is not None and each.crashed]
    # One may be chance, and what an order by itself crashes on is no matter of the instant.
    if len(crashed) > 1 and creating.create(partner, another(version))[1].succeeded:
        expected = "an order for each, or a refusal"
        raise Violation(Finding("CreateOrder at the same instant as another", expected, crashed[0].seen))


def alike(partner: Partner, version: Version) -> Iterator[Version]:
    """*version* as other orders: at the same table, then at others, for a till that has one order at each."""
    yield from (another(version) for _ in range(3))
    for _ in range(3):
        yield next(order_versions.simple(book(partner)))


def another(version: Version) -> Version:
    """*version*, as another order."""
    return replace(version, body=creating.renewed(version.body))


def require_different(ids: list[str], what: str) -> None:
    if len(set(ids)) < len(ids):
        raise Violation(Finding(f"the ids of {what}", "different ones", ", ".join(ids)))


@check("CreateOrder.same-dojo-order-id-is-one-order")
def test_same_dojo_order_id_is_one_order(partner: Partner) -> None:
    """An order that is sent again, later or at the same instant, is not made again."""
    _, body, exchange = next(creating.taken(partner, order_versions.simple(book(partner)), most=1))
    again = partner.call("CreateOrder", body)
    if again.succeeded:
        require_one([exchange, again], "two CreateOrder with one dojoOrderId")
    else:
        partner.notes.append(f"the second is answered with {again.seen}")
    rounds = partner.settings.race_rounds
    for number in range(1, rounds + 1):
        body = creating.renewed(body)
        both = partner.at_once(("CreateOrder", body), ("CreateOrder", body))
        what = f"two CreateOrder with one dojoOrderId at the same instant, round {number} of {rounds}"
        require_one([each for each in both if each.succeeded], what)
    partner.notes.append(f"{rounds} rounds of two at the same instant made one order each")


def require_one(exchanges: list[Exchange], what: str) -> None:
    ids = list(dict.fromkeys(map(creating.id_of, exchanges)))
    if len(ids) > 1:
        raise Violation(Finding(what, "one order", f"{len(ids)} orders: {', '.join(ids)}"))
