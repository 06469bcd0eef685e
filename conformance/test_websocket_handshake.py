"""
How an EPOS dials: the headers of its handshake, as they arrived.
"""

from __future__ import annotations

from epos_conformance import Finding, Inconclusive, NotOffered, Partner, Violation, check
from epos_conformance._settings import Dial


def require_kept(partner: Partner, rule: str) -> None:
    """
    Every handshake of this run keeps *rule*; of those that were refused, only where none was let in.
    """
    if isinstance(partner.settings.ws, Dial):
        raise NotOffered("not examined: the suite dials this EPOS; a handshake is seen where the EPOS dials")
    told = [each for each in partner.socket.evidence()["handshakes"] if each["path"].startswith("/epos")]
    judged = [each for each in told if each["session"]] or told
    if not judged:
        raise Inconclusive("nobody has dialled")
    partner.exchanges += [partner.socket.handshake(each) for each in judged]
    for each in judged:
        if fault := each["faults"].get(rule):
            where, expected, seen, cause = fault
            raise Violation(Finding(where, expected, seen), hint=cause)


@check("ws.authorization-names-the-basic-scheme", order=-1, anyway=True)
def test_authorization_names_the_basic_scheme(partner: Partner) -> None:
    """Authorization begins with the word Basic."""
    require_kept(partner, "ws.authorization-names-the-basic-scheme")


@check("ws.authorization-carries-the-raw-key", order=-1, anyway=True)
def test_authorization_carries_the_raw_key(partner: Partner) -> None:
    """Authorization carries the key as it is; where the suite was told which, that one."""
    require_kept(partner, "ws.authorization-carries-the-raw-key")


@check("ws.key-has-a-known-prefix", order=-1, anyway=True)
def test_key_has_a_known_prefix(partner: Partner) -> None:
    """The key is one of Dojo's, by its prefix."""
    require_kept(partner, "ws.key-has-a-known-prefix")


@check("ws.sends-the-software-house-id", order=-1, anyway=True)
def test_sends_the_software_house_id(partner: Partner) -> None:
    """There is a software-house-id; where the suite was told which, that one."""
    require_kept(partner, "ws.sends-the-software-house-id")


@check("ws.sends-the-reseller-id", order=-1, anyway=True)
def test_sends_the_reseller_id(partner: Partner) -> None:
    """There is a reseller-id; where the suite was told which, that one."""
    require_kept(partner, "ws.sends-the-reseller-id")
