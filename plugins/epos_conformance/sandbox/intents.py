"""
Payment intents: captured at once unless the amount, or an instruction in the metadata, says otherwise.
"""

from __future__ import annotations

import secrets
import string

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from epos_conformance.intents import Intents
from epos_conformance.sandbox import requests
from epos_conformance.sandbox.context import context
from epos_conformance.sandbox.problems import Problem
from epos_conformance.sandbox.store import Json, Store, instant


#: Amounts in minor units that choose a status.
STATUSES = {99901: "Created", 99902: "Authorized", 99903: "Reversed", 99904: "Refunded", 99905: "Canceled"}

#: Members of the metadata that choose a status, a tip in minor units, and an id.
STATUS, TIP, ID = "sandbox-status", "sandbox-tip", "sandbox-id"

_LETTERS = string.ascii_letters + string.digits + "_-"

#: Members of a request that the answer repeats.
_REPEATED = ("description", "customer", "billingAddress", "shippingDetails", "itemLines", "taxLines", "metadata")


def new(given: Json) -> Json:
    """
    The intent that a request, which is well-formed, makes.
    """
    amount, metadata = given["amount"], given.get("metadata") or {}
    mode = given.get("captureMode", "Auto")
    tip = int(metadata[TIP]) if TIP in metadata else (given.get("tipsAmount") or {}).get("value", 0)
    now = instant()
    status = metadata.get(STATUS) or STATUSES.get(amount["value"]) or ("Captured" if mode == "Auto" else "Authorized")
    return {
        "id": metadata.get(ID) or "pi_sandbox_" + "".join(secrets.choice(_LETTERS) for _ in range(22)),
        "captureMode": mode,
        "status": status,
        "paymentMethods": ["Card"],
        "amount": amount,
        "tipsAmount": _money(tip, amount),
        "requestedAmount": amount,
        "totalAmount": _money(amount["value"] + tip, amount),
        "refundedAmount": amount["value"] + tip if status == "Refunded" else 0,
        "createdAt": now,
        "updatedAt": now,
        "reference": given["reference"],
        **{name: given[name] for name in _REPEATED if given.get(name) is not None},
    }


def _money(value: int, like: Json) -> Json:
    return {"value": value, "currencyCode": like["currencyCode"]}


def _move(intent: Json, status: str) -> None:
    intent["status"], intent["updatedAt"] = status, instant()
    intent["refundedAmount"] = intent["totalAmount"]["value"] if status == "Refunded" else 0


async def create(request: Request) -> Response:
    """``POST /payment-intents``"""
    store, account = context(request)
    given = await requests.body(request, "payment-intent")
    found = new(given)
    with store.changing(account) as kept:
        if found["id"] in kept.intents:
            raise Problem(400, errors={f"metadata.{ID}": ["There is a payment intent of this id."]})
        kept.intents[found["id"]] = found
    return JSONResponse(found)


async def show(request: Request) -> Response:
    """``GET /payment-intents/{id}``: a canceled one only where it is asked for."""
    store, account = context(request)
    canceled = request.query_params.get("returnCanceled", "").lower() == "true"
    with store.reading(account) as kept:
        found = _find(kept.intents, request)
        if found["status"] == "Canceled" and not canceled:
            raise Problem(404, "the payment intent is canceled: ask for it with returnCanceled=true")
        return JSONResponse(found)


async def cancel(request: Request) -> Response:
    """``DELETE /payment-intents/{id}``: while nothing has been captured."""
    store, account = context(request)
    with store.changing(account) as kept:
        found = _find(kept.intents, request)
        if found["status"] not in ("Created", "Authorized", "Canceled"):
            raise Problem(400, f"a payment intent that is {found['status']} can't be canceled any more")
        _move(found, "Canceled")
        return JSONResponse(found)


async def move(request: Request) -> Response:
    """``PUT /sandbox/payment-intents/{id}``: sets the status, as whatever happens at the card machine would."""
    store, account = context(request)
    given = await requests.body(request, "intent-status")
    with store.changing(account) as kept:
        found = _find(kept.intents, request)
        _move(found, given["status"])
        return JSONResponse(found)


def _find(intents: dict[str, Json], request: Request) -> Json:
    found = intents.get(request.path_params["id"])
    if found is None:
        raise Problem(404, "there is no such payment intent")
    return found


class OwnIntents(Intents):
    """
    Intents of the account's own, for the flows: captured for the amount that is about to be recorded.
    """

    def __init__(self, store: Store, account: str) -> None:
        self._store = store
        self._account = account

    def new(self, amount: int, currency: str, tip: int = 0) -> str:
        return self._create(amount, currency, tip, {})

    def twin(self, id: str, amount: int, currency: str, tip: int = 0) -> str | None:
        wanted = super().twin(id, amount, currency, tip)
        return self._create(amount, currency, tip, {ID: wanted}) if wanted else None

    def _create(self, amount: int, currency: str, tip: int, instructions: dict[str, str]) -> str:
        found = new({
            "amount": {"value": amount, "currencyCode": currency},
            "reference": "EPOS tester tool",
            # Captured, whatever the amount would stand for.
            "metadata": {STATUS: "Captured", TIP: str(max(0, tip)), **instructions},
        })
        with self._store.changing(self._account) as kept:
            kept.intents[found["id"]] = found
        return str(found["id"])
