"""All settings of the connector. Environment prefix `JWO_CONNECTOR_`, groups joined by two underscores.

The groups of the house rules are embedded by their own names, so `JWO_CONNECTOR_ORDERING__CHANGED_CART` is
`ordering.changed_cart`.
"""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, SecretStr, field_validator
from pydantic_settings import SettingsConfigDict

from jwo_contract.house import ConnectorGroups, House
from jwo_contract.house_group import HouseGroup
from jwo_contract.settings import RoomSettings
from reference_connector.feeds.settings import Feeds
from reference_connector.payments.checkout_cart import CheckoutPrices
from reference_connector.platform_calls.settings import PlatformAccess

SAMPLE_RETAILER = Path(__file__).with_name("sample_retailer.toml")

_LONGEST_H = 8_760
_LONGEST_S = 3_600 * _LONGEST_H
_CALLER = "JWO_CONNECTOR_CALLER__"


def _names_a_file(path: Path) -> Path:
    """Return a path. Raises ValueError if no file can have it."""
    if not path.name or "\0" in str(path):
        raise ValueError("is not the name of a file; name one")
    return path


FilePath = Annotated[Path, AfterValidator(_names_a_file)]
Seconds = Annotated[float, Field(ge=0, le=_LONGEST_S)]
"""A time of at most a year."""


class Caller(HouseGroup):
    """How the platform authenticates: the mode `sigv4` uses the keys, the mode `headers` uses the headers."""

    mode: Literal["sigv4", "headers", "none"] = "none"
    """How the platform proves who it is: by a signature, by agreed headers, or not at all."""
    access_key_id: str = ""
    """The AWS key that signs, for the mode `sigv4`."""
    secret_access_key: SecretStr = SecretStr("")
    """The secret of that key."""
    session_token: SecretStr | None = None
    """The session token of temporary credentials."""
    headers: dict[str, SecretStr] = Field(default_factory=dict)
    """Names and values of the agreed headers, as JSON, for the mode `headers`."""
    refuse_replays: bool = False
    """Whether a signature is accepted only once, over all workers. Each call then waits for one more record.

    The default is off: two deliveries of one request within a second have the same signature, and idempotency makes the
    second harmless.
    """

    @property
    def missing(self) -> str:
        """What the mode needs and does not have, as a sentence; empty if it has all. It would refuse every caller."""
        if self.mode == "sigv4" and not (self.access_key_id and self.secret_access_key.get_secret_value()):
            return f"{_CALLER}MODE is sigv4, so set {_CALLER}ACCESS_KEY_ID and {_CALLER}SECRET_ACCESS_KEY"
        if self.mode == "headers" and not (
            self.headers and all(value.get_secret_value() for value in self.headers.values())
        ):
            return f"{_CALLER}MODE is headers, so set {_CALLER}HEADERS to a table of names and values, as JSON"
        return ""


class Store(HouseGroup):
    """Where records are stored: in a SQLite file, unless there is a `database_url`.

    At most `batch_max` waiting records share one commit.
    """

    path: FilePath = Path("connector.sqlite3")
    """The SQLite file of the records."""
    busy_timeout_s: Seconds = 5.0
    """How long a write waits for another process that has the file locked."""
    batch_max: int = Field(default=256, ge=1)
    """The most records that share one commit."""
    upgrade_wait_s: float = Field(default=600.0, gt=0, le=_LONGEST_S)
    """How long a start waits while another node upgrades the database. An upgrade of a large database takes minutes."""


