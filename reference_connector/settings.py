"""All settings of the connector. Environment prefix `JWO_CONNECTOR_`, groups joined by two underscores.

The groups of the house rules are embedded by their own names, so `JWO_CONNECTOR_ORDERING__CHANGED_CART` is
`ordering.changed_cart`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from contract.house import ConnectorGroups, House, HouseGroup
from contract.settings import RoomSettings

SAMPLE_RETAILER = Path(__file__).with_name("sample_retailer.toml")


class Caller(HouseGroup):
    """How the platform proves who it is; the keys serve the mode `sigv4`, the headers the mode `headers`."""

    mode: Literal["sigv4", "headers", "none"] = "none"
    access_key_id: str = ""
    secret_access_key: SecretStr = SecretStr("")
    session_token: SecretStr | None = None
    headers: dict[str, SecretStr] = Field(default_factory=dict)
    refuse_replays: bool = False
    """Whether a signature is good once only, over all workers; each call then waits for one more record. Off, as two
    deliveries of one request within a second have the same signature, and idempotency makes the second harmless."""


class Store(HouseGroup):
    """Where records are kept: a SQLite file, unless there is a `database_url`.

    `batch_max`: how many waiting records share one commit.
    """

    path: Path = Path("connector.sqlite3")
    busy_timeout_s: float = 5.0
    batch_max: int = Field(default=256, ge=1)


class Payments(HouseGroup):
    """How the outbox works. `ledger` is the simulated provider's; empty: beside the store's file."""

    ledger: Path | None = None
    batch: int = Field(default=32, ge=1)
    lease_s: float = 30
    poll_s: float = 1
    backoff_first_s: float = 1
    backoff_max_s: float = 300
    attempts_max: int = Field(default=12, ge=1)


class SignInRules(HouseGroup):
    """How shoppers sign in to the app.

    `key` signs the sessions. Empty, it is made at the start, and they end with the connector; several nodes need one.
    """

    key: SecretStr = SecretStr("")
    session_h: float = Field(default=12, gt=0)
    wrong_pins: int = Field(default=5, ge=1)
    pause_s: float = 60
    """How long an account takes no PIN after that many wrong ones."""


class Limits(HouseGroup):
    """What the connector takes before it says no early: 429 past `in_flight` calls, 400 past `body_bytes`."""

    in_flight: int = Field(default=1000, ge=1)
    body_bytes: int = Field(default=4_000_000, ge=1)
    retry_after_s: int = 1


class ConnectorSettings(RoomSettings, ConnectorGroups):
    """The effective settings; frozen, as everything is made from them once."""

    model_config = SettingsConfigDict(env_prefix="JWO_CONNECTOR_", validate_by_name=True, validate_by_alias=True)

    caller: Caller = Caller()
    store: Store = Store()
    database_url: SecretStr = Field(default=SecretStr(""), validation_alias="JWO_DATABASE_URL")
    """PostgreSQL instead of the file; the variable is JWO_DATABASE_URL, without the prefix."""
    payments: Payments = Payments()
    limits: Limits = Limits()
    sign_in: SignInRules = SignInRules()
    claim_lease_s: float = 5
    """How long a slow decision holds its claim before another worker may take it over."""
    watch_files_s: float = 5
    """How often changed retailer files and price lists are looked for; 0: never."""
    retailer_files: tuple[Path, ...] = (SAMPLE_RETAILER,)
    price_lists: tuple[Path, ...] = ()
    id_seed: str = ""
    """Purchase ids follow from this and the trip, so that two simulated days compare equal; empty: they are random."""
    accelerated: bool = True
    """Whether the parts in `reference_connector/accelerated` serve. They give the same answers at a higher speed, and
    are on, as they are what is measured and certified. Off, the connector is the plain one, which works with any
    uvicorn and without that folder."""
    app_test_keys: bool = False
    """Whether `GET /app/mint/{type}` hands out fresh keys for test suites."""
    app_allow_backdated_codes: bool = False
    """Whether the app may ask for a code with another time of issue."""

    @property
    def payment_ledger(self) -> Path:
        """Where the simulated provider keeps its ledger."""
        return self.payments.ledger or self.store.path.with_name(f"{self.store.path.stem}-payments.sqlite3")

    @property
    def house(self) -> House:
        """The house rules with this connector's values in place."""
        return House.of(self)
