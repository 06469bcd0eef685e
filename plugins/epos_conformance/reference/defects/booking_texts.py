"""
Mistakes with what is written of parties and reservations alike: notes, requests, and times with an offset.
"""

from __future__ import annotations

import html

from datetime import datetime, timedelta

from epos_conformance.reference.core import Call
from epos_conformance.reference.epos import ReferenceEpos
from epos_conformance.reference.errors import invalid
from epos_conformance.reference.faults import defect, over
from epos_conformance.reference.records import Json
from epos_conformance.reference.times import parse_time


_CREATIONS = ("CreateParty", "CreateReservation")
_UPDATES = ("UpdateParty", "UpdateReservation")

#: What follows where a text is altered whenever it is written.
_WRITTEN = (
    "*.keeps-unusual-*",
    *over("answers-*", *_UPDATES),
    *over("changes-the-*", *_UPDATES),
    *over("keeps-the-*", *_CREATIONS),
    "SearchParties.rows-agree-*",
    "SearchReservations.rows-agree-*",
)

_NOTES = (*over("keeps-the-host-notes", *_CREATIONS), *over("changes-the-host-notes", *_UPDATES))
_REQUESTS = (*over("keeps-the-guest-requests", *_CREATIONS), *over("changes-the-guest-requests", *_UPDATES))
_OFFSETS = over("keeps-the-instant-of-an-offset-time", *_CREATIONS, *_UPDATES)


class _Texts(ReferenceEpos):
    """
    An EPOS that does something with the texts that it keeps.
    """

    def kept_of_party(self, body: Json) -> Json:
        return self.written(super().kept_of_party(body))

    def kept_of_reservation(self, body: Json) -> Json:
        return self.written(super().kept_of_reservation(body))

    def written(self, given: Json) -> Json:
        given = dict(given)
        if "hostNotes" in given:
            given["hostNotes"] = self.note(given["hostNotes"])
        if "guestRequests" in given:
            given["guestRequests"] = self.wish(given["guestRequests"])
        return given

    def note(self, text: str) -> str:
        return text

    def wish(self, text: str) -> str:
        return text


@defect("notes-are-cut", breaks=_NOTES, also=_WRITTEN)
class NotesAreCut(_Texts):
    """
    Notes have 255 characters.
    """

    def note(self, text: str) -> str:
        return text[:255]


@defect("notes-have-no-tags", breaks=over("keeps-the-host-notes", *_CREATIONS), also=_WRITTEN)
class NotesHaveNoTags(_Texts):
    """
    What looks like a tag is taken out of notes before they are shown in a browser.
    """

    def note(self, text: str) -> str:
        return text.replace("<", "").replace(">", "")


@defect("notes-go-under-the-requests", breaks=over("keeps-the-host-notes", *_CREATIONS), also=[*_WRITTEN, "*.drops-*"])
class NotesGoUnderTheRequests(_Texts):
    """
    There is one field for notes and requests.
    """

    def written(self, given: Json) -> Json:
        joined = "; ".join(given[name] for name in ("hostNotes", "guestRequests") if name in given)
        rest = {name: each for name, each in given.items() if name != "hostNotes"}
        return {**rest, "guestRequests": joined} if joined else rest


@defect("requests-are-trimmed", breaks=over("keeps-the-guest-requests", *_CREATIONS), also=_WRITTEN)
class RequestsAreTrimmed(_Texts):
    """
    Blanks around what guests wrote are taken for slips.
    """

    def wish(self, text: str) -> str:
        return text.strip()


@defect("requests-are-escaped", breaks=_REQUESTS, also=_WRITTEN)
class RequestsAreEscaped(_Texts):
    """
    What guests wrote is escaped for the web page when it is stored, not when it is shown.
    """

    def wish(self, text: str) -> str:
        return html.escape(text)


@defect("requests-are-unescaped", breaks=over("keeps-the-guest-requests", *_CREATIONS), also=_WRITTEN)
class RequestsAreUnescaped(_Texts):
    """
    What guests wrote is unescaped though nobody escaped it.
    """

    def wish(self, text: str) -> str:
        return html.unescape(text)


@defect("requests-are-cut", breaks=over("keeps-the-guest-requests", *_CREATIONS), also=_WRITTEN)
class RequestsAreCut(_Texts):
    """
    What guests wrote has 500 characters.
    """

    def wish(self, text: str) -> str:
        return text[:500]


