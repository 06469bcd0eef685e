"""
Bodies that are valid and unusual: long and empty texts, any script, large numbers, times with other offsets.
"""

from __future__ import annotations

from epos_conformance import Capability, Partner, check, depth


@check("*.survives-unusual-bodies")
def test_survives_unusual_bodies(partner: Partner, capability: Capability) -> None:
    """An unusual but valid body is taken, or refused in good order."""
    depth.require(partner, capability, "survives")


@check("*.survives-control-characters")
def test_survives_control_characters(partner: Partner, capability: Capability) -> None:
    """Control characters in texts are taken, or refused in good order."""
    depth.require(partner, capability, "control-characters")


@check("*.keeps-unusual-values")
def test_keeps_unusual_values(partner: Partner, capability: Capability) -> None:
    """Unusual amounts, numbers and times that are taken are kept."""
    depth.require(partner, capability, "values")


@check("*.keeps-unusual-guest-requests")
def test_keeps_unusual_guest_requests(partner: Partner, capability: Capability) -> None:
    """Unusual requests of guests that are taken are kept word for word."""
    depth.require(partner, capability, "guest-requests")


@check("*.keeps-unusual-texts")
def test_keeps_unusual_texts(partner: Partner, capability: Capability) -> None:
    """Other unusual texts that are taken are kept."""
    depth.require(partner, capability, "texts")
