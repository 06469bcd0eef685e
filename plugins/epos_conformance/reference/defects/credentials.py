"""
Mistakes with who is let in.
"""

from __future__ import annotations

from base64 import b64decode
from contextlib import suppress

from starlette.requests import Request
from starlette.responses import Response

from epos_conformance.reference.errors import EposError, invalid
from epos_conformance.reference.faults import defect
from epos_conformance.reference.rest import RestShell, Target


_MISSING = "rest.refuses-missing-credentials"
_PASSWORD = "rest.refuses-a-wrong-password"  # noqa: S105 - the id of a rule
_USER = "rest.refuses-a-wrong-username"
_SCHEME = "rest.refuses-another-scheme"
_UNCHANGED = "rest.strangers-change-nothing"


@defect("everybody-is-let-in", breaks=[_MISSING, _PASSWORD, _USER, _SCHEME])
class EverybodyIsLetIn(RestShell):
    """
    Credentials are switched off, as they were during development.
    """

    def is_authorized(self, request: Request, target: Target) -> bool:
        return True


@defect("events-are-public", breaks=[_MISSING, _PASSWORD, _USER, _SCHEME])
class EventsArePublic(RestShell):
    """
    The controller of one endpoint lacks the attribute that asks for credentials.
    """

    def is_authorized(self, request: Request, target: Target) -> bool:
        if target.capability is not None and target.capability.name == "HandleEvent":
            return True
        return super().is_authorized(request, target)


@defect("reading-is-public", breaks=[_MISSING, _PASSWORD, _USER, _SCHEME])
class ReadingIsPublic(RestShell):
    """
    A GET needs no credentials.
    """

    def is_authorized(self, request: Request, target: Target) -> bool:
        return request.method == "GET" or super().is_authorized(request, target)


@defect("no-header-is-no-check", breaks=[_MISSING])
class NoHeaderIsNoCheck(RestShell):
    """
    Credentials are examined where there are some.
    """

    def is_authorized(self, request: Request, target: Target) -> bool:
        return "authorization" not in request.headers or super().is_authorized(request, target)


@defect("any-password-will-do", breaks=[_PASSWORD])
class AnyPasswordWillDo(RestShell):
    """
    Only the user name is compared.
    """

    def is_known(self, user: str, password: str) -> bool:
        return user == self.user


@defect("passwords-in-any-case", breaks=[_PASSWORD])
class PasswordsInAnyCase(RestShell):
    """
    Credentials are looked up in a table whose collation knows no case.
    """

    def is_known(self, user: str, password: str) -> bool:
        return super().is_known(user, password.lower()) or super().is_known(user, password)


@defect("passwords-begin-alike", breaks=[_PASSWORD])
class PasswordsBeginAlike(RestShell):
    """
    As many letters are compared as were sent.
    """

    def is_known(self, user: str, password: str) -> bool:
        return super().is_known(user, password) or (user == self.user and self.password.startswith(password or " "))


@defect("passwords-are-cut", breaks=[_PASSWORD])
class PasswordsAreCut(RestShell):
    """
    The column of the password is as wide as the password is, and what is sent is cut to its width.
    """

    def is_known(self, user: str, password: str) -> bool:
        return super().is_known(user, password[: len(self.password)])


@defect("no-password-is-no-check", breaks=[_PASSWORD])
class NoPasswordIsNoCheck(RestShell):
    """
    The password is compared where there is one.
    """

    def is_known(self, user: str, password: str) -> bool:
        return super().is_known(user, password or self.password)


@defect("any-user-will-do", breaks=[_USER])
class AnyUserWillDo(RestShell):
    """
    Only the password is compared.
    """

    def is_known(self, user: str, password: str) -> bool:
        return password == self.password


@defect("any-credentials-will-do", breaks=[_PASSWORD, _USER])
class AnyCredentialsWillDo(RestShell):
    """
    It is enough to have a user name and a password.
    """

    def is_known(self, user: str, password: str) -> bool:
        return True


