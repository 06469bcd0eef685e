"""
Traces of refused requests are found where there are any, and nobody is accused of what else goes on at an EPOS.
"""

from __future__ import annotations

import contextlib
import re

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from epos_conformance import _contracts, tracing
from epos_conformance._leases import Leases
from epos_conformance._session import Session
from epos_conformance._settings import Settings
from epos_conformance.exceptions import Inconclusive, NotOffered
from epos_conformance.partner import Partner
from epos_conformance.reference import faults
from epos_conformance.reference.core import Call
from epos_conformance.reference.epos import ReferenceEpos
from epos_conformance.reference.errors import EposError, conflict
from epos_conformance.reference.records import Json, Order
from epos_conformance.rest import RestTransport

from .support import SERVER


OBSERVED = [name for name, each in _contracts.capabilities().items() if each.observed_by is not None]


pytestmark = pytest.mark.usefixtures("server")


@contextlib.contextmanager
def partner_of(
    folder: Path,
    defects: tuple[str, ...] = (),
    variants: tuple[str, ...] = (),
    *,
    without: str = "",
    settle: float = 0.05,
) -> Iterator[tuple[Partner, ReferenceEpos]]:
    epos, SERVER.app = faults.build(defects, variants)
    chosen = Settings(url=SERVER.url, settle=settle)
    transport = RestTransport(chosen, SERVER.url, "dojo:reference")
    found = Partner(Session(chosen, transport, epos.offered() - {without}, Leases(folder)))
    yield found, epos
    found.clean_up()
    transport.close()