class Payments(HouseGroup):
    """Payment by the retailer: the pre-authorisation at the gate, and the outbox, which makes all other calls.

    `ledger` is the file of the simulated provider, by default next to the store's file.
    """

    preauthorise: Decimal = Field(default=Decimal("20.00"), ge=0, decimal_places=2, max_digits=12, allow_inf_nan=False)
    """The amount, in the retailer's currency, that the provider must authorise before the gate opens; 0 asks nothing.

    It applies to shoppers that enter by an app code or a badge and have a means of payment on record. A fixture key is
    no means of payment, so it opens the gate as before.
    """
    gate_budget_s: float = Field(default=1.0, gt=0, le=1.8)
    """How long the gate waits for the provider. The gate's own limit for the whole answer is 2 seconds."""
    when_unclear: Literal["refuse", "open"] = "refuse"
    """What the gate does if the provider has not decided in time, gives no answer, or fails.

    `refuse`: the shopper stays out, and the outbox releases what the provider may have reserved. `open`: the shopper
    enters, and the outbox continues to ask.
    """
    authorisation_h: float = Field(default=48, gt=0, le=_LONGEST_H)
    """How long a pre-authorisation waits for the cart of its trip. Then the outbox releases it."""
    adjust_attempts_max: int = Field(default=5, ge=1)
    """How often the outbox asks for an adjustment that stays pending. Then it captures what was authorised."""
    call_s: float = Field(default=10, gt=0, le=_LONGEST_S)
    """How long the outbox waits for the provider's answer to one call, at most nine tenths of `lease_s`."""
    checkout_prices: CheckoutPrices = "line"
    """What the amounts of `unitPrice` refer to in Checkout Cart, as Amazon does not publish it.

    `line`: all of them to the whole line, which agrees to the cent always. `price_of_unit`: `price` to one unit, and
    the others to the whole line. A quantity has at most 10 characters, so tonnes with a price for a gram do not agree.
    """
    shows_card: bool = False
    """Whether receipts show the brand and the last four digits of a card that Amazon charged: one more call a trip."""
    ledger: FilePath | None = None
    """The file of the simulated provider's ledger."""
    batch: int = Field(default=32, ge=1)
    """How many payments the outbox takes at once."""
    lease_s: Seconds = 30
    """How long a worker may hold a payment before another one takes it over."""
    poll_s: Seconds = 1
    """How often the outbox looks for payments that are due."""
    backoff_first_s: Seconds = 1
    """The wait before the first repetition of a call."""
    backoff_max_s: Seconds = 300
    """The longest wait between two repetitions."""
    attempts_max: int = Field(default=12, ge=1)
    """How often the outbox repeats one call. Then the payment is stuck, and an operator must look."""


class SignInRules(HouseGroup):
    """How shoppers sign in to the app.

    `key` signs the sessions. If it is empty, the connector makes one at its start, and sessions end when it stops.
    Several nodes must share one key.
    """

    key: SecretStr = SecretStr("")
    """The secret that signs sessions."""
    session_h: float = Field(default=12, gt=0, le=_LONGEST_H)
    """How many hours a session lasts."""
    wrong_pins: int = Field(default=5, ge=1)
    """How many wrong PINs lock the sign-in of an account for a while."""
    pause_s: Seconds = 60
    """How long the connector refuses an account's PINs after that many wrong ones."""
    forget_h: float = Field(default=24, gt=0, le=_LONGEST_H)
    """How long the connector remembers wrong PINs."""


class Admin(HouseGroup):
    """Where operators find /ops and /metrics: on a listener of their own, or with a token on the connector's listener.

    Without a `token` they have their own listener, on `host` and `port`. With a token they have one only if `port` is
    set, and callers must send the token in either form: `Authorization: Bearer TOKEN`.
    """

    host: str = "127.0.0.1"
    """The address of the own listener."""
    port: int | None = Field(default=None, ge=0, le=65535)
    """The port of the own listener; 0, or no value without a token, takes a free one."""
    token: SecretStr = SecretStr("")
    """The token that callers of /ops and /metrics must send."""

    @field_validator("token")
    @classmethod
    def _fits_a_header(cls, token: SecretStr) -> SecretStr:
        if not re.fullmatch("[!-~]*", token.get_secret_value()):
            raise ValueError("has a character that a header cannot carry; use ASCII characters without spaces")
        return token

    @property
    def has_own_listener(self) -> bool:
        """Whether /ops and /metrics have a listener of their own."""
        return self.port is not None or not self.token.get_secret_value()

    @property
    def unauthenticated(self) -> tuple[str, ...]:
        """What the own listener answers without authentication, with the setting that changes it."""
        return () if self.token.get_secret_value() else ("/ops and /metrics (set JWO_CONNECTOR_ADMIN__TOKEN)",)


