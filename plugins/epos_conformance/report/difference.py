"""
What differs between two certificates of one partner: what got worse, what got better, what is or isn't examined.

A change is told of one check: a rule, its case and its transport. Only what both runs were asked for is compared. What
a partial run left out (``-k``), what a run that ended early (an interruption, ``-x``, a worker that died) did not get
to, a transport or Dojo's side that one of them did without, and what ``--read-only`` forbade in one of them, is neither
gone nor newly examined: see `Changes.remarks`. Violations are told all the same.

**Worse** is, and nothing else:

* a must or a should that is newly violated, and not waived: whatever came before, so that a gate fails closed. A waiver
  that ended counts, a level that was raised too, and so does a rule that is new in this version of the suite.
* a must that is newly inconclusive, unless it was violated before
* a must that conformed and is no longer examined, unless it is the suite or the tester tool that took it away
* a verdict, of the whole or of a product, that was granted and is not any more, or was not proven and is now refused;
  of runs that are complete, or that ended early where it is the newer one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from epos_conformance.report import reading
from epos_conformance.report.changes import Change, Changes, Kind, VerdictChange
from epos_conformance.report.reading import Document, title
from epos_conformance.verdict import Level


def compare(old: Document, new: Document) -> Changes:
    """
    What differs in *new* from *old*, certificates of one partner. Two partners are compared all the same, and told so.
    """
    pair = _Pair(old, new)
    found = sorted(pair.changes(), key=_place)
    return Changes(
        since=_about(old),
        until=_about(new),
        checks=tuple(found),
        verdicts=tuple(pair.verdicts()),
        partners=None if _same_partner(old, new) else (title(old), title(new)),
        remarks=tuple(pair.remarks()),
    )


def _same_partner(old: Document, new: Document) -> bool:
    if reading.same(reading.partner(old), reading.partner(new)):
        return True
    return len(reading.grouped({"old": old, "new": new})) == 1


def _about(document: Document) -> dict[str, str]:
    return {
        "finishedAt": document["finishedAt"],
        "verdict": document["verdict"],
        "suite": document["suite"]["version"],
    }


_KINDS = tuple(Kind)
_LEVELS = tuple(Level)


def _place(change: Change) -> tuple[Any, ...]:
    return (
        not change.worse,
        _KINDS.index(change.kind),
        _LEVELS.index(change.level),
        change.id,
        change.case or "",
        change.transport,
    )


Key = tuple[str, str | None, str]

Check = Mapping[str, Any]

_EXAMINED = ("conforms", "violates", "waived")


def _checks(document: Document) -> dict[Key, Check]:
    return {(each["id"], each.get("case"), each["transport"]): each for each in document["checks"]}


def _not_run(checks: Mapping[Key, Check]) -> set[Key]:
    """What a run that ended early did not get to: of that it says nothing."""
    return {key for key, each in checks.items() if reading.not_run(each)}


def _spared(checks: Mapping[Key, Check]) -> set[Key]:
    """What ``--read-only`` forbade, and nothing else: that goes by the reason."""
    # Costly to import: pytest comes along.
    from epos_conformance.report.excuses import READ_ONLY

    return {
        key for key, each in checks.items() if each["outcome"] == "not-offered" and each["message"].endswith(READ_ONLY)
    }


def _state(check: Check | None) -> str | None:
    if check is None:
        return None
    return "waived" if check["outcome"] == "violates" and "waiver" in check else str(check["outcome"])


class _Pair:
    """
    Two certificates, and what each of them was asked for.
    """

    def __init__(self, old: Document, new: Document) -> None:
        self.old, self.new = old, new
        self.before, self.after = _checks(old), _checks(new)
        self.known = {id for id, _, _ in self.before}
        self.asked = {id for id, _, _ in self.after}
        self.not_run = _not_run(self.before), _not_run(self.after)
        self.spared = _spared(self.before), _spared(self.after)
        #: What one of the runs says nothing of.
        self.unsaid = set().union(*self.not_run, *self.spared)
        self.before = {key: each for key, each in self.before.items() if key not in self.not_run[0]}
        self.shared = _transports(old) & _transports(new)
        self.same_suite = old["suite"]["version"] == new["suite"]["version"]

    def changes(self) -> Iterator[Change]:
        for key in {**self.before, **self.after}:
            found = self._change(key)
            # What only one of the runs spoke is no news, except for what is violated there.
            if found and (key[2] in self.shared or found.kind is Kind.VIOLATED):
                yield found

    def _change(self, key: Key) -> Change | None:
        before, after = self.before.get(key), self.after.get(key)
        now = _state(after)
        if now in ("violates", "waived"):
            return self._violated(key, before, after)
        if key in self.unsaid:
            return None
        if after is None or now == "not-offered":
            return self._gone(key, before, after)
        if before is None and not _complete(self.old):
            return None  # as good as before, for all that is known
        was = _state(before)
        if now == "inconclusive":
            if was == "inconclusive" and not _raised(before, after):
                return None
            worse = after["level"] == "must" and was not in ("violates", "waived")
            return self._told(key, Kind.INCONCLUSIVE, worse=worse)
        if was == "conforms":
            return None
        return self._told(key, Kind.FIXED if was in ("violates", "waived") else Kind.EXAMINED)

    def _violated(self, key: Key, before: Check | None, after: Check | None) -> Change | None:
        was, now = _state(before), _state(after)
        held = now == "violates"
        if was == now and not (held and _raised(before, after)):
            return None
        if was == "violates" and not held:
            return None  # waived since: neither new nor fixed
        assert after is not None
        return self._told(key, Kind.VIOLATED, worse=held and after["level"] != "info")

    def _gone(self, key: Key, before: Check | None, after: Check | None) -> Change | None:
        if before is None or _state(before) not in _EXAMINED:
            return None  # was never examined
        if after is None:
            if not _complete(self.new):
                return None
            taken = not self.same_suite or self._delisted(key)
        else:
            taken = False
        worse = before["level"] == "must" and before["outcome"] == "conforms" and not taken
        return self._told(key, Kind.GONE, worse=worse)

    def _delisted(self, key: Key) -> bool:
        """Whether *key* is a flow that the tester tool lists no more."""
        id, case, _ = key
        flows = (self.old["dojo"]["flows"], self.new["dojo"]["flows"]) if _has_dojo(self.old, self.new) else ((), ())
        return id.startswith("flows.") and case in flows[0] and case not in flows[1]

    def _told(self, key: Key, kind: Kind, *, worse: bool = False) -> Change:
        id, case, transport = key
        before, after = self.before.get(key), self.after.get(key)
        check = after or before
        assert check is not None
        return Change(
            id=id,
            case=case,
            transport=transport,
            level=Level((before or check)["level"] if kind is Kind.GONE else check["level"]),
            kind=kind,
            before=_state(before),
            after=_state(after),
            worse=worse,
            sentence=check["sentence"],
            message=after["message"] if after else "",
            why="; ".join(self._why(key, kind)),
        )

    def _why(self, key: Key, kind: Kind) -> Iterator[str]:
        before, after = self.before.get(key), self.after.get(key)
        if key[0] not in self.known and _complete(self.old):
            yield "the rule is new in this version of the suite"
        if key[0] not in self.asked and _complete(self.new) and not self.same_suite:
            yield "this version of the suite has no such rule"
        if kind is Kind.GONE and after is None and self._delisted(key):
            yield "the tester tool lists this flow no more"
        if before and after and before["level"] != after["level"]:
            yield f"it was a {before['level']}, and is a {after['level']} in this version of the suite"
        if before and _state(before) == "waived" and _state(after) == "violates":
            yield f"it was waived until {before['waiver']['until']}"

    def verdicts(self) -> Iterator[VerdictChange]:
        both = reading.complete(self.old) and (_complete(self.new) or self.new["selection"]["interrupted"])
        was = {each["name"]: each["verdict"] for each in self.old["products"]}
        named = [(None, self.old["verdict"], self.new["verdict"])]
        named += [
            (each["title"], was[each["name"]], each["verdict"])
            for each in self.new["products"]
            if each["name"] in was
        ]  # fmt: skip
        for product, before, after in named:
            if before != after:
                worse = both and _RANKS[after] > _RANKS[before]
                yield VerdictChange(product=product, before=before, after=after, worse=worse)

    def remarks(self) -> Iterator[str]:
        if not self.same_suite:
            yield f"The suite was {self.old['suite']['version']} before and is {self.new['suite']['version']} now."
        elif self.old["contract"]["digests"] != self.new["contract"]["digests"]:
            yield "The contracts or rules are others than before, though the suite's version is the same."
        for document, name, not_run in zip((self.old, self.new), _WHEN, self.not_run, strict=True):
            if document["selection"]["interrupted"]:
                yield f"The {name} run was interrupted: what it did not get to is not compared."
                continue
            if not _complete(document):
                left = document["selection"]["deselected"]
                yield f"The {name} run was partial: the {left} checks that it left out are not compared."
            if not_run:
                yield f"The {name} run ended early: the {len(not_run)} checks that it did not get to are not compared."
        for transport in sorted(_transports(self.old) ^ _transports(self.new)):
            when = "older" if transport in _transports(self.old) else "newer"
            yield f"Only the {when} run examined {_NAMES[transport]}: of that nothing is told but what is violated now."
        for name, spared, others in zip(_WHEN, self.spared, reversed(self.spared), strict=True):
            if spared - others:
                yield f"The {name} run was read-only: what changes something at the partner is not compared."


_WHEN = ("older", "newer")

#: How far a verdict is from a certificate. What isn't offered is as far as it gets: a product that is missing
#: something was there before.
_RANKS = {
    "conformant": 0,
    "conformant-with-recommendations": 0,
    "not-proven": 1,
    "not-conformant": 2,
    "not-offered": 2,
}

_NAMES = {"rest": "REST", "ws": "WebSocket", "dojo": "Dojo's side"}


def _complete(document: Document) -> bool:
    """Whether what is not among the checks was not there to be examined."""
    selection = document["selection"]
    return bool(selection["complete"]) and not selection["interrupted"]


def _has_dojo(*documents: Document) -> bool:
    return all("dojo" in each for each in documents)


def _transports(document: Document) -> set[str]:
    return {*document["partner"]["transports"], *(("dojo",) if "dojo" in document else ())}


def _raised(before: Check | None, after: Check | None) -> bool:
    """Whether the level of a check that is there twice was raised."""
    return bool(before and after) and _LEVELS.index(after["level"]) < _LEVELS.index(before["level"])  # type: ignore[index]
