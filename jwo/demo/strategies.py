"""Cards at stores of each Fraud and Abuse strategy: who decides, and why.

A bad debt is known to the platform, an outstanding balance to the retailer, an override is the retailer's, and the card
reader knows the invalid card.
"""

from __future__ import annotations

from typing import NamedTuple

from jwo.demo.neighbourhood import Neighbourhood, call
from jwo.demo.stages import Stage

_GOOD, _BAD_DEBT, _BALANCE = "demo-card-good", "demo-card-bad-debt", "demo-card-in-debt"
_ACCEPTED, _DENIED = "demo-card-accepted-by-override", "demo-card-denied-by-override"
_INVALID = "demo-card-invalid-at-the-reader"
_RISKS = {
    _GOOD: [],
    _BAD_DEBT: ["BadDebt"],
    _BALANCE: [],
    _ACCEPTED: ["BadDebt"],
    _DENIED: [],
    _INVALID: ["InvalidCard"],
}
"""What the platform knows of each card. The retailer's rows are in entry.toml."""


class _Expected(NamedTuple):
    """The decision on a card: the part that decides, its cause, and whether the gate opens."""

    decided_by: str
    cause: str
    opens: bool


_READER = _Expected("reader", "reader:InvalidCard", opens=False)
_LETS_IN = _Expected("platform", "amazon_managed", opens=True)
_OPENS = _Expected("reader", "no_strategy", opens=True)
_AUTHORIZED = _Expected("retailer", "authorized", opens=True)
_DEBT = _Expected("retailer", "denied:BadDebt", opens=False)
_OVERRIDE = _Expected("retailer", "denied", opens=False)
_PLATFORM_DEBT = _Expected("platform", "risk:BadDebt", opens=False)
_DECISIONS = {
    "amazon_managed": (_LETS_IN, _PLATFORM_DEBT, _LETS_IN, _PLATFORM_DEBT, _LETS_IN, _READER),
    "amazon_recommendation": (_AUTHORIZED, _DEBT, _DEBT, _AUTHORIZED, _OVERRIDE, _READER),
    "retailer_managed": (_AUTHORIZED, _AUTHORIZED, _DEBT, _AUTHORIZED, _OVERRIDE, _READER),
    "none": (_OPENS, _OPENS, _OPENS, _OPENS, _OPENS, _READER),
}
"""By strategy, the decision on each card of `_RISKS` in order."""


def strategies(here: Neighbourhood, stage: Stage) -> None:
    """Tap each card at a store of each strategy, and check who decides and why."""
    for card, risks in _RISKS.items():
        call("PUT", f"{here.platform_url}/risk/{card}", {"risks": risks})
    for strategy, decisions in _DECISIONS.items():
        gate = f"GATE-{strategy}"
        setup = {
            "retailer": here.world.stores[0].retailer,
            "connector": {"url": here.connector_url, "auth": "sigv4"},
            "methods": ["card"],
            "strategy": strategy,
            "gates": [gate],
        }
        call("PUT", f"{here.platform_url}/portal/stores/STORE-{strategy}", setup)
        shown = [_tap(here, stage, gate, card, expected) for card, expected in zip(_RISKS, decisions, strict=True)]
        stage.details.append(f"cards under {strategy.replace('_', ' ')}: {', '.join(shown)}")


def _tap(here: Neighbourhood, stage: Stage, gate: str, card: str, expected: _Expected) -> str:
    decision = call("POST", f"{here.platform_url}/gates/{gate}/cards", {"instrument": card})
    got = _Expected(decision["decidedBy"], decision["cause"], decision["opens"])
    stage.expect(got == expected, f"{card} at {gate}: expected {expected}, got {got}")
    if got.opens:
        call("POST", f"{here.platform_url}/trips/{decision['shoppingTripId']}/leave")
    outcome = "let in" if got.opens else "kept out"
    return f"{card.removeprefix('demo-card-')} {outcome} by the {got.decided_by} ({got.cause})"
