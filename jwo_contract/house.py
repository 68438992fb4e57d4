"""The house rules as named settings: the kit's decisions where Amazon publishes nothing.

A name has the form `group.setting`; the requirement register and the schemas' `x-house` use it too. The connector, the
platform and the suite use the same groups, so a changed setting changes the behaviour and the expectation together.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from jwo_contract.money import ISO_4217
from jwo_toolkit.patterns import checked_pattern

Pattern = Annotated[str, AfterValidator(checked_pattern)]
"""A regular expression (ECMA-262) that is matched in bounded time."""


class HouseGroup(BaseModel):
    """Base class of the groups: frozen, and an unknown name is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Http(HouseGroup):
    """Rules for every JSON body."""

    malformed_status: int = 400
    repeats_personal: bool = False
    """Whether an answer may repeat an identity key or a shopper's data."""
    shows_internals: bool = False
    """Whether an answer may show the connector's inside: stack traces, file paths, SQL, a framework's debug page."""


class Identity(HouseGroup):
    """Verify Identity Keys."""

    locations: tuple[str, ...] = ("ENTRY",)
    key_channels: tuple[str, ...] = ("OPTICAL", "CONTACT", "RADIO")
    key_max: int = Field(default=1000, ge=1000, le=1336)
    """The longest identityKey: 1000 characters of encoded text. 1336 lets the limit hold for the decoded key."""
    visitor_id_min: int = 1
    visitor_id_max: int = 255
    refusal_status: int = 401
    """For a flagged account, an expired code, a replayed code, a badge that is revoked, lost or expired, and a shopper
    with a declined means of payment or a debt."""
    badge_credential: str = Field(default="employee badge", min_length=1, max_length=255)
    """The credential type of a badge without one. Amazon's list of types is `unknown`, so any text is valid."""
    remember_h: float = 48
    remember: tuple[int, ...] = (200, 401)
    """The statuses that a repeated authEvent gets again. Other answers are decided again."""


class ScanKeyRules(HouseGroup):
    """The layout of a Scan Key Code and the retailer's policy for it."""

    prefix: str = Field(default="JWOIMAG", pattern="^[0-9A-Za-z]+$")
    timestamp_digits: int = 11
    token_digits: int = 21
    max_age_s: int = Field(default=90, ge=30, le=90)
    single_use: bool = True


class Ordering(HouseGroup):
    """Create Purchases."""

    auth_event_id_pattern: Pattern = "^[0-9a-zA-Z_.-]+$"
    locations: tuple[str, ...] = ("ENTRY", "EXIT", "MANUAL_IN_STORE")
    scan_types: tuple[str, ...] = ("SHOPPER", "ASSOCIATE", "CASH", "CASH_SHOPPER", "LOYALTY")
    identifier_types: tuple[str, ...] = ("UPC", "EAN", "EAN8", "ISBN", "GTIN", "PLU")
    purchase_id_max: int = 255
    duplicate_status: int = 201
    changed_cart: Literal["first_wins", "conflict_409"] = "first_wins"
    unknown_store: Literal["reject_400", "park"] = "reject_400"
    unknown_sku: Literal["park", "reject_400"] = "park"
    """`park`: a cart with an unknown SKU is a purchase, which people clear later."""
    answer_budget_s: float = Field(default=2.0, gt=0)
    cash_type: str = "CASH"
    """The value for CASH_SHOPPER in the scanResult of a cart."""


class ShopperAuth(HouseGroup):
    """Shopper Authorization. Amazon does not publish the body of its answer."""

    required_of_identity: tuple[str, ...] = ("id",)
    also_required: tuple[str, ...] = ()
    """Further required members of a request: authorizedAmount, shopperInteraction."""
    answer_members: tuple[str, ...] = ("shopperAuthorized",)
    """Required members of an answer. It has the shape of the request's recommendation."""
    idempotent: bool = True
    """By shoppingTripId and gateAuthenticationEvent.id, if both are present."""
    remember_h: float = 48
    answer_budget_s: float = 2.0
    retries: int = Field(default=1, ge=0)
    """Retries of the platform after 500 and 503, within `gate.timeout_s`."""
    fallback: Literal["store_default", "recommendation"] = "store_default"
    send_recommendation: Literal["amazon_recommendation_only", "always", "never"] = "amazon_recommendation_only"
    none_calls: bool = False
    """Whether the platform calls the connector under the strategy None."""


class ResolveScan(HouseGroup):
    """Resolve Scan."""

    also_required_of_event: tuple[str, ...] = ()
    """Further required members of a scanEvent: timestamp, location, value, channel."""
    locations: tuple[str, ...] = ("ENTRY", "EXIT")
    channels: tuple[str, ...] = ("OPTICAL", "CONTACT", "RADIO")
    value_base64: tuple[str, ...] = ("OPTICAL", "CONTACT")
    """The channels with a Base64 value. Other channels have a raw value."""
    value_pattern: Pattern = "^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$"
    id_as_data: bool = True
    """Resolve from the id if it is not a UUID and there is no value."""
    response_shape: Literal["flat", "wrapped"] = "flat"
    idempotent: bool = True
    remember_h: float = 48
    answer_budget_s: float = 2.0
    profile: Literal["reference", "faq"] = "reference"
    """Which of the two published forms the platform sends."""


class ScanDetails(HouseGroup):
    """Get Scan Details."""

    fewest_promotions: int = Field(default=0, ge=0)
    invalid_status: int = 400


class Gate(HouseGroup):
    """How the gate decides."""

    timeout_s: float = Field(default=2.0, gt=0)
    store_default: Literal["open", "closed"] = "closed"
    qr_pattern: Pattern = ""