@defect("bearer-will-do", breaks=[_SCHEME])
class BearerWillDo(RestShell):
    """
    Whoever bears a token is let in: the gateway in front is said to have examined it.
    """

    def credentials(self, header: str | None) -> tuple[str, str] | None:
        if header is not None and header.lower().startswith("bearer "):
            return self.user, self.password
        return super().credentials(header)


@defect("scheme-is-ignored", breaks=[_SCHEME])
class SchemeIsIgnored(RestShell):
    """
    The last word of the header is decoded, whatever comes before it.
    """

    def credentials(self, header: str | None) -> tuple[str, str] | None:
        with suppress(ValueError, IndexError, AttributeError):
            user, _, password = b64decode(str(header).split()[-1]).decode().partition(":")
            return user, password
        return None


class CarriedOutFirst(RestShell):
    """
    The credentials are examined by what writes the answer.
    """

    #: What is carried out for strangers: names of capabilities.
    carried_out: tuple[str, ...] = ()

    async def respond(self, request: Request) -> Response:
        target = self.find(request.method, self.path_of(request))
        response = await super().respond(request)
        if target.capability is not None and target.capability.name in self.carried_out and response.status_code == 401:
            with suppress(EposError):
                await self.call(request, target.capability, target.ids)
        return response


@defect("strangers-are-served-first", breaks=[_UNCHANGED])
class StrangersAreServedFirst(CarriedOutFirst):
    """
    The filter for credentials is behind what carries requests out.
    """

    carried_out = (
        "CreateOrder",
        "RecordOrderPaymentById",
        "CancelOrderById",
        "CreateParty",
        "UpdateParty",
        "DeletePartyById",
        "CreateReservation",
        "UpdateReservation",
        "DeleteReservationById",
    )


@defect("strangers-pay", breaks=[_UNCHANGED])
class StrangersPay(CarriedOutFirst):
    """
    A payment is recorded first, so that none is ever lost.
    """

    carried_out = ("RecordOrderPaymentById",)


@defect("strangers-order", breaks=[_UNCHANGED])
class StrangersOrder(CarriedOutFirst):
    """
    An order is stored when its request comes, and examined afterwards.
    """

    carried_out = ("CreateOrder",)


@defect("strangers-cancel", breaks=[_UNCHANGED])
class StrangersCancel(CarriedOutFirst):
    """
    An order is canceled before it is known who wants that.
    """

    carried_out = ("CancelOrderById",)


@defect("missing-header-crashes", breaks=[_MISSING])
class MissingHeaderCrashes(RestShell):
    """
    A request without Authorization ends in a server error.
    """

    def is_authorized(self, request: Request, target: Target) -> bool:
        request.headers["authorization"]
        return super().is_authorized(request, target)


@defect("strangers-get-bad-request", breaks=[_MISSING, _PASSWORD, _USER, _SCHEME])
class StrangersGetBadRequest(RestShell):
    """
    Wrong credentials are answered with status 400.
    """

    def unauthorized(self) -> Response:
        return self.failure(invalid("who are you?"), None)


@defect("strangers-get-ok", breaks=[_MISSING, _PASSWORD, _USER, _SCHEME])
class StrangersGetOk(RestShell):
    """
    Wrong credentials are answered with status 200 and an error in the body.
    """

    def unauthorized(self) -> Response:
        return self.json(self.epos.error_body(invalid("who are you?")), 200)


@defect("strangers-are-sent-to-sign-in", breaks=[_MISSING, _PASSWORD, _USER, _SCHEME], also=["rest.answers-as-json"])
class StrangersAreSentToSignIn(RestShell):
    """
    Wrong credentials are answered with a redirect to the page where people sign in.
    """

    def unauthorized(self) -> Response:
        return Response(status_code=302, headers={"location": "/sign-in"})
