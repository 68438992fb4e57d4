"""The house rules as named settings: the kit's decisions where Amazon publishes nothing.

A name has the form `group.setting`; the requirement register and the schemas' `x-house` use it too. The connector, the
platform and the suite use the same groups, so a changed setting changes the behaviour and the expectation together.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

from jwo_contract.house_group import HouseGroup, Pattern
from jwo_contract.house_retailer_calls import Checkout, IntraDay, OwnAuth, Payment, ShopperIdentity


class Http(HouseGroup):
    """Rules for every JSON body."""

    malformed_status: int = 400
    """The status of an answer to a body that is not valid."""
    repeats_personal: bool = False
    """Whether an answer may repeat an identity key or a shopper's data."""
    shows_internals: bool = False
    """Whether an answer may show the connector's inside: stack traces, file paths, SQL, a framework's debug page."""


class Identity(HouseGroup):
    """Verify Identity Keys."""

    locations: tuple[str, ...] = ("ENTRY",)
    """The accepted values of `authEvent.location`."""
    key_channels: tuple[str, ...] = ("OPTICAL", "CONTACT", "RADIO")
    """The accepted values of `keyChannel`."""
    key_max: int = Field(default=1000, ge=1000, le=1336)
    """The longest identityKey: 1000 characters of encoded text. 1336 lets the limit hold for the decoded key."""
    visitor_id_min: int = 1
    """The fewest characters of `visitorDetails.id`."""
    visitor_id_max: int = 255
    """The most characters of `visitorDetails.id`."""
    refusal_status: int = 401
    """For a flagged account, an expired code, a replayed code, a badge that is revoked, lost or expired, and a shopper
    with a declined means of payment or a debt."""
    badge_credential: str = Field(default="employee badge", min_length=1, max_length=255)
    """The credential type of a badge without one. Amazon's list of types is `unknown`, so any text is valid."""
    remember_h: float = 48
    """How many hours a repeated authEvent gets the first answer."""
    remember: tuple[int, ...] = (200, 401)
    """The statuses that a repeated authEvent gets again. Other answers are decided again."""


class ScanKeyRules(HouseGroup):
    """The layout of a Scan Key Code and the retailer's policy for it."""

    prefix: str = Field(default="JWOIMAG", pattern="^[0-9A-Za-z]+$")
    """The text at the beginning of each code of the app."""
    timestamp_digits: int = 11
    """The number of hexadecimal digits of the time of issue."""
    token_digits: int = 21
    """The number of hexadecimal digits of the Recognition Token."""
    max_age_s: int = Field(default=90, ge=30, le=90)
    """How many seconds after its issue a code opens the gate."""
    single_use: bool = True
    """Whether a code opens the gate once only."""


class Ordering(HouseGroup):
    """Create Purchases."""

    auth_event_id_pattern: Pattern = "^[0-9a-zA-Z_.-]+$"
    """The form of an `authEvents.id` in a cart."""
    locations: tuple[str, ...] = ("ENTRY", "EXIT", "MANUAL_IN_STORE")
    """The accepted values of `authEvents.location`."""
    scan_types: tuple[str, ...] = ("SHOPPER", "ASSOCIATE", "CASH", "CASH_SHOPPER", "LOYALTY")
    """The accepted values of `scanResult.type`."""
    identifier_types: tuple[str, ...] = ("UPC", "EAN", "EAN8", "ISBN", "GTIN", "PLU")
    """The accepted types of `externalIdentifiers`."""
    purchase_id_max: int = 255
    """The most characters of a `purchaseId`."""
    duplicate_status: int = 201
    """The status of the answer to a repeated cart."""
    changed_cart: Literal["first_wins", "conflict_409"] = "first_wins"
    """The answer to another cart of the same trip: that of the first cart, or 409."""
    unknown_store: Literal["reject_400", "park"] = "reject_400"
    """The answer to a cart of an unknown store: 400, or a purchase that people clear later (`park`)."""
    unknown_sku: Literal["park", "reject_400"] = "park"
    """`park`: a cart with an unknown SKU is a purchase, which people clear later."""
    answer_budget_s: float = Field(default=2.0, gt=0)
    """The most seconds until the answer to a cart."""
    cash_type: str = "CASH"
    """The value for CASH_SHOPPER in the scanResult of a cart."""


class ShopperAuth(HouseGroup):
    """Shopper Authorization. Amazon does not publish the body of its answer."""

    required_of_identity: tuple[str, ...] = ("id",)
    """The members that `shopperIdentity` must have."""
    also_required: tuple[str, ...] = ()
    """Further required members of a request: authorizedAmount, shopperInteraction."""
    answer_members: tuple[str, ...] = ("shopperAuthorized",)
    """Required members of an answer. It has the shape of the request's recommendation."""
    idempotent: bool = True
    """By shoppingTripId and gateAuthenticationEvent.id, if both are present."""
    remember_h: float = 48
    """How many hours a repeated request gets the first answer."""
    answer_budget_s: float = 2.0
    """The most seconds until the answer."""
    retries: int = Field(default=1, ge=0)
    """Retries of the platform after 500 and 503, within `gate.timeout_s`."""
    fallback: Literal["store_default", "recommendation"] = "store_default"
    """What decides without a usable answer: the store default, or the platform's recommendation."""
    send_recommendation: Literal["amazon_recommendation_only", "always", "never"] = "amazon_recommendation_only"
    """Under which strategies the platform sends its recommendation."""
    none_calls: bool = False
    """Whether the platform calls the connector under the strategy None."""


