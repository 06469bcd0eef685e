"""
Mistakes with the registration at Dojo, and what the EPOS tester tool finds of them.
"""

from __future__ import annotations

import socket

from collections.abc import Collection
from urllib.parse import urlsplit, urlunsplit

from epos_conformance._contracts import capabilities
from epos_conformance.reference.dojo import DojoLink, Over
from epos_conformance.reference.epos import ReferenceEpos
from epos_conformance.reference.faults import defect
from epos_conformance.reference.records import Json
from epos_conformance.reference.rest import RestShell


#: What Dojo does not find registered it does not call.
_UNCALLED = ("registration.covers-what-the-epos-offers", "flows.*")

_FAILS = "flows.ends-in-success"

_ANSWERS = "registration.registered-capabilities-answer"


class _OverRest(RestShell):
    """Says that a mistake is one of REST: over WebSocket nobody calls an address."""


# Whether there is one


@defect(
    "dojo-knows-nothing",
    breaks=["registration.can-be-retrieved", _FAILS],
    also=["registration.*"],
)
class DojoKnowsNothing(DojoLink):
    """
    Nobody has got round to registering.
    """

    def put_registration(self, over: Over, body: Json) -> None:
        pass


@defect(
    "dojo-knows-an-empty-list",
    breaks=["registration.can-be-retrieved", _FAILS],
    also=["registration.*"],
)
class DojoKnowsAnEmptyList(DojoLink):
    """
    The list of capabilities is filled after it was sent.
    """

    def names(self, offered: Collection[str]) -> list[str]:
        return []


@defect("dojo-knows-it-by-another-key", breaks=["registration.can-be-retrieved", _FAILS], also=["registration.*"])
class DojoKnowsItByAnotherKey(DojoLink):
    """
    The till registers with the key of another venue.
    """

    def registration_headers(self) -> dict[str, str]:
        return {**super().registration_headers(), "Authorization": "Basic sk_sandbox_of_another_venue"}


# What is in it


class _LacksThePlan(ReferenceEpos):
    """A till of the edition without a plan of the tables."""

    def offered(self) -> frozenset[str]:
        return super().offered() - {"ListAreas", "SearchTables"}


@defect("dojo-knows-a-plan-that-is-not", breaks=[_ANSWERS], also=["flows.*"], layers=[_LacksThePlan])
class DojoKnowsAPlanThatIsNot(DojoLink):
    """
    The whole list is registered, whatever this edition of the till can do: it has no areas and no tables.
    """

    def names(self, offered: Collection[str]) -> list[str]:
        return super().names(capabilities())


class _Adds(DojoLink):
    """A registration with more names than there are."""

    MORE: tuple[str, ...] = ()

    def names(self, offered: Collection[str]) -> list[str]:
        return [*super().names(offered), *self.MORE]


class _Leaves(DojoLink):
    """A registration that leaves something out."""

    OUT: frozenset[str] = frozenset()

    def names(self, offered: Collection[str]) -> list[str]:
        return super().names(frozenset(offered) - self.OUT)


@defect("dojo-knows-no-areas", breaks=["registration.covers-what-the-epos-offers"], also=_UNCALLED)
class DojoKnowsNoAreas(_Leaves):
    """
    ListAreas came with a later release, and nobody registered it.
    """

    OUT = frozenset({"ListAreas"})


@defect("dojo-knows-what-is-paid-at-tables", breaks=["registration.covers-what-the-epos-offers"], also=_UNCALLED)
class DojoKnowsWhatIsPaidAtTables(DojoLink):
    """
    Registered is what the first release could do, which was to be paid at the table with.
    """

    def names(self, offered: Collection[str]) -> list[str]:
        wanted = [name for name, each in capabilities().items() if each.products.get("pay-at-table") == "required"]
        return super().names(frozenset(wanted).intersection(offered))


@defect("dojo-knows-legacy-names", breaks=["registration.uses-the-current-names"])
class DojoKnowsLegacyNames(DojoLink):
    """
    Registered are the names that capabilities had when the till was written.
    """

    def names(self, offered: Collection[str]) -> list[str]:
        legacy = {name: old for each in capabilities().values() for name, old in zip(each.registered, each.legacy)}  # noqa: B905 - most have none
        return [legacy.get(each, each) for each in super().names(offered)]


