"""
Mistakes with how the EPOS introduces itself when it dials.
"""

from __future__ import annotations

from base64 import b64encode
from urllib.parse import quote

from epos_conformance.reference.faults import defect
from epos_conformance.reference.sockets import SocketShell


_SCHEME = "ws.authorization-names-the-basic-scheme"
_RAW = "ws.authorization-carries-the-raw-key"
_PREFIX = "ws.key-has-a-known-prefix"
_HOUSE = "ws.sends-the-software-house-id"

#: A header that is wrong in one way may look wrong in others; where nobody is let in for it, nothing else is seen.
_HEADER = [_SCHEME, _RAW, _PREFIX]


def _encoded(text: str) -> str:
    return b64encode(text.encode()).decode()


# Authorization


@defect("ws-key-in-base64", breaks=[_RAW], also=_HEADER)
class KeyInBase64(SocketShell):
    """
    The key is base64-encoded, as Basic authentication has it elsewhere.
    """

    def authorization(self) -> str:
        return f"Basic {_encoded(self.key)}"


@defect("ws-key-as-a-user-name", breaks=[_RAW], also=_HEADER)
class KeyAsAUserName(SocketShell):
    """
    The key is the user name of ordinary Basic credentials, with an empty password.
    """

    def authorization(self) -> str:
        return f"Basic {_encoded(f'{self.key}:')}"


@defect("ws-key-as-a-password", breaks=[_RAW], also=_HEADER)
class KeyAsAPassword(SocketShell):
    """
    The key is the password of ordinary Basic credentials, and the software house the user.
    """

    def authorization(self) -> str:
        return f"Basic {_encoded(f'{self.software_house_id}:{self.key}')}"


@defect("ws-key-in-quotes", breaks=[_RAW], also=_HEADER)
class KeyInQuotes(SocketShell):
    """
    The key is read from the settings file together with its quotes.
    """

    def authorization(self) -> str:
        return f'Basic "{self.key}"'


@defect("ws-bearer", breaks=[_SCHEME], also=_HEADER)
class Bearer(SocketShell):
    """
    The key is sent as a Bearer token.
    """

    def authorization(self) -> str:
        return f"Bearer {self.key}"


@defect("ws-key-without-a-scheme", breaks=[_SCHEME], also=_HEADER)
class KeyWithoutAScheme(SocketShell):
    """
    The key is all there is in the header.
    """

    def authorization(self) -> str:
        return self.key


@defect("ws-basic-with-a-colon", breaks=[_SCHEME], also=_HEADER)
class BasicWithAColon(SocketShell):
    """
    The word Basic is followed by a colon.
    """

    def authorization(self) -> str:
        return f"Basic: {self.key}"


@defect("ws-key-in-a-header-of-its-own", breaks=[_SCHEME, _RAW], also=_HEADER)
class KeyInAHeaderOfItsOwn(SocketShell):
    """
    The key is sent as x-api-key, and there is no Authorization.
    """

    def handshake_headers(self) -> dict[str, str]:
        headers = super().handshake_headers()
        del headers["Authorization"]
        return {**headers, "x-api-key": self.key}


@defect("ws-key-loses-its-prefix", breaks=[_PREFIX], also=_HEADER)
class KeyLosesItsPrefix(SocketShell):
    """
    The prefix of the key is cut off, as if it were none of its own.
    """

    def authorization(self) -> str:
        return f"Basic {self.key.removeprefix('sk_sandbox_').removeprefix('sk_prod_')}"


@defect("ws-key-in-capitals", breaks=[_PREFIX], also=_HEADER)
class KeyInCapitals(SocketShell):
    """
    The settings screen of the till turns every letter into a capital.
    """

    def authorization(self) -> str:
        return f"Basic {self.key.upper()}"


# Who it is


@defect("ws-no-software-house-id", breaks=[_HOUSE])
class NoSoftwareHouseId(SocketShell):
    """
    The handshake has no software-house-id.
    """

    def handshake_headers(self) -> dict[str, str]:
        headers = super().handshake_headers()
        del headers["software-house-id"]
        return headers


@defect("ws-empty-software-house-id", breaks=[_HOUSE])
class EmptySoftwareHouseId(SocketShell):
    """
    The software-house-id was never filled in.
    """

    def handshake_headers(self) -> dict[str, str]:
        return {**super().handshake_headers(), "software-house-id": ""}


@defect("ws-software-house-id-with-underscores", breaks=[_HOUSE])
class SoftwareHouseIdWithUnderscores(SocketShell):
    """
    The header is called software_house_id.
    """

    def handshake_headers(self) -> dict[str, str]:
        headers = super().handshake_headers()
        return {"software_house_id": headers.pop("software-house-id"), **headers}


@defect("ws-software-house-id-in-the-query", breaks=[_HOUSE])
class SoftwareHouseIdInTheQuery(SocketShell):
    """
    The software-house-id is in the URL, as it has to be where a browser dials.
    """

    def address(self) -> str:
        mark = "&" if "?" in self.url else "?"
        return f"{self.url}{mark}software-house-id={quote(self.software_house_id)}"

    def handshake_headers(self) -> dict[str, str]:
        headers = super().handshake_headers()
        del headers["software-house-id"]
        return headers


@defect("ws-reseller-id-in-camel-case", breaks=["ws.sends-the-reseller-id"])
class ResellerIdInCamelCase(SocketShell):
    """
    The header is called resellerId.
    """

    def handshake_headers(self) -> dict[str, str]:
        headers = super().handshake_headers()
        return {"resellerId": headers.pop("reseller-id"), **headers}
