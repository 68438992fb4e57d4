"""All settings of the connector. Environment prefix `JWO_CONNECTOR_`, groups joined by two underscores.

The groups of the house rules are embedded by their own names, so `JWO_CONNECTOR_ORDERING__CHANGED_CART` is
`ordering.changed_cart`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from contract.house import Auth, House, HouseGroup, Http, Identity, Ordering, ScanKeyRules

SAMPLE_RETAILER = Path(__file__).with_name("sample_retailer.toml")


class Caller(HouseGroup):
    """How the platform proves who it is; the keys serve the mode `sigv4`, the headers the mode `headers`."""

    mode: Literal["sigv4", "headers", "none"] = "none"
    access_key_id: str = ""
    secret_access_key: SecretStr = SecretStr("")
    session_token: SecretStr | None = None
    headers: dict[str, SecretStr] = Field(default_factory=dict)


class Store(HouseGroup):
    """Where records are kept. `batch_max`: how many waiting records share one commit."""

    path: Path = Path("connector.sqlite3")
    busy_timeout_s: float = 5.0
    batch_max: int = Field(default=256, ge=1)


class ConnectorSettings(BaseSettings):
    """The effective settings; frozen, as everything is made from them once."""

    model_config = SettingsConfigDict(
        env_prefix="JWO_CONNECTOR_", env_nested_delimiter="__", frozen=True, extra="forbid"
    )

    caller: Caller = Caller()
    store: Store = Store()
    retailer_files: tuple[Path, ...] = (SAMPLE_RETAILER,)
    price_lists: tuple[Path, ...] = ()
    app_test_keys: bool = False
    """Whether `GET /app/mint/{type}` hands out fresh keys for test suites."""
    app_allow_backdated_codes: bool = False
    """Whether the app may ask for a code with another time of issue."""

    http: Http = Http()
    identity: Identity = Identity()
    scan_key: ScanKeyRules = ScanKeyRules()
    ordering: Ordering = Ordering()
    auth: Auth = Auth()

    @property
    def house(self) -> House:
        """The house rules with this connector's values in place."""
        return House(
            http=self.http,
            identity=self.identity,
            scan_key=self.scan_key,
            ordering=self.ordering,
            auth=self.auth,
        )