@defect("requests-are-one-line", breaks=_REQUESTS, also=_WRITTEN)
class RequestsAreOneLine(_Texts):
    """
    What guests wrote goes into a field that has one line.
    """

    def wish(self, text: str) -> str:
        return text.replace("\n", " ")


@defect("requests-lose-their-emoji", breaks=_REQUESTS, also=_WRITTEN)
class RequestsLoseTheirEmoji(_Texts):
    """
    The database has the UTF-8 of three bytes.
    """

    def wish(self, text: str) -> str:
        return "".join(each if ord(each) < 0x10000 else "?" for each in text)


@defect("requests-with-emoji-crash", breaks=over("keeps-the-guest-requests", *_CREATIONS), also=[*_WRITTEN, "*"])
class RequestsWithEmojiCrash(_Texts):
    """
    A character outside the basic plane is more than the driver of the database can take.
    """

    def wish(self, text: str) -> str:
        if any(ord(each) >= 0x10000 for each in text):
            raise UnicodeError("Incorrect string value")
        return text


@defect("requests-are-a-number", breaks=over("changes-the-guest-requests", *_UPDATES), also=_WRITTEN)
class RequestsAreANumber(_Texts):
    """
    A text that says 0 is no text in the language that this is written in.
    """

    def written(self, given: Json) -> Json:
        return {name: each for name, each in given.items() if name != "guestRequests" or each != "0"}


# Times with an offset


class _Times(ReferenceEpos):
    """
    An EPOS that reads the times of a request in its own way.
    """

    def kept_of_party(self, body: Json) -> Json:
        return super().kept_of_party(self.reread(body))

    def kept_of_reservation(self, body: Json) -> Json:
        return super().kept_of_reservation(self.reread(body))

    def reread(self, body: Json) -> Json:
        return {name: self.local(each) if name.endswith("Time") else each for name, each in body.items()}

    def local(self, time: str) -> str:
        return time


@defect("offsets-are-dropped", breaks=_OFFSETS, also=["*.keeps-unusual-*"])
class OffsetsAreDropped(_Times):
    """
    The offset of a time is left to the library, which leaves it out.
    """

    def local(self, time: str) -> str:
        return f"{datetime.fromisoformat(time).replace(tzinfo=None).isoformat()}Z"


@defect("offsets-are-whole-hours", breaks=_OFFSETS, also=["*.keeps-unusual-*"])
class OffsetsAreWholeHours(_Times):
    """
    There are no half hours in the offset of a time.
    """

    def local(self, time: str) -> str:
        return time if time.endswith("Z") else f"{time[:-3]}:00"


@defect(
    "offsets-count-the-wrong-way",
    breaks=over("keeps-the-instant-of-an-offset-time", *_CREATIONS),
    also=["*.keeps-unusual-*", *_OFFSETS],
)
class OffsetsCountTheWrongWay(_Times):
    """
    An offset is added where it has to be subtracted.
    """

    def local(self, time: str) -> str:
        found = datetime.fromisoformat(time)
        twice = 2 * (found.utcoffset() or timedelta())
        return (found + twice).isoformat()


@defect("times-need-a-z", breaks=_OFFSETS, also=["SearchReservations.reads-times-with-an-offset"])
class TimesNeedAZ(ReferenceEpos):
    """
    A time that does not end in Z is no time.
    """

    def validate(self, call: Call) -> None:
        super().validate(call)
        if call.capability.page in ("parties", "reservations"):
            for name, each in call.body.items():
                if name.endswith("Time") and not each.upper().endswith("Z"):
                    raise invalid(f"{name}: {each!r} is not in the form yyyy-MM-ddTHH:mm:ss.fffZ")


@defect(
    "updates-drop-offsets",
    breaks=over("keeps-the-instant-of-an-offset-time", *_UPDATES),
    also=["*.keeps-unusual-*"],
)
class UpdatesDropOffsets(ReferenceEpos):
    """
    An update has a parser of its own, which knows no offsets.
    """

    def perform(self, call: Call) -> object:
        if call.capability.name in _UPDATES:
            for name, each in list(call.body.items()):
                if name.endswith("Time") and not each.endswith("Z"):
                    call.body[name] = f"{parse_time(each[:23] + 'Z').isoformat()}"
        return super().perform(call)
