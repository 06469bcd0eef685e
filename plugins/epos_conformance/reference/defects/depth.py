"""
Mistakes that only unusual texts show: character sets, lengths, markup, nothing at all.
"""

from __future__ import annotations

import html

from collections.abc import Callable
from typing import Any

from epos_conformance.reference.core import Call
from epos_conformance.reference.epos import ReferenceEpos
from epos_conformance.reference.faults import defect, over
from epos_conformance.reference.records import Json, Order


BOOKINGS = ("CreateParty", "UpdateParty", "CreateReservation", "UpdateReservation")
PARTIES = ("CreateParty", "UpdateParty")
RESERVATIONS = ("CreateReservation", "UpdateReservation")
KEEPERS = ("CreateOrder", *BOOKINGS)

SURVIVES = "survives-unusual-bodies"
CONTROL = "survives-control-characters"
VALUES = "keeps-unusual-values"
GUESTS = "keeps-unusual-guest-requests"
TEXTS = "keeps-unusual-texts"

#: Whoever looks at a single member may meet the same with values that tell much.
MEMBERS = ("*.keeps-*", "*.changes-*", "*.answers-*")


def every_text(value: Any, change: Callable[[str], str]) -> Any:
    """*value* with every text in it changed, ids and all that is sold excepted."""
    if isinstance(value, dict):
        return {name: each if _is_known(name, value) else every_text(each, change) for name, each in value.items()}
    if isinstance(value, list):
        return [every_text(each, change) for each in value]
    return change(value) if isinstance(value, str) else value


def _is_known(name: str, among: Json) -> bool:
    ids = name.endswith(("Id", "Ids", "Time", "At")) or name in ("id", "plu", "currencyCode", "orderType", "status")
    return ids or (name == "name" and "plu" in among)


class Rewriting(ReferenceEpos):
    """
    A till that writes texts of what it stores another way.
    """

    def rewritten(self, text: str) -> str:
        return text

    def store_order(self, body: Json) -> Order:
        return super().store_order(every_text(body, self.rewritten))

    def kept_of_party(self, body: Json) -> Json:
        return super().kept_of_party(every_text(body, self.rewritten))

    def kept_of_reservation(self, body: Json) -> Json:
        return super().kept_of_reservation(every_text(body, self.rewritten))


EVERY_TEXT = (*over(TEXTS, *KEEPERS), *over(GUESTS, *BOOKINGS))


@defect("texts-are-latin-one", breaks=EVERY_TEXT, also=MEMBERS)
class TextsAreLatinOne(Rewriting):
    """
    The columns are Latin-1, and what is not becomes a question mark.
    """

    def rewritten(self, text: str) -> str:
        return text.encode("latin-1", "replace").decode("latin-1")


@defect("texts-are-read-as-latin-one", breaks=EVERY_TEXT, also=MEMBERS)
class TextsAreReadAsLatinOne(Rewriting):
    """
    UTF-8 is stored, and read as Latin-1.
    """

    def rewritten(self, text: str) -> str:
        return text.encode().decode("latin-1")


@defect("texts-are-cut", breaks=EVERY_TEXT, also=MEMBERS)
class TextsAreCut(Rewriting):
    """
    The columns are varchar(255), and the database driver truncates in silence.
    """

    def rewritten(self, text: str) -> str:
        return text[:255]


@defect("texts-are-escaped", breaks=EVERY_TEXT, also=MEMBERS)
class TextsAreEscaped(Rewriting):
    """
    Texts are escaped for HTML on their way in instead of on their way to the screen.
    """

    def rewritten(self, text: str) -> str:
        return html.escape(text)


@defect("astral-characters-are-lost", breaks=EVERY_TEXT, also=MEMBERS)
class AstralCharactersAreLost(Rewriting):
    """
    MySQL's old utf8 has no characters of four bytes.
    """

    def rewritten(self, text: str) -> str:
        return "".join(each for each in text if ord(each) < 0x10000)


@defect("texts-are-unescaped-twice", breaks=EVERY_TEXT, also=MEMBERS)
class TextsAreUnescapedTwice(Rewriting):
    """
    What looks like an entity becomes a character.
    """

    def rewritten(self, text: str) -> str:
        return html.unescape(text)


@defect("quotes-end-the-statement", breaks=over(SURVIVES, *KEEPERS), also=["*.survives-*", *MEMBERS])
class QuotesEndTheStatement(Rewriting):
    """
    SQL is put together from texts.
    """

    def rewritten(self, text: str) -> str:
        if "'" in text:
            raise RuntimeError('syntax error at or near "s"')
        return text


