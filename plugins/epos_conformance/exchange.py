"""
One call to the partner and what became of it, in a form that can be judged, shown and replayed.

The same for every transport: a check reads `Exchange.result` or `Exchange.error` and need not know which.
"""

from __future__ import annotations

import contextlib
import json
import re
import shlex

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from epos_conformance import _masking
from epos_conformance.exceptions import BrokenAnswer, Inconclusive


ERROR_TYPES = ("NotFound", "UnexpectedError", "InvalidRequest", "Conflict")

#: Headers whose values are credentials, whoever set them.
_SECRET_HEADERS = frozenset({"authorization", "proxy-authorization", "cookie", "set-cookie"})

#: How much of a body is kept in reports, in characters.
MOST_SHOWN = 20_000

_CHARSET = re.compile(r"charset=\"?([\w.:-]+)", re.IGNORECASE)


class _NotJson:
    """Stands where a body is not JSON; None is JSON's null."""

    def __bool__(self) -> bool:
        return False

    def __repr__(self) -> str:
        return "not JSON"


NOT_JSON = _NotJson()


@dataclass(frozen=True, slots=True)
class EposError:
    """
    The EPOSError of an answer, as far as it is one.
    """

    #: ``errorType`` as sent, whatever it is; None where there is none.
    type: Any
    debug_message: Any = None
    trace_id: Any = None

    def __str__(self) -> str:
        said = f": {self.debug_message}" if self.debug_message else ""
        return f"{self.type or 'an error without errorType'}{said}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """
    A request as it went out.
    """

    #: HTTP verb; for WebSocket the JSON-RPC method.
    method: str
    url: str
    headers: tuple[tuple[str, str], ...]
    body: bytes | None
    #: Whether its credentials are those that the suite was given: a replay asks for them instead of showing a mask.
    authenticated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """
    What came back, its body unpacked.
    """

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str | None:
        """The value of the header *name*, in any case; None where it is absent."""
        return next((value for key, value in self.headers if key.lower() == name), None)


@dataclass(kw_only=True)
class Exchange:
    """
    A request, and the answer or the reason that there is none.
    """

    capability: str | None
    transport: str
    sent: Sent
    answer: Answer | None = None
    #: Why there is no answer.
    failure: Inconclusive | None = None
    #: Seconds from sending to the end of the answer.
    duration: float = 0.0
    #: What happened on the way: a Retry-After waited out, a poll repeated.
    notes: list[str] = field(default_factory=list)
    mask: _masking.Masker = field(default_factory=_masking.Masker, repr=False)

    @property
    def json(self) -> Any:
        """What was answered, as JSON: the whole body. `NOT_JSON` where it is not, or there is none."""
        return self._json

    @cached_property
    def _json(self) -> Any:
        if self.answer is None or not self.answer.body:
            return NOT_JSON
        try:
            return json.loads(self.answer.body.decode("utf-8-sig"), parse_constant=no_number)
        except (ValueError, RecursionError):
            return NOT_JSON

    @property
    def status(self) -> int:
        """The HTTP status; 0 where there is no answer."""
        return self.answer.status if self.answer else 0

    @property
    def succeeded(self) -> bool:
        """Whether the partner says that it did what it was asked."""
        return 200 <= self.status < 300 and not is_error_object(self.json)

    @property
    def result(self) -> Any:
        """The result of a success; `NOT_JSON` for an error, and where a success has no JSON body."""
        return self.json if self.succeeded else NOT_JSON

    @property
    def error(self) -> EposError | None:
        """The error of an answer that is not a success."""
        if self.answer is None or self.succeeded:
            return None
        if isinstance(self.json, dict):
            return EposError(self.json.get("errorType"), self.json.get("debugMessage"), self.json.get("traceId"))
        return EposError(None)

    @property
    def crashed(self) -> bool:
        """Whether the partner answered with a server error of its own (an overload is not one), or hung up instead."""
        if self.answer is None:
            return isinstance(self.failure, BrokenAnswer)
        if self.status:
            return self.status >= 500 and self.status != 503
        return self.error is not None and self.error.type == "UnexpectedError"

    def require_answer(self) -> None:
        """Raise `Inconclusive` where the partner put off what it was asked as long as it was waited for: no answer."""
        if self.status in (429, 503):
            raise Inconclusive(f"the partner is overloaded: {self.seen}, after waiting as long as it asked")

    @property
    def refused(self) -> bool:
        """Whether the partner said no in good order: an error that is not a server error."""
        return self.answer is not None and not self.succeeded and not self.crashed

    @property
    def seen(self) -> str:
        """What came back, in a few words: status, error or the beginning of the body."""
        if self.answer is None:
            return str(self.failure)
        if self.error is not None and self.error.type is not None:
            return f"status {self.status}, {preview(str(self.error))}"
        body = preview(" ".join(self.answer.body[:400].decode("utf-8", "replace").split()), 120)
        return f"status {self.status}, {body or 'an empty body'}"

    def __getstate__(self) -> dict[str, Any]:
        # Between processes it travels in a file: without credentials.
        headers = ((name, self._header(name, value)) for name, value in self.sent.headers)
        return {**self.__dict__, "mask": _masking.Masker(), "sent": replace(self.sent, headers=tuple(headers))}

    def __str__(self) -> str:
        """One line: what was asked and how it ended."""
        asked = self._asked()
        if self.answer is None:
            return f"{asked} -> {self.mask(str(self.failure))}"
        error = self.error
        said = f" {self.mask(str(error))}" if error and error.type else ""
        return f"{asked} -> {self.status}{said} in {self.duration:.3f} s"

    def replay(self) -> str:
        """How to send the request again."""
        return self.curl()

    def curl(self) -> str:
        """A shell command that sends the request again; the credentials are read from the environment."""
        # curl makes a POST of a GET with a body unless it is told.
        named = self.sent.method != "GET" or self.sent.body is not None
        parts = ["curl", "-i"] + (["-X", self.sent.method] if named else [])
        text = shlex.join([*parts, self.mask(self.sent.url)])
        for name, value in self.sent.headers:
            lower = name.lower()
            if lower == "authorization" and self.sent.authenticated:
                text += self._credentials()
            elif lower not in _ADDED_BY_CLIENTS:
                text += f" -H {shlex.quote(f'{name}: {self._header(name, value)}')}"
        if self.sent.body is not None:
            text += f" --data-raw {shlex.quote(self.mask(_readable(self.sent.body)))}"
        return text

    def _credentials(self) -> str:
        """The arguments of curl for the credentials that the suite was given."""
        return ' -u "$PARTNER_AUTH"'

    def forget_answer(self) -> None:
        """What came back is out of date: the request is sent again."""
        self.answer = self.failure = None
        self.__dict__.pop("_json", None)

    def _header(self, name: str, value: str) -> str:
        return _masking.MASK if name.lower() in _SECRET_HEADERS else self.mask(value)

    def as_text(self, *, pretty: bool = True) -> str:
        """The whole exchange, for people: request, answer, and how to replay it; *pretty* sets JSON out in lines."""
        lines = [f"> {self._asked()}"]
        lines += [f"> {name}: {self._header(name, value)}" for name, value in self.sent.headers]
        if self.sent.body is not None:
            lines += ["", self._body(self.sent.body, pretty)]
        lines.append("")
        if self.answer is None:
            lines.append(f"< no answer: {self.mask(str(self.failure))}")
        else:
            lines.append(f"< {self._answered()}")
            lines += [f"< {name}: {self._header(name, value)}" for name, value in self.answer.headers]
            if self.answer.body:
                lines += ["", self._body(self.answer.body, pretty)]
        lines += [f"({self.mask(note)})" for note in self.notes]
        return "\n".join([*lines, "", f"replay: {self.replay()}"])

    def _asked(self) -> str:
        return f"{self.sent.method} {self.mask(self.sent.url)}"

    def _answered(self) -> str:
        return f"{self.status} in {self.duration:.3f} s"

    def _body(self, body: bytes, pretty: bool) -> str:
        text = _readable(body)
        if pretty:
            with contextlib.suppress(ValueError, RecursionError):
                text = json.dumps(json.loads(text), indent=2, ensure_ascii=False)
        return cut(self.mask(text))

    def to_json(self, *, bodies: bool = True) -> dict[str, Any]:
        """
        The exchange for machines.

        ``{capability, transport, request: {method, url, headers, body?}, answer: {status?, headers, body?} | null,
        failure?, duration, notes?, replay}``; the status is HTTP's, durations are in seconds, bodies texts, and
        everything is masked. Without *bodies* only what tells the calls apart: the certificate of a clean run stays
        small.
        """
        found: dict[str, Any] = {
            "capability": self.capability,
            "transport": self.transport,
            "request": {"method": self.sent.method, "url": self.mask(self.sent.url)},
            "answer": None,
            "duration": round(self.duration, 6),
        }
        if self.answer is not None:
            found["answer"] = {"status": self.status} if self.status else {}
        if self.failure is not None:
            found["failure"] = self.mask(str(self.failure))
        if self.notes:
            found["notes"] = [self.mask(each) for each in self.notes]
        if bodies:
            found["request"]["headers"] = self._headers(self.sent.headers)
            if self.sent.body is not None:
                found["request"]["body"] = cut(self.mask(_readable(self.sent.body)))
            if self.answer is not None:
                found["answer"]["headers"] = self._headers(self.answer.headers)
                found["answer"]["body"] = cut(self.mask(_readable(self.answer.body)))
            found["replay"] = self.replay()
        return found

    def _headers(self, headers: tuple[tuple[str, str], ...]) -> list[list[str]]:
        return [[name, self._header(name, value)] for name, value in headers]


_ADDED_BY_CLIENTS = frozenset({
    "host",
    "accept-encoding",
    "connection",
    "user-agent",
    "content-length",
    "transfer-encoding",
})


def is_error_object(value: Any) -> bool:
    """Whether *value* is an EPOSError in a result's place."""
    return isinstance(value, dict) and "errorType" in value and "id" not in value


def no_number(name: str) -> None:
    """Python's JSON takes NaN and Infinity; JSON has neither."""
    raise ValueError(name)


def _readable(body: bytes) -> str:
    return body.decode("utf-8", errors="backslashreplace")


def cut(text: str, most: int = MOST_SHOWN) -> str:
    """*text*, ended with a note where it is longer than *most* characters."""
    return text if len(text) <= most else f"{text[:most]}\n... ({len(text) - most} characters more)"


def preview(value: Any, most: int = 160) -> str:
    """*value* in one line of at most *most* characters, for findings."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= most else f"{text[: most - 3]}..."