class ResolveScan(HouseGroup):
    """Resolve Scan."""

    also_required_of_event: tuple[str, ...] = ()
    """Further required members of a scanEvent: timestamp, location, value, channel."""
    locations: tuple[str, ...] = ("ENTRY", "EXIT")
    """The accepted values of `scanEvent.location`."""
    channels: tuple[str, ...] = ("OPTICAL", "CONTACT", "RADIO")
    """The accepted values of `scanEvent.channel`."""
    value_base64: tuple[str, ...] = ("OPTICAL", "CONTACT")
    """The channels with a Base64 value. Other channels have a raw value."""
    value_pattern: Pattern = "^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$"
    """The form of a Base64 value."""
    id_as_data: bool = True
    """Resolve from the id if it is not a UUID and there is no value."""
    response_shape: Literal["flat", "wrapped"] = "flat"
    """The shape of the answer: `flat`, or with the result in `scanResult`."""
    idempotent: bool = True
    """Whether a repeated scan gets the first answer."""
    remember_h: float = 48
    """How many hours a repeated scan gets the first answer."""
    answer_budget_s: float = 2.0
    """The most seconds until the answer."""
    profile: Literal["reference", "faq"] = "reference"
    """Which of the two published forms the platform sends."""


class ScanDetails(HouseGroup):
    """Get Scan Details."""

    fewest_promotions: int = Field(default=0, ge=0)
    """The fewest promotions that an answer must have."""
    invalid_status: int = 400
    """The status of an answer to a request that is not valid."""


class Gate(HouseGroup):
    """How the gate decides."""

    timeout_s: float = Field(default=2.0, gt=0)
    """How many seconds the gate waits for an answer. Then the store default decides."""
    store_default: Literal["open", "closed"] = "closed"
    """What the gate does without a usable answer, unless the store sets another."""
    qr_pattern: Pattern = ""
    """The form of the codes that the gate sends to the connector; empty means any."""


class Delivery(HouseGroup):
    """How the platform delivers a cart until the connector accepts it."""

    order_timeout_s: float = 29.0
    """How many seconds an attempt waits for an answer."""
    backoff_first_s: float = 1.0
    """Seconds before the second attempt."""
    backoff_factor: float = 2.0
    """The factor by which the wait grows after each attempt."""
    backoff_max_s: float = 300.0
    """The longest wait between two attempts, in seconds."""
    window_h: float = 24.0
    """Hours after which the platform gives a cart up."""
    honour_retry_after: bool = True
    """On 429 only."""
    accept_200: bool = True
    """Whether a 200 delivers a cart too. Amazon publishes 201."""
    most_at_once: int = Field(default=64, gt=0)
    """Largest number of concurrent attempts over all connectors."""
    most_at_once_per_store: int = Field(default=8, gt=0)
    """Largest number of concurrent attempts to one store's connector. It limits the burst after an outage."""


class Catalog(HouseGroup):
    """The platform's catalog API."""

    rate_per_s: float = 10.0
    """Calls per second of an account and a call."""
    burst: int = 10
    """How many calls may come at the same moment."""
    retry_after_s: int = 1
    """`Retry-After` of a 429, in seconds."""
    error500_retry_text: str = "Internal Server Error. Retry."
    """The text of a 500 after which another try may succeed."""
    error500_final_text: str = "Internal Server Error. Do not retry."
    """The text of a 500 after which another try fails too."""
    text_max: int = 255
    """The most characters of a text in a catalog item."""
    queue_s: float = 1.0
    """Seconds that an upload waits before it is processed."""
    process_s: float = 1.0
    """Seconds that the processing of an upload takes."""
    name_guide: int = 100
    """The recommended length of an item's name (maintenance guide). A longer name is accepted with a warning."""
    notification_subject: str = Field(default="Catalog Upload Notification", max_length=100, pattern=r"^[!-~][ -~]*$")
    """The `Subject` of a notification. Amazon prints one only of a sister feed: `Amazon S3 Notification`."""


class Barcode(HouseGroup):
    """Which barcode rules the ingestion applies beyond the published ones."""

    ean8_check: bool = True
    """Check the check digit of an EAN-8."""
    gtin_check: bool = True
    """Check the check digit of a GTIN."""
    isbn_check: bool = True
    """Check the check digit of an ISBN."""
    infer_type: bool = True
    """Infer the type of a barcode from its length."""
    missing_by_length: bool = True
    """Report a code that is one digit short as a code without its check digit."""


class Simulator(HouseGroup):
    """What the simulated store does."""

    weight_unit: str = "lb"
    """The unit of goods by weight in a cart."""
    associate_cart: bool = False
    """Whether an associate's visit leads to a cart."""
    cart_delay_s: float = Field(default=0.0, ge=0)
    """Seconds from the exit until the cart is final."""
    gate_open_s: float = Field(default=5.0, gt=0)
    """Seconds that a gate stays unlocked after it opens."""
    currency: str = "USD"
    """The currency of the store, by ISO 4217."""
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
    """The region of signatures."""
    max_skew_s: int = 300
    """By how many seconds the time of a signature may differ from the clock."""
    normalize_path: bool = True
    """Whether a signature covers the path without dot segments and double slashes, as AWS signs for `execute-api`."""
    require_signed_token: bool = True
    """Whether a signature must cover the session token. Some clients add the token after they sign."""
    block_amazon_hosts: bool = True
    """Whether the kit refuses to call addresses of Amazon."""


class Suite(HouseGroup):
    """How the suite judges."""

    strict: bool = False
    """Whether a broken recommendation or house rule fails the run."""
    exact_readers: bool = False
    """Whether a connector must refuse what standard libraries read beyond the contract, such as NaN in JSON."""
    probe_ok: tuple[int, ...] = (200, 201)
    """The statuses that a connectivity test accepts."""
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
