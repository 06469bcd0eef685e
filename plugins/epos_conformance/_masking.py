"""
Secrets leave the suite nowhere: texts are masked where they are recorded, before anything else sees them.
"""

from __future__ import annotations

import base64
import html
import json
import re

from collections.abc import Iterable, Iterator
from urllib.parse import quote


MASK = "*****"

#: A secret of one or two characters would blank out half of every text.
_SHORTEST = 3


class Masker:
    """
    Replaces secrets, in every form they take on the way, by asterisks; what comes out can be written anywhere.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        forms: set[str] = set()
        for secret in secrets:
            if len(secret) >= _SHORTEST:
                forms.update({
                    secret,
                    quote(secret, safe=""),
                    quote(secret),
                    repr(secret)[1:-1],
                    html.escape(secret),
                    *_in_json(secret),
                })
        # The longest first: a secret may contain another.
        self._forms = sorted(forms, key=len, reverse=True)

    def __call__(self, text: str) -> str:
        for form in self._forms:
            if form in text:
                text = text.replace(form, MASK)
        # JSON may carry half a surrogate pair ("\ud800"), which no file or terminal takes.
        return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


def _in_json(secret: str) -> Iterator[str]:
    """*secret* inside a JSON text, as the usual libraries write it."""
    for text in (json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]):
        yield text
        yield text.replace("/", r"\/")  # PHP
    # .NET escapes whatever means something to HTML, a plus sign among them, which is frequent in Base64.
    careful = "".join(f"\\u{ord(each):04x}" if each in "\"&'+<>`" else json.dumps(each)[1:-1] for each in secret)
    yield _ESCAPED.sub(lambda found: rf"\u{found[1].upper()}", careful)


_ESCAPED = re.compile(r"\\u([0-9a-f]{4})")


def of_basic(credentials: str) -> list[str]:
    """
    What is secret in ``user:password``: the password, and the two as Basic authentication encodes them.
    """
    password = credentials.partition(":")[2]
    return [each for each in (password, base64.b64encode(credentials.encode()).decode()) if each]