@defect("dojo-knows-menus", breaks=["registration.has-no-preview-capability"], also=[_ANSWERS, "flows.*"])
class DojoKnowsMenus(_Adds):
    """
    SearchMenus is registered for the day that there is a contract.
    """

    MORE = ("SearchMenus",)


@defect("dojo-knows-what-nobody-knows", breaks=["registration.has-only-known-names"], also=[_ANSWERS, "flows.*"])
class DojoKnowsWhatNobodyKnows(_Adds):
    """
    GetOrders is registered beside the others, for want of a capability of that name.
    """

    MORE = ("GetOrders",)


@defect(
    "dojo-knows-methods", breaks=["registration.has-only-known-names"], also=[_ANSWERS, *_UNCALLED, "registration.*"]
)
class DojoKnowsMethods(DojoLink):
    """
    Registered are the methods as they are called: SearchOrdersV1, GetOrderByIdV1.
    """

    def names(self, offered: Collection[str]) -> list[str]:
        return [each.ws_method for name, each in capabilities().items() if name in offered]


@defect("dojo-knows-half-the-locks", breaks=["registration.has-the-lock-capabilities-together"], also=_UNCALLED)
class DojoKnowsHalfTheLocks(_Leaves):
    """
    CreateOrderLock is registered without what extends and deletes a lock.
    """

    OUT = frozenset({"ExtendOrderLock", "DeleteOrderLock"})


@defect("dojo-knows-a-full-version", breaks=["registration.version-is-the-documented-one"], also=["flows.*"])
class DojoKnowsAFullVersion(DojoLink):
    """
    Capabilities are registered with the version of an old example.
    """

    def capability_version(self, name: str) -> str:
        return "1.0.0"


@defect("dojo-knows-no-search", breaks=["registration.completes-a-product"], also=["registration.covers-*", "flows.*"])
class DojoKnowsNoSearch(_Leaves):
    """
    SearchOrders is not registered: the waiter knows which order it is.
    """

    OUT = frozenset({"SearchOrders"})


# Where it leads to


@defect(
    "dojo-knows-a-secret-in-the-address",
    breaks=["registration.url-is-base-or-template"],
    also=[_ANSWERS, "flows.*"],
    layers=[_OverRest],
)
class DojoKnowsASecretInTheAddress(DojoLink):
    """
    The address ends in a query with a token, which Dojo's paths are put behind.
    """

    def registered_url(self, url: str) -> str:
        return f"{url}/?token=4711"


@defect(
    "dojo-knows-a-template-of-its-own",
    breaks=["registration.url-is-base-or-template"],
    also=[_ANSWERS, "flows.*"],
    layers=[_OverRest],
)
class DojoKnowsATemplateOfItsOwn(DojoLink):
    """
    The address has a place for the venue, which Dojo has nothing to fill in with.
    """

    def registered_url(self, url: str) -> str:
        return f"{url}/{{venueId}}"


@defect(
    "dojo-knows-a-plain-address",
    breaks=["registration.url-is-https"],
    also=[_ANSWERS, "flows.*"],
    layers=[_OverRest],
)
class DojoKnowsAPlainAddress(DojoLink):
    """
    The address is the computer's name in the restaurant's network, without https.
    """

    def registered_url(self, url: str) -> str:
        parts = urlsplit(url)
        return urlunsplit(parts._replace(netloc=f"{socket.gethostname()}:{parts.port}"))


@defect("dojo-knows-a-wrong-path", breaks=[_FAILS, _ANSWERS], also=["registration.covers-*"], layers=[_OverRest])
class DojoKnowsAWrongPath(DojoLink):
    """
    The address ends in a folder that the proxy of the test system had.
    """

    def registered_url(self, url: str) -> str:
        return f"{url}/dojo"


@defect("dojo-knows-an-old-password", breaks=[_FAILS], also=[_ANSWERS], layers=[_OverRest])
class DojoKnowsAnOldPassword(DojoLink):
    """
    The password was changed after the till had been registered.
    """

    def registered_auth(self, auth: str) -> Json:
        user, _, password = auth.partition(":")
        return super().registered_auth(f"{user}:{password}-of-last-year")
