"""
Values for the parameters of a flow: by their names, from the user, from the EPOS, or from their defaults.
"""

from __future__ import annotations

import contextlib
import json
import re

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from epos_conformance.dojo.flows import Flow, Param
from epos_conformance.exceptions import Inconclusive, NotOffered


if TYPE_CHECKING:
    from epos_conformance.partner import Partner

Find = Callable[["Partner"], Any]

_OTHER = re.compile(r"[^a-z0-9]")

#: Types of parameters that are texts.
_TEXTS = ("string", "uuid", "text")


def filled(flow: Flow, given: Mapping[str, Any], partners: Sequence[Partner]) -> dict[str, Any]:
    """
    Values for the parameters of *flow*: those that are *given* by name; for the rest that is required, test data by
    name of the first of *partners* that has some, one for each transport, else defaults. What isn't required and not
    given is the tool's to choose.

    Raises `Inconclusive` naming what is missing.
    """
    named = {_plain(name): value for name, value in given.items()}
    found, missing = dict[str, Any](), list[str]()
    for each in flow.params:
        if _plain(each.name) in named:
            found[each.name] = named[_plain(each.name)]
        elif each.required:
            try:
                found[each.name] = _value(each, partners)
            except Inconclusive as error:
                missing.append(
                    f"{each.name} ({each.type}{': ' + each.description if each.description else ''}; {error})"
                )
    if missing:
        several = "parameters are" if len(missing) > 1 else "parameter is"
        raise Inconclusive(
            f"the flow {flow.name!r} can't be started, a required {several} missing: {', '.join(missing)}; name it "
            "under [flow-params] in partner.toml"
        )
    return found


def _value(param: Param, partners: Sequence[Partner]) -> Any:
    find, whys = _FINDERS.get(_plain(param.name)), list[str]()
    for each in partners if find else ():
        assert find is not None
        try:
            return _told(find(each), param.type)
        except (Inconclusive, NotOffered) as error:
            whys.append(str(error))
    if param.default is not None:
        return _typed(param.default, param.type)
    if find is None:
        raise Inconclusive("its name says nothing to the suite")
    raise Inconclusive("; ".join(dict.fromkeys(whys)) or "the partner can't be asked")


def _plain(name: str) -> str:
    """``orderId``, ``orderID`` and ``order_id`` are the same."""
    return _OTHER.sub("", name.lower())


def _told(value: Any, type: str) -> Any:
    """*value*, as a text where the tool wants one."""
    return str(value) if type.lower() in _TEXTS else value


def _typed(default: Any, type: str) -> Any:
    """*default*, which the tool tells as a text whatever it is."""
    if isinstance(default, str) and type.lower() not in _TEXTS:
        with contextlib.suppress(ValueError):
            return json.loads(default)
    return default


def _order(partner: Partner) -> str:
    """One that may be paid and is this check's alone, else any to read."""
    with contextlib.suppress(Inconclusive, NotOffered):
        return str(partner.order(2)["id"])
    return partner.existing("order")


def _booking(thing: str) -> Find:
    """One of our own, which the flow may do away with; else any to read."""

    def find(partner: Partner) -> str:
        with contextlib.suppress(Inconclusive, NotOffered):
            return partner.existing(f"own-{thing}")
        return partner.existing(thing)

    return find


def _first(what: str, found: Callable[[Partner], list[Any]]) -> Find:
    def find(partner: Partner) -> Any:
        every = found(partner)
        if not every:
            raise Inconclusive(f"the EPOS shows no {what}")
        return every[0]

    return find


_TABLE = _first("table", lambda partner: list(partner.venue.table_ids))
_AREA = _first("area", lambda partner: [each["id"] for each in partner.venue.areas if isinstance(each.get("id"), str)])
_WAITER = _first("waiter", lambda partner: [each for each in (partner.venue.waiter_id,) if each])
_INTENT: Find = lambda partner: partner.intent()  # noqa: E731 - a name for the table below

#: By plain name.
_FINDERS: Mapping[str, Find] = {
    **dict.fromkeys(("orderid", "order", "eposorderid"), _order),
    **dict.fromkeys(("partyid", "party"), _booking("party")),
    **dict.fromkeys(("reservationid", "reservation"), _booking("reservation")),
    **dict.fromkeys(("tableid", "table"), _TABLE),
    **dict.fromkeys(("areaid", "area"), _AREA),
    **dict.fromkeys(("waiterid", "waiter"), _WAITER),
    **dict.fromkeys(("paymentintentid", "intentid"), _INTENT),
    **dict.fromkeys(("currency", "currencycode"), lambda partner: partner.venue.currency),
    **dict.fromkeys(("amount", "paidamount"), lambda _: 1),
    "covers": lambda _: 2,
}
