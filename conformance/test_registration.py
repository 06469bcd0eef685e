"""
What is registered at Dojo, and whether it agrees with the EPOS behind it: Dojo calls what is registered, nothing else.
"""

from __future__ import annotations

import ipaddress
import re

from collections.abc import Callable, Iterable
from urllib.parse import urlsplit

from epos_conformance import Finding, Inconclusive, NotOffered, Violation, _contracts, _offer, _offer_ws, check
from epos_conformance._offer import Offer
from epos_conformance.dojo import registration
from epos_conformance.dojo.registration import ALSO_CALLED, Registered, Registration
from epos_conformance.dojo.side import Dojo
from epos_conformance.exchange import Exchange
from epos_conformance.rest import RestTransport
from epos_conformance.websocket.transport import WebSocketTransport


LOCKS = ("CreateOrderLock", "ExtendOrderLock", "DeleteOrderLock")

#: A template names what Dojo fills in.
PLACE = re.compile(r"\{([^{}]*)\}")


def registered(dojo: Dojo) -> list[Registration]:
    """
    What is registered, over each transport. Raises `NotOffered` where nothing is: that is a rule of its own.
    """
    found = [each for each in registration.read(dojo.api) if each.capabilities]
    if not found:
        raise NotOffered("nothing is registered")
    return found


def require_none(dojo: Dojo, expected: str, fault: Callable[[Registered], str | None]) -> None:
    """No registered capability has a *fault*, which says what is seen of it."""
    findings = [
        Finding(f"registered over {each.transport}, {one.name}", expected, said)
        for each in registered(dojo)
        for one in each.capabilities
        if (said := fault(one)) is not None
    ]
    if findings:
        raise Violation(*findings)


@check("registration.can-be-retrieved")
def test_can_be_retrieved(dojo: Dojo) -> None:
    """Something is registered, and can be retrieved."""
    found = registration.read(dojo.api)
    if not any(each.capabilities for each in found):
        raise Violation(
            Finding("GET /epos/integrations", "the capabilities of the EPOS", "none, over REST and over WebSocket"),
            hint="the EPOS, or you, have not registered yet: PUT /epos/integrations/rest or /ws, or --register",
        )


@check("registration.has-only-known-names")
def test_has_only_known_names(dojo: Dojo) -> None:
    """Every name is one that Dojo documents: current, legacy or preview."""
    known = [*_contracts.names(), *_contracts.PREVIEW, *ALSO_CALLED]

    def fault(one: Registered) -> str | None:
        return None if one.name in known else f"{one.name!r}, which Dojo will never call"

    require_none(dojo, "a documented name", fault)


@check("registration.has-no-preview-capability")
def test_has_no_preview_capability(dojo: Dojo) -> None:
    """What has no published contract can't be relied on."""

    def fault(one: Registered) -> str | None:
        return f"{one.name!r}, a preview" if one.name in _contracts.PREVIEW else None

    require_none(dojo, "a capability with a published contract", fault)


@check("registration.uses-the-current-names")
def test_uses_the_current_names(dojo: Dojo) -> None:
    """A legacy name means the same, for now."""

    def fault(one: Registered) -> str | None:
        name = one.canonical
        if name is None or one.name in _contracts.capabilities()[name].registered:
            return None
        return f"{one.name!r}, a legacy name of {name}"

    require_none(dojo, "the current name", fault)


@check("registration.version-is-the-documented-one")
def test_version_is_the_documented_one(dojo: Dojo) -> None:
    """The guide has v1; examples have 1.0.0 too."""

    def fault(one: Registered) -> str | None:
        return None if one.version == registration.VERSION else f"version {one.version!r}"

    require_none(dojo, f"version {registration.VERSION!r}", fault)


@check("registration.has-the-lock-capabilities-together")
def test_has_the_lock_capabilities_together(dojo: Dojo) -> None:
    """One lock capability without the others switches a locking flow on that can't work."""
    for each in registered(dojo):
        have = [name for name in LOCKS if name in each.names]
        if have and len(have) < len(LOCKS):
            lacking = ", ".join(name for name in LOCKS if name not in have)
            raise Violation(
                Finding(f"registered over {each.transport}", "all three lock capabilities, or none", f"no {lacking}")
            )


@check("registration.url-is-https")
def test_url_is_https(dojo: Dojo) -> None:
    """Orders and credentials travel there; on one's own machine anything goes."""
    for each in urls(dojo):
        parts = urlsplit(each)
        if parts.scheme != "https" and not _on_this_machine(parts.hostname or ""):
            raise Violation(Finding("the registered url", "https://...", repr(each)))


@check("registration.url-is-base-or-template")
def test_url_is_base_or_template(dojo: Dojo) -> None:
    """A base URL that paths come after, or a template that Dojo fills in."""
    known = {each.name.lower() for one in _contracts.capabilities().values() for each in one.ids}
    for each in urls(dojo):
        try:
            parts = urlsplit(each)
            parts.port  # noqa: B018 - reading it is what checks it
        except ValueError as error:
            raise Violation(Finding("the registered url", "a URL", f"{each!r}: {error}")) from None
        unknown = [place for place in PLACE.findall(each) if place.lower() not in known]
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise Violation(Finding("the registered url", "an http(s) URL with a host", repr(each)))
        if unknown:
            raise Violation(
                Finding("the registered url", "places of ids, as {orderId}", f"{{{unknown[0]}}} in {each!r}")
            )
        if parts.fragment or (parts.query and not PLACE.search(parts.query)):
            raise Violation(Finding("the registered url", "no query or fragment, as paths come after it", repr(each)))


