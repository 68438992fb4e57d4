"""The groups of house rules for the calls of retailers to the platform, beside the catalog, and for intra-day files."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from jwo_contract.house_group import HouseGroup
from jwo_contract.money import ISO_4217


class CallLimits(HouseGroup):
    """How fast an account may make a call. Amazon publishes no rate for the calls beside the catalog."""

    rate_per_s: float = Field(default=100.0, gt=0)
    """Calls per second of an account and a call."""
    burst: int = Field(default=100, ge=1)
    """How many calls may come at the same moment."""
    retry_after_s: int = Field(default=600, ge=0)
    """`Retry-After` of a 429. Amazon prints 600 and calls it 5 minutes: 600 and 300 are the two readings."""


class Payment(CallLimits):
    """The payment calls: Adjust, Capture, Cancel, Refund, Get Transactional Data, Report Payment Status."""

    empty_answer: Literal["no_body", "empty_object"] = "no_body"
    """The body of an answer that Amazon calls empty."""
    refund_window_days: int = Field(default=7, ge=1)
    """Days from the capture in which a refund is accepted: 7 by the page of the call, 30 by the title of a case."""
    refund_answer: Literal["empty", "reconciliation_id"] = "empty"
    """Empty by the page of the call; with a `reconciliationId` by the page of its cases."""
    currencies: tuple[str, ...] = ISO_4217
    """The currencies that exist. The published pattern accepts any three capital letters."""
    most_decimals: int = Field(default=2, ge=0, le=9)
    """Of an amount in Adjust and Capture. Amazon publishes this limit for Refund only."""
    largest_amount: int = Field(default=1_000_000_000, ge=1_000_000)
    """The largest amount of a call."""
    capture_above_authorized: bool = False
    """Whether a capture may be larger than the authorised amount."""
    changed_repeat: Literal["refuse_400", "first_wins"] = "refuse_400"
    """The answer to a repeated capture or refund with another content. The first one counts in both cases."""
    pending_s: float = Field(default=60.0, ge=0)
    """Platform seconds after which a PENDING adjustment is approved."""
    pending_rate: float = Field(default=0.0, ge=0, le=1)
    """The share of adjustments that are PENDING first."""
    decline_rate: float = Field(default=0.0, ge=0, le=1)
    """The share of adjustments that the issuer declines."""
    magic_ids: bool = True
    """Whether the trip ids and the store id of Amazon's samples have their meaning."""


CheckoutReading = Literal["unit", "line", "price_of_unit"]
"""What the amounts of `unitPrice` refer to: one unit, the whole line, or only `price` to one unit."""
CheckoutSubtotal = Literal["prices", "prices_and_fees", "prices_less_promotions", "prices_and_fees_less_promotions"]


class Checkout(CallLimits):
    """Checkout Cart."""

    readings: tuple[CheckoutReading, ...] = Field(default=("unit", "line", "price_of_unit"), min_length=1)
    """The accepted readings of `unitPrice`. The whole cart must follow one of them."""
    subtotals: tuple[CheckoutSubtotal, ...] = Field(
        default=("prices", "prices_and_fees", "prices_less_promotions", "prices_and_fees_less_promotions"), min_length=1
    )
    """What `subTotal` may hold."""
    rounding_cents: int = Field(default=1, ge=0)
    """Cents by which a sum may differ for each line of which the quantity is not 1, if amounts refer to one unit."""
    trip_expires_h: float = Field(default=24.0, gt=0)
    """Hours after the exit in which a cart is accepted."""
    changed_cart: Literal["refuse_400", "first_wins"] = "refuse_400"
    """The answer to another cart for a trip that has an order. The first order counts in both cases."""


class ShopperIdentity(CallLimits):
    """Get Shopper Identity."""

    unknown_shopper: Literal["no_email", "empty_email"] = "no_email"
    """The 200 for a shopper that the platform does not know: without `shopperEmail`, or with an empty one."""


class OwnAuth(CallLimits):
    """Own authentication: createDeviceRegistration, startAuth, processAuth."""

    longest_timeout_ms: int = Field(default=300_000, ge=10_000)
    """The longest `authTimeout`."""
    failure: Literal["answer_200", "refuse_400"] = "answer_200"
    """How processAuth reports that an authentication is over: 200 with a `reason`, or 400."""


class IntraDay(HouseGroup):
    """The intra-day files. Amazon publishes their cadence and how they are announced, but not their content."""

    files_an_hour: Literal[1, 2, 4, 6, 12, 60] = 4
    """4 by the present page, which makes 96 files a day; 1 by an older copy of it."""
    subject: str = Field(default="Amazon S3 Notification", max_length=100, pattern=r"^[!-~][ -~]*$")
    """The `Subject` of the notification."""
    empty_files: bool = True
    """Whether there is a file for a time without orders."""