class Limits(HouseGroup):
    """The limits of the connector: it answers 429 past `in_flight` calls, and 400 past `body_bytes`."""

    in_flight: int = Field(default=1000, ge=1)
    """The most calls that a process answers at the same moment. It answers 429 to further calls."""
    calls_per_second: int = Field(default=0, ge=0)
    """How many calls each process answers within any second, all operations together. It answers 429 to further calls.

    0 is no limit.
    """
    body_bytes: int = Field(default=4_000_000, ge=1)
    """The longest body of a request, in bytes."""
    retry_after_s: int = Field(default=1, ge=0)
    """`Retry-After` of a 429, in seconds."""


class ConnectorSettings(RoomSettings, ConnectorGroups):
    """The effective settings; frozen, as the connector reads them once, at its start."""

    model_config = SettingsConfigDict(env_prefix="JWO_CONNECTOR_", validate_by_name=True, validate_by_alias=True)

    caller: Caller = Caller()
    store: Store = Store()
    database_url: SecretStr = Field(default=SecretStr(""), validation_alias="JWO_DATABASE_URL")
    """The address of a PostgreSQL database, used instead of the file; its variable, JWO_DATABASE_URL, has no prefix."""
    payments: Payments = Payments()
    feeds: Feeds = Feeds()
    platform: PlatformAccess = PlatformAccess()
    limits: Limits = Limits()
    sign_in: SignInRules = SignInRules()
    admin: Admin = Admin()
    allow_unauthenticated: bool = False
    """Whether the connector may serve without authentication on an address that is not a loopback address."""
    claim_lease_s: Seconds = 5
    """How long a slow decision holds its claim before another worker may take it over."""
    watch_files_s: Seconds = 5
    """How often the connector looks for changed retailer files and price lists; 0 means never."""
    retailer_files: tuple[FilePath, ...] = (SAMPLE_RETAILER,)
    """The TOML files with stores, shoppers, goods, promotions and taxes."""
    price_lists: tuple[FilePath, ...] = ()
    """CSV files with goods and prices, besides those of the retailer files."""
    hold_back_above: float = Field(default=0.2, ge=0, le=1)
    """The share of products, shoppers or other rows that changed files may lose, or of prices that may change tenfold.

    Above it, the connector holds the files back: it keeps the data that it has, and logs `retailer_files_held_back`
    with the command that accepts them. 1 holds nothing back.
    """
    id_seed: str = ""
    """With a seed, purchase ids are computed from it and the trip, so that two simulated days are equal.

    Without a seed they are random.
    """
    accelerated: bool = True
    """Whether the parts in `reference_connector/accelerated` are used, which give the same answers in less time.

    They are on by default, since they are measured and certified. Without them the connector works with any version of
    uvicorn.
    """
    traces: bool = False
    """Whether the connector sends a span of each answer by OTLP over HTTP. It needs the extra `tracing`.

    OpenTelemetry's variable OTEL_EXPORTER_OTLP_ENDPOINT is the address of the collector. The spans have ids of the
    platform and outcomes, and no data of a shopper.
    """
    catalog_metrics: Path | None = None
    """The file that the catalog client writes (JWO_CATALOG_METRICS_FILE); /metrics shows its metrics too."""
    app_test_keys: bool = False
    """Whether `GET /app/mint/{type}` returns fresh keys for test suites."""
    app_allow_backdated_codes: bool = False
    """Whether the app may request a code with another time of issue."""
    app_refusal_shown_s: Seconds = 3_600
    """How long the app shows why a gate refused its user's last scan, unless a gate opens before."""
    app_badge_pictures: bool = True
    """Whether the app shows its user's badge as a QR symbol, for readers that scan. A photo of it opens gates too."""

    @property
    def unauthenticated(self) -> tuple[str, ...]:
        """What the connector's listener answers without authentication, each with the setting that changes it."""
        calls = "the platform's calls (set JWO_CONNECTOR_CALLER__MODE to sigv4 or headers, with its values)"
        mint = "fresh keys from /app/mint (unset JWO_CONNECTOR_APP_TEST_KEYS)"
        return (*((calls,) if self.caller.mode == "none" else ()), *((mint,) if self.app_test_keys else ()))

    @property
    def payment_ledger(self) -> Path:
        """The file of the simulated provider's ledger."""
        return self.payments.ledger or self.store.path.with_name(f"{self.store.path.stem}-payments.sqlite3")

    @property
    def house(self) -> House:
        """The house rules with this connector's values in place."""
        return House.of(self)