def urls(dojo: Dojo) -> list[str]:
    """The URLs registered for REST."""
    found = [each.url for each in registered(dojo) if each.url is not None]
    if not found:
        raise NotOffered("nothing is registered over REST")
    return found


def _on_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@check("registration.registered-capabilities-answer")
def test_registered_capabilities_answer(dojo: Dojo) -> None:
    """Asked as Dojo asks, by calls that change nothing, the EPOS knows all that is registered."""
    findings = []
    for each, offer in answering(dojo):
        require_answers(dojo, each, offer)
        for name in each.names:
            said = offer.said.get(name) if name not in (*offer.capabilities, *offer.unsure) else None
            if name in offer.unsure:
                said = not_found(dojo, each.transport, name)
            if said is None:
                continue  # or not asked: --read-only
            dojo.exchanges.append(said)
            findings.append(Finding(f"{name} over {each.transport}", "an answer of the EPOS Data API", said.seen))
    if findings:
        raise Violation(*findings)


def require_answers(dojo: Dojo, each: Registration, offer: Offer) -> None:
    """Raise `Violation` where nothing at the registered address answers like an EPOS, unlike at the one examined."""
    if offer.blocked is None:
        return
    examined = dojo.partner(each.transport).transport.url
    dojo.exchanges += [*offer.said.values()][-1:]
    raise Violation(
        Finding(f"the registered url, {each.url!r}", "an EPOS", offer.blocked),
        hint=f"Dojo calls the registered url; the EPOS that is examined here is at {examined}",
    )


def not_found(dojo: Dojo, transport: str, name: str) -> Exchange | None:
    """What the EPOS says where it doesn't find, by the capability *name*, what it shows by others; None elsewhere."""
    capability, partner = _contracts.capabilities()[name], dojo.partner(transport)
    if "reads-by-id" not in capability.selectors:
        return None
    try:
        exchange = partner.call(name, partner.ids(capability))
    except Inconclusive:
        return None
    return exchange if exchange.error is not None and exchange.error.type == "NotFound" else None


@check("registration.covers-what-the-epos-offers")
def test_covers_what_the_epos_offers(dojo: Dojo) -> None:
    """What isn't registered is never called, however well it works."""
    findings = [
        Finding(f"registered over {each.transport}", f"{name}, which the EPOS answers", "no such capability")
        for each, offer in answering(dojo)
        for name in offer.capabilities
        if name not in each.names
    ]
    if findings:
        raise Violation(*findings)


def answering(dojo: Dojo) -> Iterable[tuple[Registration, Offer]]:
    """
    Each registration of a transport that is examined here, with what the EPOS answers over it: at the registered
    address, where that can be reached from here.
    """
    found, why = [], ""
    for each in registered(dojo):
        try:
            transport = dojo.partner(each.transport).transport
        except Inconclusive as error:
            why = str(error)
            continue
        if isinstance(transport, WebSocketTransport):
            offer = _offer_ws.probe(dojo.settings, transport)
        else:
            assert isinstance(transport, RestTransport)
            offer = elsewhere(dojo, each, transport) or _offer.probe(dojo.settings, transport)
        # Where nothing is answered at all, that is told of the address that was named for the run.
        if offer.blocked is not None and (each.url is None or not answers(offer) or refused(offer)):
            why = offer.blocked
        else:
            found.append((each, offer))
    if not found:
        raise Inconclusive(why)
    return found


def elsewhere(dojo: Dojo, each: Registration, examined: RestTransport) -> Offer | None:
    """What answers at the registered address; None where that is the one examined, or can't be asked from here."""
    if each.url is None or PLACE.search(each.url) or each.url.rstrip("/") == examined.url:
        return None
    there = RestTransport(dojo.settings, each.url.rstrip("/"), examined.auth)
    try:
        offer = _offer.probe(dojo.settings, there)
    finally:
        there.close()
    # Dojo gets to places that this machine may not, and with a password of its own.
    return offer if answers(offer) and not refused(offer) else None


def answers(offer: Offer) -> bool:
    """Whether anything was answered."""
    return any(each.answer is not None for each in offer.said.values())


def refused(offer: Offer) -> bool:
    """Whether the credentials were refused."""
    return bool(offer.said) and all(each.status in (401, 403) for each in offer.said.values() if each.answer)


@check("registration.completes-a-product")
def test_completes_a_product(dojo: Dojo) -> None:
    """Any subset is fine for its own sake; a product takes all that it requires."""
    names = {name for each in registered(dojo) for name in each.names}
    lacking = {
        product: [
            each.name for each, need in _contracts.members_of(product) if need == "required" and each.name not in names
        ]
        for product in _contracts.products()
    }
    asked = [product for product in dojo.settings.products if lacking[product]]
    if not asked and all(lacking.values()):
        asked = [min(lacking, key=lambda product: len(lacking[product]))]
    if asked:
        raise Violation(
            *(
                Finding(f"registered for {each}", "all that it takes", f"no {', '.join(lacking[each])}")
                for each in asked
            )
        )
