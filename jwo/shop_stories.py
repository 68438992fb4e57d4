"""The visitors of the reference connector's store day: their means of entry, and the cards with a known story.

A story has two sides: what the platform knows of a card, and what the retailer's own file says about it. The store's
strategy then determines the part that decides, and its reason.
"""

from __future__ import annotations

import base64
from typing import NamedTuple

from simulator.composition import StoreServices
from simulator.entry.risk import FRAUD, INVALID
from simulator.shop.plan import Means

_KEYS, _FEW = 200, 6
_METHODS = ("tok_approved",) * 6 + ("tok_pending_at_adjust", "tok_late_success", "tok_declined_at_capture")
"""The means of payment of app users in a mixed store, in turn; the last one ends as a debt."""
_LONG_AGO = "2020-01-01T00:00:00Z"
_UNPAID_TRIP = "a-trip-of-last-week"


class Story(NamedTuple):
    """A card: the risks and the debt that the platform knows, and members of the retailer's `[[card_shopper]]`.

    `admitted` is whether a retailer lets it in under every strategy; None if that depends on the strategy.
    """

    card: str
    admitted: bool | None = None
    risks: tuple[str, ...] = ()
    owes: bool = False
    retailer: tuple[str, ...] = ()


STORIES = (
    Story("shop-card-good", admitted=True),
    Story("shop-card-adjusted", admitted=True, retailer=('adjust_to = "25.00"',)),
    Story("shop-card-outstanding-balance", retailer=('open_balance = "120.00"',)),
    Story("shop-card-bad-debt", owes=True),
    Story("shop-card-fraud", risks=(FRAUD,)),
    Story("shop-card-accepted-by-override", owes=True, retailer=('always = "accept"',)),
    Story("shop-card-denied-by-override", retailer=('always = "deny"',)),
    Story("shop-card-expired", retailer=('card_expires = "2020-01"',)),
    Story("shop-card-invalid-at-the-reader", admitted=False, risks=(INVALID,), retailer=('always = "accept"',)),
)


def keys() -> tuple[str, ...]:
    """Return the keys of the app users."""
    return tuple(_encoded(f"shopper-{number:04d}") for number in range(_KEYS))


MEANS = Means(
    associates=tuple(base64.b64encode(f"associate-{number}".encode()).decode() for number in range(_FEW)),
    cash_shoppers=tuple(base64.b64encode(f"cash-{number}".encode()).decode() for number in range(_FEW)),
    associate_badges=tuple(f"associate-badge-{number}" for number in range(_FEW)),
    badges=tuple(f"shopper-badge-{number}" for number in range(_FEW)),
    refused_badges=("revoked-badge", "lost-badge", "expired-badge"),
    loyalty=tuple(f"member-card-{number}" for number in range(_FEW)),
    cards=tuple((story.card, story.admitted) for story in STORIES),
)


def retailer_rows(stores: str) -> list[str]:
    """Return the rows of the retailer file about these visitors; `stores` is a TOML list."""
    owners = [(key, f"visitor-{number:04d}", "SHOPPER") for number, key in enumerate(keys())]
    owners += [(key, f"associate-{number}", "ASSOCIATE") for number, key in enumerate(MEANS.associates)]
    owners += [(key, f"cash-{number}", "CASH_SHOPPER") for number, key in enumerate(MEANS.cash_shoppers)]
    rows = [
        f'[[fixture_key]]\nidentity_key = "{key}"\nvisitor_id = "{name}"\ntype = "{kind}"\nstores = {stores}\n'
        for key, name, kind in owners
    ]
    rows += _badge_rows()
    rows += [
        "\n".join(("[[card_shopper]]", f'id = "{story.card}"', *story.retailer, ""))
        for story in STORIES
        if story.retailer
    ]
    return rows + [f'[[member]]\nid = "{code}"\ncode = "{code}"\n' for code in MEANS.loyalty]


def paying_accounts() -> list[str]:
    """Return an account for each app user, with the means of payment that the retailer itself charges."""
    methods = [_METHODS[number % len(_METHODS)] for number in range(_KEYS)]
    return [f'[[shopper]]\nid = "visitor-{n:04d}"\npayment_method = "{one}"\n' for n, one in enumerate(methods)]


def _badge_rows() -> list[str]:
    """Return the rows of the badges, and of the accounts that they belong to."""
    reasons = ('state = "revoked"', 'state = "lost"', f"expires = {_LONG_AGO}")
    kinds = [(badge, "ASSOCIATE", "") for badge in MEANS.associate_badges]
    kinds += [(badge, "SHOPPER", "") for badge in MEANS.badges]
    kinds += [(badge, "SHOPPER", reason) for badge, reason in zip(MEANS.refused_badges, reasons, strict=True)]
    return [
        f'[[shopper]]\nid = "owner-of-{badge}"\ntype = "{kind}"\n\n'
        f'[[badge]]\nid = "{badge}"\nowner = "owner-of-{badge}"\n{reason}\n'
        for badge, kind, reason in kinds
    ]


def tell_platform(services: StoreServices) -> None:
    """Give the platform's risk model its side of the stories."""
    for story in STORIES:
        services.risk.set_risks(story.card, story.risks)
        services.risk.set_debt(story.card, _UNPAID_TRIP, owes=story.owes)


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
