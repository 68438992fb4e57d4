"""Sets up a day of `jwo shop` for the user's own connector: only the ways in that its profile declares."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Literal, NamedTuple

from conformance.drivers.keys import KeySource
from jwo.errors import Usage
from jwo_contract.errors import BadValue
from jwo_contract.key_kinds import BADGE_KINDS, BadgeKind, KeyKind
from jwo_contract.profile import Profile
from jwo_contract.scan_key import from_identity_key
from jwo_toolkit.pacing import Pace
from simulator.composition import StoreServices
from simulator.entry.risk import DEBT, FRAUD
from simulator.entry.strategies import Strategy
from simulator.shop.plan import Kind, Means, People
from simulator.shop.shares import Shares

_Declared = Literal["shopper", "associate", "cash_shopper"]
"""The kinds of keys that are also kinds of visitors."""
_REFUSED_BADGES: tuple[BadgeKind, ...] = ("revoked_badge", "lost_badge", "expired_badge")
_SAMPLE_KEY = "dmFsaWRfc2hvcHBlcl9rZXk="
_OFTEN = 4
"""How many times more often than another card the day has the one with a low risk."""
_SPACED = 1.25
"""The spacing of calls under a declared rate limit; 1 would be the limit itself."""
_ASKING: tuple[Strategy, ...] = ("amazon_recommendation", "retailer_managed")
_NEEDS = {
    "card": "[tiers] shopper_authorization",
    "palm": "[tiers] shopper_authorization",
    "story": "[shopper_identities]",
    "badge": "[keys] badge or associate_badge",
    "loyalty": "[tiers] resolve_scan and [scans] accepted",
    "loyalty_inside": "[tiers] resolve_scan and [scans] accepted",
    "associate": "[keys] associate",
    "cash": "[keys] cash_shopper",
}
"""What each share needs in the profile."""


class OwnPeople(NamedTuple):
    """The visitors of the user's connector, the source of their fresh keys, and a note for the user."""

    people: People
    strategy: Strategy
    mint: Callable[[Kind], str] | None
    note: str


def own_people(profile: Profile, shares: Shares, given: frozenset[str], strategy: Strategy | None) -> OwnPeople:
    """Make the visitors from what the profile declares. Raises Usage if a given share or strategy needs more."""
    source, asks = KeySource(profile), profile.tiers.shopper_authorization
    if strategy in _ASKING and not asks:
        raise Usage(f"--strategy {strategy} needs [tiers] shopper_authorization = true in the profile; declare it")
    minted = tuple(kind for kind in _kinds(profile) if source.are_fresh(kind))
    fixed = {kind: (source.take(kind),) for kind in _kinds(profile) if kind not in minted}
    loyalty, cards = _loyalty(profile), _cards(profile) if asks else ()
    badges = {kind: _badge(source, kind) for kind in BADGE_KINDS}
    has_badge = bool(badges["badge"] or badges["associate_badge"])
    means = Means(
        associates=fixed.get("associate", ()),
        cash_shoppers=fixed.get("cash_shopper", ()),
        minted=minted,
        associate_badges=badges["associate_badge"],
        badges=tuple(badge for badge in badges["badge"] if badge not in badges["associate_badge"]),
        refused_badges=tuple(badge for kind in _REFUSED_BADGES for badge in badges[kind]) if has_badge else (),
        loyalty=loyalty,
        cards=cards,
        stranger=source.unknown() if source.has("unknown") else Means().stranger,
    )
    takes_cards = asks or strategy is not None
    keys, note = fixed.get("shopper", ()), ""
    if not (keys or means.associates or means.cash_shoppers or minted or loyalty or asks or has_badge):
        keys, note = (_SAMPLE_KEY,), "No way in is declared: app shoppers show Amazon's published sample key."
    has = {
        "card": takes_cards,
        "palm": takes_cards,
        "story": bool(cards),
        "badge": has_badge,
        "loyalty": bool(loyalty),
        "loyalty_inside": bool(loyalty),
        "associate": "associate" in _kinds(profile),
        "cash": "cash_shopper" in _kinds(profile),
    }
    for name in sorted(given):
        if not has.get(name, True) and getattr(shares, name):
            raise Usage(f"--share {name} needs {_NEEDS[name]} in the profile; declare it, or leave the share out")
    usable = shares.model_copy(update={name: 0.0 for name, is_there in has.items() if not is_there})
    people = People.of(keys, means, usable, cards=0 if cards or not takes_cards else People(()).cards)
    return OwnPeople(people, strategy or ("amazon_recommendation" if asks else "amazon_managed"), _mint(source), note)


def tell_platform(profile: Profile) -> Callable[[StoreServices], None]:
    """Return a function that makes the platform's opinion of the declared cards fit their names.

    It also makes the platform keep the declared rate limit, since the day has no finding for an answer 429.
    """

    def tell(services: StoreServices) -> None:
        table = profile.shopper_identities
        for card, _ in _cards(profile):
            risks = {table.high_risk: (FRAUD,), table.outstanding_balance: (DEBT,)}.get(card, ())
            services.risk.set_risks(card, risks)
        services.client.before_send = _waiter(profile)

    return tell


def _waiter(profile: Profile) -> Callable[[], Awaitable[None]] | None:
    limits = profile.at_usual_address.limits
    if not limits.rate_limit_per_second:
        return None
    rate = limits.rate_limit_per_second
    pace = (
        Pace(1, _SPACED / rate)
        if limits.burst == 1
        else Pace(min(rate, limits.burst), min(1, limits.burst / rate) * _SPACED)
    )

    async def wait() -> None:
        await asyncio.to_thread(pace.wait)

    return wait


def _kinds(profile: Profile) -> tuple[_Declared, ...]:
    declared = profile.declared_keys()
    kinds: tuple[_Declared, ...] = ("shopper", "associate", "cash_shopper")
    return tuple(kind for kind in kinds if kind in declared)


def _mint(source: KeySource) -> Callable[[Kind], str]:
    def mint(kind: Kind) -> str:
        key_kind: KeyKind = "unknown" if kind == "stranger" else kind
        return source.take(key_kind)

    return mint


def _badge(source: KeySource, kind: BadgeKind) -> tuple[str, ...]:
    """Return the text of a declared badge; a badge opens again and again, so one is enough for a day."""
    if not source.has(kind):
        return ()
    try:
        return (from_identity_key(source.take(kind)),)
    except BadValue as error:
        raise Usage(f"[keys] {kind} is not usable in a store day: {error}; use the Base64 of a text") from error


def _cards(profile: Profile) -> tuple[tuple[str, bool | None], ...]:
    """Return the declared cards, each with whether the retailer is to let it in."""
    table = profile.shopper_identities
    refused = dict.fromkeys((table.high_risk, table.invalid_card, table.expired_card, table.outstanding_balance))
    found: list[tuple[str, bool | None]] = [(table.low_risk, True)] * _OFTEN
    found += [(table.adjusted, True), *((card, False) for card in refused)]
    return tuple((card, admitted) for card, admitted in found if card)


def _loyalty(profile: Profile) -> tuple[str, ...]:
    accepted = profile.scans.accepted
    if not profile.tiers.resolve_scan or not accepted:
        return ()
    try:
        return (from_identity_key(accepted),)
    except BadValue as error:
        raise Usage(f"[scans] accepted is not usable in a store day: {error}; use the Base64 of a text") from error
