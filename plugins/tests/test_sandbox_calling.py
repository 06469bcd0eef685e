"""
What an address that is registered stands for.
"""

from __future__ import annotations

import pytest

from epos_conformance.sandbox.calling import addresses, canonical

from .sandboxes import EVERYTHING


@pytest.mark.parametrize(
    ("url", "base"),
    [
        ("https://till.example", "https://till.example"),
        ("https://till.example/", "https://till.example"),
        ("https://till.example/dojo/", "https://till.example/dojo"),
        ("https://till.example/v1/orders/{orderID}", "https://till.example"),
        ("https://till.example/dojo/V1/Orders/{id}", "https://till.example/dojo"),
        ("https://till.example/dojo/v1/orders/{orderId}/locks/{lockId}", "https://till.example/dojo"),
        ("https://till.example/a/v1/parties/{partyId}", "https://till.example/a"),
    ],
)
def test_a_base_or_a_published_path_below_it_is_for_everything(url: str, base: str) -> None:
    assert addresses(url, canonical(EVERYTHING)) == (base, {})


@pytest.mark.parametrize(
    ("url", "offered", "name"),
    [
        ("https://till.example/orders/{orderID}", EVERYTHING, "GetOrderById"),
        ("https://till.example/bills/{orderId}.json", ["SearchOrders", "GetOrderBill"], "GetOrderBillById"),
        ("https://till.example/guests?party={partyId}", EVERYTHING, "GetPartyById"),
        ("https://till.example/{orderId}/{lockId}", ["ExtendOrderLock"], "ExtendOrderLock"),
    ],
)
def test_any_other_template_is_for_what_takes_its_ids(url: str, offered: list[str], name: str) -> None:
    assert addresses(url, canonical(offered)) == ("https://till.example", {name: url})


def test_a_template_for_nothing_leads_to_its_host() -> None:
    assert addresses("https://till.example/{shop}/x", canonical(EVERYTHING)) == ("https://till.example", {})
