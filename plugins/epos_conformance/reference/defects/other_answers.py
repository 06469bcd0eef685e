"""
Mistakes in what pages, tables, areas, parties, reservations and acknowledgements look like.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from epos_conformance._contracts import Capability
from epos_conformance.reference.core import Call
from epos_conformance.reference.defects.groups import (
    PARTIES,
    PARTY_ANSWERS,
    RESERVATION_ANSWERS,
    RESERVATIONS,
    SEARCHES,
)
from epos_conformance.reference.epos import ReferenceEpos
from epos_conformance.reference.faults import defect, over
from epos_conformance.reference.paging import Row
from epos_conformance.reference.records import Booking, Json
from epos_conformance.reference.rest import RestShell


@defect(
    "answers-in-an-envelope",
    # Where nothing is understood, little can be set up to be answered.
    breaks=over("answer-matches-schema", *SEARCHES, "ListAreas", "CreateOrder"),
    also=["*"],
)
class AnswersInAnEnvelope(ReferenceEpos):
    """
    Every answer comes in the envelope that the company's own apps expect.
    """

    def perform(self, call: Call) -> Any:
        return {"success": True, "data": super().perform(call)}


class _Page(ReferenceEpos):
    """
    A search whose finished page is gone over once more.
    """

    def page(self, kind: str, rows: Sequence[tuple[int, Row]], cursor: Json, present: Callable[[Row], Any]) -> Json:
        return self.finished(super().page(kind, rows, cursor, present))

    def finished(self, page: Json) -> Json:
        return page


@defect("pages-of-results", breaks=over("answer-matches-schema", *SEARCHES), also=["*"])
class PagesOfResults(_Page):
    """
    The rows of a page are called results.
    """

    def finished(self, page: Json) -> Json:
        return {("results" if name == "data" else name): value for name, value in page.items()}


@defect("empty-pages-are-null", breaks=["*.no-match-is-an-empty-page"], also=over("answer-matches-schema", *SEARCHES))
class EmptyPagesAreNull(_Page):
    """
    A list that nothing was added to is sent as null.
    """

    def finished(self, page: Json) -> Json:
        return {**page, "data": page["data"] or None}


@defect("cursors-are-null-at-the-ends", breaks=over("answer-matches-schema", *SEARCHES), also=["Search*"])
class CursorsAreNullAtTheEnds(_Page):
    """
    Before the first page and after the last the cursors are null.
    """

    def finished(self, page: Json) -> Json:
        return {"before": None, "after": None, **page}


@defect("cursors-are-numbers", breaks=over("answer-matches-schema", "SearchOrders"), also=["Search*"])
class CursorsAreNumbers(_Page):
    """
    The cursors of a page are row numbers.
    """

    def finished(self, page: Json) -> Json:
        return {name: (abs(hash(value)) % 1000 if name != "data" else value) for name, value in page.items()}


@defect("table-ids-are-numbers", breaks=over("answer-matches-schema", "SearchTables"), also=["SearchTables.*"])
class TableIdsAreNumbers(ReferenceEpos):
    """
    Tables are identified by the key of their row in the database.
    """

    def present_table(self, table: Json) -> Json:
        return {**super().present_table(table), "id": self.venue.tables.index(table) + 1}


@defect("tables-without-names", breaks=over("answer-matches-schema", "SearchTables"), also=["SearchTables.*"])
class TablesWithoutNames(ReferenceEpos):
    """
    A table that is called like its number has no name.
    """

    def present_table(self, table: Json) -> Json:
        return {name: value for name, value in table.items() if name != "name" or not value.isdigit()}


@defect("areas-in-a-page", breaks=over("answer-matches-schema", "ListAreas"), also=["ListAreas.*", "SearchTables.*"])
class AreasInAPage(ReferenceEpos):
    """
    ListAreas answers a page like the searches do.
    """

    def list_areas(self, call: Call) -> list[Json]:
        return {"data": super().list_areas(call)}  # type: ignore[return-value]


@defect(
    "area-ids-are-missing", breaks=over("answer-matches-schema", "ListAreas"), also=["ListAreas.*", "SearchTables.*"]
)
class AreaIdsAreMissing(ReferenceEpos):
    """
    Areas are told by name alone.
    """

    def present_area(self, area: Json) -> Json:
        return {"name": area["name"]}


@defect(
    "one-table-is-no-list",
    breaks=over("answer-matches-schema", *PARTY_ANSWERS, *RESERVATION_ANSWERS),
    also=[*PARTIES, *RESERVATIONS],
)
class OneTableIsNoList(ReferenceEpos):
    """
    A list of one is sent as that one, as converters from XML do it.
    """

    def present_party(self, party: Booking) -> Json:
        return _unlisted(super().present_party(party))

    def present_reservation(self, reservation: Booking) -> Json:
        return _unlisted(super().present_reservation(reservation))


def _unlisted(shown: Json) -> Json:
    return {**shown, "tableIds": shown["tableIds"][0]} if len(shown["tableIds"]) == 1 else shown


@defect(
    "covers-are-texts",
    breaks=over("answer-matches-schema", *RESERVATION_ANSWERS, "SearchParties"),
    also=[*PARTIES, *RESERVATIONS],
)
class CoversAreTexts(ReferenceEpos):
    """
    covers is sent as it stands on the booking sheet.
    """

    def present_party(self, party: Booking) -> Json:
        shown = super().present_party(party)
        return {**shown, "covers": f"{shown['covers']}"} if "covers" in shown else shown

    def present_reservation(self, reservation: Booking) -> Json:
        shown = super().present_reservation(reservation)
        return {**shown, "covers": f"{shown['covers']}"}


@defect("party-keeps-no-status", breaks=over("answer-matches-schema", "CreateParty"), also=PARTIES)
class PartyKeepsNoStatus(ReferenceEpos):
    """
    A party that was made without a status has none.
    """

    def new_party(self, body: Json) -> Json:
        return self.kept_of_party(body)


@defect("manual-capture-crashes", breaks=over("answer-matches-schema", "HandleEvent"), also=["HandleEvent.*"])
class ManualCaptureCrashes(ReferenceEpos):
    """
    An event about a payment intent that is captured by hand crashes: nobody had seen one.
    """

    def note_event(self, event: Json) -> None:
        {"Auto": super().note_event}[event["data"]["captureMode"]](event)


@defect(
    "deletions-crash",
    breaks=over("answer-matches-schema", "DeletePartyById", "DeleteReservationById"),
    also=["DeletePartyById.*", "DeleteReservationById.*", "UpdateParty.*", "UpdateReservation.*"],
)
class DeletionsCrash(ReferenceEpos):
    """
    What is deleted is looked for once more, to log it.
    """

    def remove_party(self, party: Booking) -> None:
        super().remove_party(party)
        self.parties[party.id]

    def remove_reservation(self, reservation: Booking) -> None:
        super().remove_reservation(reservation)
        self.reservations[reservation.id]


@defect(
    "areas-are-a-web-page",
    breaks=[*over("answer-matches-schema", "ListAreas"), "rest.answers-as-json"],
    also=["ListAreas.*", "SearchTables.areas-are-listed"],
)
class AreasAreAWebPage(RestShell):
    """
    ListAreas of the staging server answers with a sign-in page.
    """

    async def call(self, request: Request, capability: Capability, ids: Any) -> Response:
        if capability.name == "ListAreas":
            return HTMLResponse("<html><body><h1>Please sign in</h1></body></html>")
        return await super().call(request, capability, ids)


@defect(
    "answers-are-latin-1",
    breaks=over("answer-matches-schema", "SearchTables", "ListAreas"),
    also=["*"],
)
class AnswersAreLatin1(RestShell):
    """
    Answers are in the code page of the till.
    """

    def json(self, value: Any, status: int, headers: Any = None) -> Response:
        utf8 = super().json(value, status, headers)
        content = bytes(utf8.body).decode().encode("latin-1", "replace")
        return Response(content, status, headers, "application/json")