@pytest.fixture
def own_faults(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test declares is gone after it."""
    monkeypatch.setattr(faults, "_DEFECTS", dict(faults.defects()))
    monkeypatch.setattr(faults, "_VARIANTS", dict(faults.variants()))


def traces(partner: Partner, name: str) -> tuple[int, list[str]]:
    """How many requests were refused, and where traces were found."""
    refused, findings = tracing.traces_of_refusals(partner, _contracts.capabilities()[name])
    return refused, [str(each) for each in findings]


@pytest.mark.parametrize("name", OBSERVED)
def test_a_refusal_that_leaves_nothing_is_accused_of_nothing(name: str, tmp_path: Path) -> None:
    with partner_of(tmp_path) as (partner, _):
        refused, found = traces(partner, name)
    assert 1 < refused <= 6
    assert found == []


@pytest.mark.parametrize("name", OBSERVED)
def test_a_refusal_that_stores_is_found_by_its_mark(name: str, tmp_path: Path) -> None:
    with partner_of(tmp_path, ("stores-before-validating",)) as (partner, _):
        refused, found = traces(partner, name)
    observer = _contracts.capabilities()[name].observed_by
    assert refused > 1
    assert found
    for each in found:
        assert re.search(", refused: expected nothing stored, saw ((pi_)?refused-|an order of )", each)
        assert each.endswith(f" is there in {observer}")


@pytest.mark.usefixtures("own_faults")
def test_marks_are_looked_for_on_every_page(tmp_path: Path) -> None:
    @faults.variant("pages-of-five")
    class PagesOfFive(ReferenceEpos):
        """
        A page has five rows at most, whatever is asked for.
        """

        def search_orders(self, call: Call) -> Json:
            cursor = {**call.body.get("cursor", {}), "limit": 5}
            return super().search_orders(replace(call, body={**call.body, "cursor": cursor}))

    with partner_of(tmp_path, ("stores-before-validating",), ("pages-of-five", "oldest-first")) as (partner, _):
        assert traces(partner, "CreateOrder")[1]


@pytest.mark.usefixtures("own_faults")
def test_a_refused_payment_that_is_counted_without_its_mark_shows_in_the_sum(tmp_path: Path) -> None:
    @faults.defect("counts-refused-payments", breaks=["RecordOrderPaymentById.refused-requests-store-nothing"])
    class CountsRefusedPayments(ReferenceEpos):
        """
        What is paid is added up before the payment is looked at.
        """

        def validate(self, call: Call) -> None:
            try:
                super().validate(call)
            except EposError:
                if call.capability.name == "RecordOrderPaymentById":
                    order = self.find_order(call.ids["orderId"])
                    self.extra[order.id] = self.extra.get(order.id, 0) + 1
                raise

        def paid_amount(self, order: Order) -> int:
            return super().paid_amount(order) + self.extra.get(order.id, 0)

        #: Order -> what was added.
        extra: dict[str, int] = {}  # noqa: RUF012 - one EPOS

    with partner_of(tmp_path, ("counts-refused-payments",)) as (partner, _):
        refused, found = traces(partner, "RecordOrderPaymentById")
    assert refused > 1
    (sum_,) = found
    assert sum_.startswith('at paidAmount: expected {"value": ')
    assert ", as before, saw " in sum_


@pytest.mark.parametrize("name", ["RecordOrderPaymentById", "CreateOrder"])
def test_reads_that_lag_are_accused_of_nothing(name: str, tmp_path: Path) -> None:
    with partner_of(tmp_path, variants=("reads-lag",), settle=0.6) as (partner, _):
        pay = _contracts.capabilities()["RecordOrderPaymentById"]
        assert partner.attempt(pay, pay.examples[0]).succeeded
        assert traces(partner, name)[1] == []


@pytest.mark.usefixtures("own_faults")
def test_what_was_about_to_change_anyway_has_to_show_twice(tmp_path: Path) -> None:
    """
    The first read after a payment is of before the payment, always.
    """

    @faults.variant("one-read-behind")
    class OneReadBehind(ReferenceEpos):
        """
        An order is read from a snapshot, which is renewed by being read.
        """

        snapshots: dict[str, Json] = {}  # noqa: RUF012 - one EPOS

        def get_order_by_id(self, call: Call) -> Json:
            now = super().get_order_by_id(call)
            seen = self.snapshots.get(now["id"], now)
            self.snapshots[now["id"]] = now
            return seen

    with partner_of(tmp_path, variants=("one-read-behind",)) as (partner, _):
        pay = _contracts.capabilities()["RecordOrderPaymentById"]
        order = partner.existing("payable-order")
        partner.call("GetOrderById", {"orderId": order})
        assert partner.call("RecordOrderPaymentById", {"orderId": order, **partner.body(pay)}).succeeded
        asked = len(partner.exchanges)
        refused, found = traces(partner, "RecordOrderPaymentById")
    assert refused > 1
    assert found == []
    # It did look twice.
    assert len(partner.exchanges) - asked == 2 * (refused + 2)


@pytest.mark.usefixtures("own_faults")
def test_what_others_do_to_an_order_that_dates_itself_is_no_trace(tmp_path: Path) -> None:
    @faults.variant("dates-every-read")
    class DatesEveryRead(ReferenceEpos):
        """
        An order was updated when it was last looked at.
        """

        def get_order_by_id(self, call: Call) -> Json:
            return {**super().get_order_by_id(call), "updatedAt": self.spell_time(self.now())}

    with partner_of(tmp_path, variants=("dates-every-read",)) as (partner, _):
        assert traces(partner, "RecordOrderPaymentById")[1] == []


@pytest.mark.usefixtures("own_faults")
def test_what_is_accepted_may_change_something(tmp_path: Path) -> None:
    """
    That it is accepted is another rule's business.
    """

    @faults.defect("pays-anything", breaks=["RecordOrderPaymentById.refuses-missing-members"])
    class PaysAnything(ReferenceEpos):
        """
        Whatever comes is a payment of a penny.
        """

        def validate(self, call: Call) -> None:
            if call.capability.name != "RecordOrderPaymentById":
                super().validate(call)

        def record_order_payment_by_id(self, call: Call) -> Json:
            order = self.find_order(call.ids["orderId"])
            money = self.money(1, order)
            self.apply_payment(order, {"paymentIntentId": "?", "paidAmount": money, "tipsAmount": money})
            return self.present_order(order)

    with partner_of(tmp_path, ("pays-anything",)) as (partner, _):
        assert traces(partner, "RecordOrderPaymentById") == (0, [])


def test_where_nothing_shows_what_is_stored_nothing_is_examined(tmp_path: Path) -> None:
    with partner_of(tmp_path, without="SearchParties") as (partner, _), pytest.raises(NotOffered) as caught:
        traces(partner, "CreateParty")
    assert str(caught.value) == "only SearchParties shows what CreateParty stores, and it isn't offered"
    assert partner.exchanges == []


@pytest.mark.parametrize(
    ("name", "method"), [("CreateParty", "search_parties"), ("RecordOrderPaymentById", "get_order_by_id")]
)
def test_where_the_look_fails_nothing_is_concluded(
    name: str, method: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(call: Call) -> Any:
        raise conflict(f"not {call.capability.name} now")

    with partner_of(tmp_path) as (partner, epos):
        monkeypatch.setattr(epos, method, refuse)
        with pytest.raises(Inconclusive, match="can't see what is stored: status 409, Conflict: not "):
            traces(partner, name)
