"""
Secrets leave the suite nowhere: texts are masked where they are recorded, before anything else sees them.
"""

from __future__ import annotations

import base64
import json

from collections.abc import Iterable
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
                    json.dumps(secret)[1:-1],
                    repr(secret)[1:-1],
                })
        # The longest first: a secret may contain another.
        self._forms = sorted(forms, key=len, reverse=True)

    def __call__(self, text: str) -> str:
        for form in self._forms:
            if form in text:
                text = text.replace(form, MASK)
        # JSON may carry half a surrogate pair ("\ud800"), which no file or terminal takes.
        return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


def of_basic(credentials: str) -> list[str]:
    """
    What is secret in ``user:password``: the password, and the two as Basic authentication encodes them.
    """
    password = credentials.partition(":")[2]
    return [each for each in (password, base64.b64encode(credentials.encode()).decode()) if each]