@defect("percents-are-formats", breaks=over(SURVIVES, "CreateOrder"), also=MEMBERS)
class PercentsAreFormats(ReferenceEpos):
    """
    The order's note is a format string for the kitchen's printer.
    """

    def store_order(self, body: Json) -> Order:
        str(body.get("note", "")) % ()
        return super().store_order(body)


@defect("emoji-crash", breaks=over(SURVIVES, *BOOKINGS), also=MEMBERS)
class EmojiCrash(ReferenceEpos):
    """
    A name is encoded for a printer that knows no emoji, and nobody catches it.
    """

    def kept_of_party(self, body: Json) -> Json:
        _print(body)
        return super().kept_of_party(body)

    def kept_of_reservation(self, body: Json) -> Json:
        _print(body)
        return super().kept_of_reservation(body)


def _print(body: Json) -> None:
    if any(ord(each) > 0xFFFF for each in body.get("name", "")):
        raise UnicodeError("character maps to <undefined>")


@defect("reading-a-long-note-crashes", breaks=over(SURVIVES, *PARTIES), also=["*.survives-*", *MEMBERS])
class ReadingALongNoteCrashes(ReferenceEpos):
    """
    A party is stored with notes that are too long for whatever shows it again.
    """

    def get_party_by_id(self, call: Call) -> Json:
        found = super().get_party_by_id(call)
        if len(found.get("hostNotes", "")) > 256:
            raise MemoryError("the buffer is too small")
        return found


@defect("empty-texts-crash", breaks=over(SURVIVES, "CreateOrder"), also=MEMBERS)
class EmptyTextsCrash(ReferenceEpos):
    """
    The initial of a customer is looked up.
    """

    def store_order(self, body: Json) -> Order:
        if "name" in body.get("customer", {}):
            body["customer"]["name"][0].upper()
        return super().store_order(body)


@defect("nul-is-a-database-error", breaks=over(CONTROL, *KEEPERS), also=MEMBERS)
class NulIsADatabaseError(Rewriting):
    """
    PostgreSQL stores no U+0000.
    """

    def rewritten(self, text: str) -> str:
        if "\0" in text:
            raise ValueError("A string literal cannot contain NUL (0x00) characters.")
        return text


@defect("labels-are-short", breaks=over(SURVIVES, *PARTIES), also=MEMBERS)
class LabelsAreShort(ReferenceEpos):
    """
    A party's name and the host's notes are printed on one label of 500 characters.
    """

    def kept_of_party(self, body: Json) -> Json:
        if len(body.get("name", "") + body.get("hostNotes", "")) > 500:
            raise ValueError("the label is full")
        return super().kept_of_party(body)


@defect("long-guest-requests-are-read-cut", breaks=over(GUESTS, *RESERVATIONS), also=MEMBERS)
class LongGuestRequestsAreReadCut(ReferenceEpos):
    """
    Writes are answered with what was sent; the column has 255 characters.
    """

    def get_reservation_by_id(self, call: Call) -> Json:
        found = super().get_reservation_by_id(call)
        return {**found, "guestRequests": found["guestRequests"][:255]} if "guestRequests" in found else found


@defect("notes-end-with-the-line", breaks=over(TEXTS, *BOOKINGS), also=MEMBERS)
class NotesEndWithTheLine(ReferenceEpos):
    """
    Only the first line of what hosts note is read back from a file of lines.
    """

    def kept_of_party(self, body: Json) -> Json:
        return super().kept_of_party(_with_first_line(body))

    def kept_of_reservation(self, body: Json) -> Json:
        return super().kept_of_reservation(_with_first_line(body))


def _with_first_line(body: Json) -> Json:
    return {**body, "hostNotes": (body["hostNotes"].splitlines() or [""])[0]} if "hostNotes" in body else body


@defect("guest-requests-are-trimmed", breaks=over(GUESTS, *RESERVATIONS), also=MEMBERS)
class GuestRequestsAreTrimmed(ReferenceEpos):
    """
    What guests ask for is stripped of blanks.
    """

    def kept_of_reservation(self, body: Json) -> Json:
        stripped = {"guestRequests": body["guestRequests"].strip()} if "guestRequests" in body else {}
        return super().kept_of_reservation({**body, **stripped})
