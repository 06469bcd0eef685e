"""
Ids of payment intents: made up, or the user's own, for an EPOS that looks each one up at Dojo.
"""

from __future__ import annotations

import os
import secrets
import string
import subprocess
import uuid

from collections.abc import Callable, Iterable, Sequence

from epos_conformance.exceptions import Inconclusive


#: Why every first payment may be refused without the EPOS being at fault.
INTENTS_HINT = (
    "an EPOS that looks payment intents up at Dojo can't find made-up ones, as ours are: name real ones under "
    "[payment-intents] in partner.toml"
)


#: How those begin that we make up.
MADE_UP = "pi_sandbox_"

_LETTERS = string.ascii_letters + string.digits

#: Seconds that the user's command may take.
MOST_SECONDS = 30.0


class Intents:
    """
    Payment intents that Dojo has never heard of.
    """

    def new(self, amount: int, currency: str, tip: int = 0) -> str:  # noqa: ARG002 - for those that care
        """
        An intent for *amount* minor units of *currency*, and a *tip*, that no payment has been recorded with yet.

        Raises `Inconclusive` where there is none.
        """
        return MADE_UP + "".join(secrets.choice(_LETTERS) for _ in range(22))

    def twin(self, id: str, amount: int, currency: str, tip: int = 0) -> str | None:  # noqa: ARG002 - likewise
        """An intent as of `new` that differs from *id* in case alone, as Dojo's may; None where none is to be had."""
        start, _, rest = id.rpartition("_")
        return f"{start}_{rest.swapcase()}"

    def unknown(self) -> str:
        """An intent that Dojo certainly has not heard of, though it has of ours."""
        return f"no-such-intent-{uuid.uuid4()}"

    def any(self, amount: int, currency: str) -> str:
        """An intent to speak of, not to pay with: it may have been used."""
        return self.new(amount, currency)


class Supplied(Intents):
    """
    The *ids* that the user names, each for one payment; *use_up* sees to that, across the processes of a run.
    """

    def __init__(self, ids: Sequence[str], use_up: Callable[[Iterable[str], str], str]) -> None:
        self._ids = ids
        self._use_up = use_up

    def new(self, amount: int, currency: str, tip: int = 0) -> str:  # noqa: ARG002 - the user's are for any amount
        return self._use_up(self._ids, "payment-intents")

    def any(self, amount: int, currency: str) -> str:  # noqa: ARG002 - likewise
        return self._ids[0]

    def twin(self, id: str, amount: int, currency: str, tip: int = 0) -> str | None:  # noqa: ARG002 - likewise
        return None


class Commanded(Intents):
    """
    What the user's *command* prints: it makes an intent for ``$AMOUNT`` minor units of ``$CURRENCY``, with a tip of
    ``$TIP``.
    """

    def __init__(self, command: Sequence[str]) -> None:
        self._command = command

    def new(self, amount: int, currency: str, tip: int = 0) -> str:
        environment = {**os.environ, "AMOUNT": str(amount), "CURRENCY": currency, "TIP": str(tip)}
        try:
            done = subprocess.run(
                self._command, env=environment, capture_output=True, text=True, timeout=MOST_SECONDS, check=False
            )
        except OSError as error:
            raise Inconclusive(f"the command for payment intents can't be run: {error}") from None
        except subprocess.TimeoutExpired:
            raise Inconclusive(f"the command for payment intents took longer than {MOST_SECONDS:g} s") from None
        if done.returncode or not done.stdout.strip():
            said = (done.stderr.strip() or "nothing").splitlines()[-1]
            raise Inconclusive(f"the command for payment intents ended with status {done.returncode}, saying: {said}")
        return done.stdout.split()[-1]

    def twin(self, id: str, amount: int, currency: str, tip: int = 0) -> str | None:  # noqa: ARG002 - the user's command makes what it makes
        return None