class Delivery(HouseGroup):
    """How the platform delivers a cart until the connector accepts it."""

    order_timeout_s: float = 29.0
    backoff_first_s: float = 1.0
    backoff_factor: float = 2.0
    backoff_max_s: float = 300.0
    window_h: float = 24.0
    honour_retry_after: bool = True
    """On 429 only."""
    accept_200: bool = True
    most_at_once: int = Field(default=64, gt=0)
    """Largest number of concurrent attempts over all connectors."""
    most_at_once_per_store: int = Field(default=8, gt=0)
    """Largest number of concurrent attempts to one store's connector. It limits the burst after an outage."""


class Catalog(HouseGroup):
    """The platform's catalog API."""

    rate_per_s: float = 10.0
    burst: int = 10
    retry_after_s: int = 1
    error500_retry_text: str = "Internal Server Error. Retry."
    error500_final_text: str = "Internal Server Error. Do not retry."
    text_max: int = 255
    queue_s: float = 1.0
    process_s: float = 1.0
    name_guide: int = 100
    """The recommended length of an item's name (maintenance guide). A longer name is accepted with a warning."""
    notification_subject: str = Field(default="Catalog Upload Notification", max_length=100, pattern=r"^[!-~][ -~]*$")
    """The `Subject` of a notification. Amazon prints one only of a sister feed: `Amazon S3 Notification`."""


class Barcode(HouseGroup):
    """Which barcode rules the ingestion applies beyond the published ones."""

    ean8_check: bool = True
    gtin_check: bool = True
    isbn_check: bool = True
    infer_type: bool = True
    """Infer the type of a barcode from its length."""
    missing_by_length: bool = True
    """Report a code that is one digit short as a code without its check digit."""


class Simulator(HouseGroup):
    """What the simulated store does."""

    weight_unit: str = "lb"
    associate_cart: bool = False
    """Whether an associate's visit leads to a cart."""
    cart_delay_s: float = Field(default=0.0, ge=0)
    """Seconds from the exit until the cart is final."""
    gate_open_s: float = Field(default=5.0, gt=0)
    """Seconds that a gate stays unlocked after it opens."""
    currency: str = "USD"
    authorized_amount: float = Field(default=50.0, ge=0)
    """Amount of the pre-authorisation at entry, unless the store sets another."""
    risk_rate: float = Field(default=0.02, ge=0, le=1)
    """The share of means of payment that the platform's risk model reports as a risk."""
    palm_type: str = Field(default="PALM", min_length=1)
    """The `type` of a palm in Shopper Authorization. Amazon publishes CREDIT_CARD only."""
    palm_interaction: str = Field(default="HOVER", min_length=1)
    """The `interactionType` of a palm. Amazon publishes TAP only."""


class Auth(HouseGroup):
    """Access to both sides."""

    region: str = "us-east-1"
    max_skew_s: int = 300
    normalize_path: bool = True
    """Whether a signature covers the path without dot segments and double slashes, as AWS signs for `execute-api`."""
    require_signed_token: bool = True
    """Whether a signature must cover the session token. Some clients add the token after they sign."""
    block_amazon_hosts: bool = True


class CallLimits(HouseGroup):
    """How fast an account may make a call. Amazon publishes no rate for the calls beside the catalog."""

    rate_per_s: float = Field(default=100.0, gt=0)
    burst: int = Field(default=100, ge=1)
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


class Suite(HouseGroup):
    """How the suite judges."""

    strict: bool = False
    exact_readers: bool = False
    """Whether a connector must refuse what standard libraries read beyond the contract, such as NaN in JSON."""
    probe_ok: tuple[int, ...] = (200, 201)
    debt_within_s: float = Field(default=5.0, ge=0, le=60)
    """Seconds after the answer to a cart in which its unpaid rest must keep the shopper out; 0 does not judge that."""


class ConnectorGroups(BaseModel):
    """The groups that a connector follows. The settings of the reference connector inherit them."""

    http: Http = Http()
    identity: Identity = Identity()
    scan_key: ScanKeyRules = ScanKeyRules()
    ordering: Ordering = Ordering()
    shopper_auth: ShopperAuth = ShopperAuth()
    resolve_scan: ResolveScan = ResolveScan()
    scan_details: ScanDetails = ScanDetails()
    auth: Auth = Auth()


class PlatformGroups(ConnectorGroups):
    """The groups that the platform follows, those of connectors included. The settings of the platform inherit them."""

    gate: Gate = Gate()
    delivery: Delivery = Delivery()
    catalog: Catalog = Catalog()
    barcode: Barcode = Barcode()
    simulator: Simulator = Simulator()
    payment: Payment = Payment()
    checkout: Checkout = Checkout()
    shopper_identity: ShopperIdentity = ShopperIdentity()
    own_auth: OwnAuth = OwnAuth()
    intra_day: IntraDay = IntraDay()


class House(PlatformGroups, HouseGroup):
    """All groups. `House()` has the shipped defaults."""

    suite: Suite = Suite()

    @classmethod
    def of(cls, groups: ConnectorGroups) -> House:
        """Return the house rules with the values of some groups; the other groups keep their defaults."""
        return cls(**{name: getattr(groups, name) for name in cls.model_fields if name in type(groups).model_fields})

    def value(self, name: str) -> object:
        """Return the value of `group.setting`. Raises KeyError if there is no such setting."""
        group_name, _, setting = name.partition(".")
        group = getattr(self, group_name) if group_name in House.model_fields else None
        if group is None or setting not in type(group).model_fields:
            raise KeyError(name)
        return getattr(group, setting)


DEFAULT = House()
