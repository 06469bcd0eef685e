"""
What one process knows of Dojo is known to all, and every flow has a name of its own.
"""

from __future__ import annotations

import dataclasses
import json
import re

from epos_conformance.dojo.access import DojoAccess, named
from epos_conformance.dojo.flows import Flow, Param

from . import fake_dojo
from .fake_dojo import KEY


def names(*given: str) -> list[str]:
    return list(named([Flow(each) for each in given]))


def test_a_plain_name_stays() -> None:
    plain = "Get Order (v1.2), by id_1 - now"
    assert names(plain) == [plain]


def test_a_name_that_pytest_would_change_is_made_plain() -> None:
    assert names('[x]: "a/b"\n\N{SNOWMAN}') == ["_x_ _a_b_"]
    assert names("Caf\u00e9::test[1]@2") == ["Caf_test_1_2"]
    assert names("\x00\x1b[31m") == ["_31m"]


def test_what_is_left_of_nothing_is_still_a_name() -> None:
    assert names("\u65e5\u672c", "\N{SNOWMAN}") == ["_", "_ 2"]


def test_long_names_are_cut_and_end_in_no_blank() -> None:
    (found,) = names("a" * 79 + " b")
    assert found == "a" * 79
    assert [len(each) for each in names("c" * 200, "c" * 201)] == [80, 82]


def test_names_that_look_alike_are_told_apart() -> None:
    flows = [Flow(each) for each in ("a/b", "a:b", "a_b", "a_b 2", "a?b")]
    found = named(flows)
    assert len(found) == len(flows)
    assert list(found.values()) == flows
    assert list(found) == ["a_b", "a_b 2", "a_b 3", "a_b 2 2", "a_b 4"]


def test_every_name_is_fit_for_a_node_id() -> None:
    for each in names("a", "]", "[[", "x]y", "a::b", "\t", "🍕 Pizza", "-k", "a" * 300):
        assert re.fullmatch(r"[\w .,()-]{1,90}", each, re.ASCII)
        assert each == each.strip()


def test_the_same_list_gives_the_same_names() -> None:
    given = ["b", "a/b", "a:b", "b "]
    assert names(*given) == names(*given)


def test_what_is_sent_to_a_worker_arrives_as_it_was() -> None:
    flows = (
        Flow("Get Order", (Param("orderId", "string", True, "An order.", default={"a": [1, None]}),)),
        Flow('[x]: "a/b"\n\N{SNOWMAN}'),
    )
    account = fake_dojo.account("http://127.0.0.1:1", reseller_id="reseller", changes=False)
    sent = DojoAccess(account, sandbox=True, blocked="no", flows=flows, no_flows="why")
    arrived = DojoAccess.from_json(json.loads(json.dumps(dataclasses.asdict(sent))))
    assert arrived == sent
    assert arrived.cases() == sent.cases()


def test_nothing_to_say_arrives_too() -> None:
    sent = DojoAccess(fake_dojo.account("http://127.0.0.1:1"))
    assert DojoAccess.from_json(json.loads(json.dumps(dataclasses.asdict(sent)))) == sent


def test_the_key_is_in_no_representation() -> None:
    assert KEY not in repr(DojoAccess(fake_dojo.account("http://127.0.0.1:1")))
