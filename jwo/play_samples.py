"""Sample visitors and goods from a profile, for the pages of a platform: fresh keys, cards and SKUs."""

from __future__ import annotations

from collections.abc import Sequence

from conformance.drivers.keys import KeySource
from conformance.errors import NotDeclared, ProfileBroke
from jwo_contract.errors import BadValue
from jwo_contract.key_kinds import KeyKind
from jwo_contract.profile import Profile
from jwo_contract.scan_key import from_identity_key
from jwo_toolkit.json_types import JsonObject
from simulator.entry.risk import DEBT, FRAUD
from simulator.errors import SampleFailed
from simulator.samples import Goods, Sample, unknown_kind

_KEYS: dict[KeyKind, tuple[str, str]] = {
    "shopper": ("Shopper", "A valid code of the app: the gate opens."),
    "associate": ("Associate", "A code of a person who works here: the gate opens, and no cart is sent."),
    "cash_shopper": ("Cash shopper", "A code of a shopper who pays with cash: the gate opens."),
    "refused": ("Refused shopper", "A code of a known shopper that the retailer refuses: the gate stays closed."),
    "expired": ("Expired code", "An expired code: the gate stays closed."),
    "used": ("Used code", "A code that a shopper has used before: the gate stays closed."),
}
_STRANGER = Sample("stranger", "Stranger", "scans", "A code that the connector does not know: the gate stays closed.")
_BADGES: dict[KeyKind, tuple[str, str]] = {
    "badge": ("Badge", "An issued badge: the gate opens."),
    "associate_badge": ("Associate badge", "The badge of a person who works here: the gate opens."),
    "revoked_badge": ("Revoked badge", "A badge that the retailer revoked: the gate stays closed."),
    "lost_badge": ("Lost badge", "A badge that its owner lost: the gate stays closed."),
    "expired_badge": ("Expired badge", "An expired badge: the gate stays closed."),
}
_CARDS = {
    "low_risk": ("Good card", "The retailer authorizes it: the gate opens."),
    "adjusted": ("Small card", "The retailer authorizes it with another amount: the gate opens."),
    "high_risk": ("Fraud risk", "The platform sees a risk of fraud: the gate stays closed."),
    "outstanding_balance": ("In debt", "The shopper owes money: the gate stays closed."),
    "invalid_card": ("Invalid card", "The retailer does not accept the card: the gate stays closed."),
    "expired_card": ("Expired card", "The card's time is over: the gate stays closed."),
}
_LOYALTY = {
    "accepted": Sample("loyalty", "Member", "loyalty-scans", "A loyalty card that the connector accepts."),
    "rejected": Sample("no_member", "Not a member", "loyalty-scans", "A loyalty card that the connector rejects."),
}


class ProfileSamples:
    """The samples that a profile declares; `goods` replaces the profile's SKUs."""

    def __init__(self, profile: Profile, goods: Sequence[Goods] = (), app_url: str = "") -> None:
        self.app_url = app_url
        self._source = KeySource(profile)
        self._goods = tuple(goods) or _declared_goods(profile)
        self._bodies: dict[str, JsonObject] = {}
        self._key_kinds: dict[str, KeyKind] = {}
        self._samples: list[Sample] = []
        self._add_keys(profile)
        self._add_cards(profile)
        self._add_loyalty(profile)

    def samples(self) -> Sequence[Sample]:
        """Return all kinds of visitors."""
        return self._samples

    def make(self, kind: str) -> JsonObject:
        """Return the body of the gate's call for a visitor of a kind, with a fresh key if the profile makes keys.

        Raises NotKnown if there is no such kind, and SampleFailed if the profile's source of keys fails.
        """
        if kind == _STRANGER.kind:
            return {"identityKey": self._source.unknown()}
        if kind in self._bodies:
            return self._bodies[kind]
        if kind not in self._key_kinds:
            raise unknown_kind(kind)
        try:
            return {"identityKey": self._source.take(self._key_kinds[kind])}
        except (ProfileBroke, NotDeclared) as error:
            raise SampleFailed(
                str(error), hint="correct [keys] in the profile, or start what makes the keys"
            ) from error

    def goods(self, _store_id: str) -> Sequence[Goods]:
        """Return the goods that the connector knows, which are the same in each store."""
        return self._goods

    def _add_keys(self, profile: Profile) -> None:
        declared = profile.declared_keys()
        for kind, (label, about) in _KEYS.items():
            if kind in declared:
                self._key_kinds[kind] = kind
                self._samples.append(Sample(kind, label, "scans", about))
        self._samples.append(_STRANGER)
        for kind, (label, about) in _BADGES.items():
            if kind in declared:
                self._key_kinds[kind] = kind
                self._samples.append(Sample(kind, label, "badges", about))

    def _add_cards(self, profile: Profile) -> None:
        if not profile.tiers.shopper_authorization:
            return
        for name, (label, about) in _CARDS.items():
            if instrument := getattr(profile.shopper_identities, name):
                self._bodies[f"card_{name}"] = {"instrument": instrument}
                self._samples.append(Sample(f"card_{name}", label, "cards", about))
        if profile.shopper_identities.low_risk:
            self._bodies["palm"] = {"instrument": profile.shopper_identities.low_risk}
            self._samples.append(Sample("palm", "Palm", "palms", "A palm with a good card: the gate opens."))

    def _add_loyalty(self, profile: Profile) -> None:
        if not profile.tiers.resolve_scan:
            return
        for name, sample in _LOYALTY.items():
            if text := _text_of(getattr(profile.scans, name)):
                self._bodies[sample.kind] = {"text": text}
                self._samples.append(sample)


def known_risks(profile: Profile) -> dict[str, list[str]]:
    """Return what the platform must know of the declared cards, by card: its opinion then fits their names."""
    table = profile.shopper_identities
    risks = {table.high_risk: [FRAUD], table.outstanding_balance: [DEBT]}
    return {card: risks.get(card, []) for card in (getattr(table, name) for name in _CARDS) if card}


def _declared_goods(profile: Profile) -> tuple[Goods, ...]:
    catalog, weight = profile.catalog, profile.house.simulator.weight_unit
    counted = [Goods(sku=sku) for sku in catalog.skus]
    weighed = [Goods(sku=sku, unit=weight) for sku in catalog.weighted_skus]
    return (*counted, *weighed, *(Goods(scancode=code) for code in catalog.scancodes))


def _text_of(identity_key: str) -> str:
    try:
        return from_identity_key(identity_key) if identity_key else ""
    except BadValue:
        return ""
