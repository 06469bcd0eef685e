"""
What a certificate owes to its own facts, whoever signed it.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from epos_conformance.report import merging
from epos_conformance.report.rederiving import rederive
from epos_conformance.report.verifying import verified

from .signed import (
    CHECKED,
    FOREIGN,
    KEYS,
    Document,
    conclude,
    entry,
    made,
    text,
    whole,
    written,
)


Edit = Callable[[Document], object]


# Signed, and not what a run amounts to


def lowered(it: Document) -> None:
    entry(it)["level"] = "info"
    conclude(it)


def left_out(it: Document) -> None:
    it["checks"].remove(entry(it))
    conclude(it)


def left_out_and_owned_up_to(it: Document) -> None:
    """What is owned up to is fair; but then the selection is not complete."""
    left_out(it)
    it["selection"]["deselected"] = 1


def left_out_and_interrupted(it: Document) -> None:
    """An interrupted run tells of each check that it did not get to."""
    left_out(it)
    it["selection"]["interrupted"] = True


def of_another_capability(it: Document) -> None:
    entry(it)["capability"] = "ListAreas"
    conclude(it)


def not_offered(message: str, name: str = CHECKED) -> Edit:
    def edit(it: Document) -> None:
        entry(it, name).update(outcome="not-offered", message=message, exchanges=[])
        conclude(it)

    return edit


def conforming(name: str) -> Edit:
    def edit(it: Document) -> None:
        entry(it, name).update(outcome="conforms", message="", exchanges=entry(it)["exchanges"])
        conclude(it)

    return edit


def silent(it: Document) -> None:
    entry(it)["exchanges"] = []


def unanswered(it: Document) -> None:
    entry(it)["exchanges"] = [{**each, "answer": None} for each in entry(it)["exchanges"]]


def twice(it: Document) -> None:
    it["checks"].append(entry(it))
    conclude(it)


def invented(it: Document) -> None:
    it["checks"].append({**entry(it), "id": "SearchTables.is-the-best-there-is"})
    conclude(it)


def of_ws(it: Document) -> None:
    it["checks"].append({**entry(it), "transport": "ws"})
    conclude(it)


def waived(until: str, *, told: bool = True) -> Edit:
    def edit(it: Document) -> None:
        waiver = {"reason": "known", "until": until}
        entry(it).update(outcome="violates", message="at $: expected a, saw b", waiver=waiver)
        if told:
            it["waivers"] = [{"rule": entry(it)["id"], **waiver, "state": "used"}]
        conclude(it)

    return edit


def unclaimed(it: Document) -> None:
    """As if SearchTables had never been claimed, but for the settings."""
    for each in it["checks"]:
        if each["capability"] == "SearchTables":
            each.update(outcome="not-offered", message="SearchTables isn't claimed", exchanges=[])
    next(each for each in it["capabilities"] if each["name"] == "SearchTables")["transports"] = {}
    it["partner"]["capabilities"].remove("SearchTables")
    conclude(it)


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (lambda it: it.update(verdict="conformant-with-recommendations"), "and the checks amount to conformant"),
        (lambda it: it["counts"].update(conforms=1), "counts: not what the checks amount to"),
        (lambda it: it["products"][0].update(verdict="conformant"), "products: not what the checks amount to"),
        (lambda it: it["products"].pop(), "products: not what the checks amount to"),
        (lambda it: it["capabilities"][0].update(verdict="conformant"), "capabilities: not what the checks amount"),
        (lambda it: it["capabilities"].pop(0), "the capabilities listed are not those of this version"),
        (lambda it: it.update(differences=[{"id": "a.b", "outcomes": {}}]), "differences: not what"),
        (lambda it: entry(it).update(outcome="violates", message="x"), "and the checks amount to not-conformant"),
        (lowered, "its level is not that of the rule"),
        (lambda it: entry(it).update(basis="derived"), "its basis is not that of the rule"),
        (lambda it: entry(it).update(sentence="Anything goes."), "its sentence is not that of the rule"),
        (lambda it: entry(it).update(page="orders"), "its page is not that of the rule"),
        (lambda it: entry(it).update(source=[]), "its source is not that of the rule"),
        (of_another_capability, "its capability is not that of the rule"),
        (left_out, "checks are left out, and the certificate owns up to 0: rest-SearchTables."),
        (left_out_and_owned_up_to, "the selection is said to be complete"),
        (lambda it: it["selection"].update(deselected=3), "0 of"),
        (lambda it: it["selection"].update(complete=False), "the selection is said to be not complete"),
        (left_out_and_interrupted, "checks are left out, and the certificate owns up to 0"),
        (twice, f"{CHECKED}: there 2 times"),
        (invented, "SearchTables.is-the-best-there-is@minimal: no check of this version"),
        (of_ws, "ws-SearchTables.answer-matches-schema@minimal: no check of this version"),
        (silent, "conforms, and nothing was exchanged"),
        (unanswered, "conforms, and nothing was answered"),
        (not_offered(""), "not-offered for a reason that doesn't hold: none is given"),
        (not_offered("SearchTables isn't claimed"), "a reason that doesn't hold: SearchTables isn't claimed"),
        (not_offered("needs ListAreas, which isn't offered"), "a reason that doesn't hold: needs ListAreas"),
        (not_offered("needs Nonsense, which isn't offered"), "a reason that doesn't hold: needs Nonsense"),
        (not_offered("CreateOrder isn't offered, honestly"), "a reason that doesn't hold: CreateOrder"),
        (
            not_offered("not examined: it may change something at the partner, and the run is --read-only"),
            "a reason that doesn't hold: not examined",
        ),
        (not_offered("not examined: unusual bodies are switched off (--depth=0)"), "a reason that doesn't hold"),
        (not_offered("nothing is registered"), "a reason that doesn't hold"),
        (not_offered("no order carries tipsAmount, which is optional"), "a reason that doesn't hold"),
        (conforming(FOREIGN), "conforms, and CreateOrder isn't offered"),
        (conforming("dojo-flows.ends-in-success"), "conforms, and there was no Dojo in the run"),
        (waived("2020-01-01"), "its waiver had ended on 2020-01-01, before the run"),
        (waived("2999-01-01", told=False), "waived by nothing that is among the waivers"),
        (unclaimed, "claimed and not offered: SearchTables"),
        (lambda it: it["partner"]["capabilities"].append("CreateOrder"), "the capabilities offered are not those"),
        (lambda it: it["partner"].update(transports=[]), "the transports are none, and the settings name rest"),
        (lambda it: it["partner"].update(transports=["rest", "ws"]), "checks are left out"),
        (lambda it: it["settings"].update({"partner-ws": "127.0.0.1:8765"}), "and the settings name rest and ws"),
        (lambda it: it["contract"]["digests"].update({"rules/rest.toml": "0" * 64}), "rules/rest.toml has another"),
        (lambda it: it["contract"]["digests"].pop("rules/rest.toml"), "the digest of rules/rest.toml is missing"),
        (lambda it: it["contract"]["digests"].update({"rules/mine.toml": "0" * 64}), "no file of this version"),
        (lambda it: it["contract"]["sources"].clear(), "its sources are not those of this version"),
        (
            lambda it: it["waivers"].append({"rule": "a.b", "reason": "x", "until": "2999-01-01", "state": "used"}),
            "the waiver of a.b: used, which is wrong",
        ),
    ],
)  # fmt: skip
def test_what_its_own_facts_do_not_bear_out_is_not_genuine_whoever_signed_it(
    edit: Edit, said: str, tmp_path: Path
) -> None:
    document = whole()
    edit(document)
    found = verified(written(tmp_path, document), KEYS)
    assert found.seal is not None
    assert found.seal.good
    assert not found.genuine
    assert said in text(found)
    assert all(each.startswith("not genuine: ") for each in found.lines()[:-1])


@pytest.mark.parametrize("until", ["2999-01-01", "2030-01-01"])
def test_a_waiver_that_holds_is_no_reason_to_doubt(until: str, tmp_path: Path) -> None:
    document = whole()
    waived(until)(document)
    assert document["verdict"] == "conformant-with-recommendations"
    assert verified(written(tmp_path, document), KEYS).genuine


def test_shards_as_one_are_consistent() -> None:
    shards = [made(("rest", "ws"), only=each) for each in ("ListAreas", "SearchTables", "ws-ws.")]
    document = merging.merged(shards)
    found = rederive(document)
    assert found.faults == []
    assert found.there == len(document["checks"])
    assert found.there < found.asked


def test_a_digest_of_one_byte_counts_as_every_other() -> None:
    """Whoever has other rules made another certificate, however alike the versions are called."""
    for name in ("rules/rest.toml", "contracts/SearchTables.json", "sources.toml"):
        document = whole()
        told = document["contract"]["digests"][name]
        document["contract"]["digests"][name] = ("0" if told[0] != "0" else "1") + told[1:]
        assert rederive(document).faults == [f"the contract: {name} has another digest in this version"]
