"""The profile, `jwo.toml`: what the suite and the load scenarios must know about a connector under test.

An empty value is not declared: the report shows cases that need it as not applicable, never as passed. A value of the
form `env:NAME` is read from the environment, so the file needs no secret.
"""

from __future__ import annotations

import base64
import os
import re
import shlex
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_args
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from contract.errors import BadProfile
from contract.hosts import is_amazons
from contract.house import House
from contract.invalid import describe
from contract.not_offered import ENTRIES, Offer
from contract.sigv4 import Key
from jwo_toolkit.tls import unusable

_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER_VALUE = re.compile(r"[\t\x20-\x7e]*")


def _command_line(command: str) -> str:
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise ValueError(f"{command!r} is not a command line ({error}); write it as for a shell") from error
    if command and not words:
        raise ValueError("the command is blank; name a program, or leave it empty")
    return command


CommandLine = Annotated[str, AfterValidator(_command_line)]
"""Words as in a shell, but no shell runs them."""

BadgeKind = Literal["badge", "associate_badge", "revoked_badge", "lost_badge", "expired_badge"]
KeyKind = Literal["shopper", "associate", "cash_shopper", "refused", "expired", "used", "unknown"] | BadgeKind
BADGE_KINDS: tuple[BadgeKind, ...] = get_args(BadgeKind)


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


def _checked_url(url: str) -> str:
    """Return an address without a slash at its end. Raises ValueError if no connector can have it."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise ValueError(f"{url!r} is not an http:// or https:// address with a port from 1 to 65535")
    if parts.username is not None or parts.query or parts.fragment:
        raise ValueError("the address has credentials, a query or a fragment; put credentials into headers")
    return url.rstrip("/")


class ConnectorTable(_Table):
    """The connector's address and how it authenticates its callers."""

    url: str
    auth: Literal["none", "headers", "sigv4"] = "none"
    headers: dict[str, str] = Field(default_factory=dict)
    region: str = "us-east-1"
    access_key_id: str = ""
    secret_access_key: str = ""
    session_token: str = ""
    ca_file: str = ""
    """Certificates (PEM) to trust besides the system's: a private CA, or the server's own. `load` makes it absolute."""
    restart_command: CommandLine = ""

    @field_validator("ca_file")
    @classmethod
    def _holds_certificates(cls, ca_file: str) -> str:
        if ca_file and (problem := unusable(ca_file)):
            raise ValueError(f"{ca_file} is not usable ({problem}); name a file with your CA's certificate in PEM form")
        return ca_file

    @field_validator("url")
    @classmethod
    def _is_http(cls, url: str) -> str:
        return _checked_url(url)

    @field_validator("headers")
    @classmethod
    def _can_be_sent(cls, headers: dict[str, str]) -> dict[str, str]:
        for name, value in headers.items():
            if not _HEADER_NAME.fullmatch(name) or not _HEADER_VALUE.fullmatch(value):
                raise ValueError(
                    f"the header {name!r} is not valid; use a name without blanks and a value of printable ASCII"
                )
        return headers

    @model_validator(mode="after")
    def _can_sign(self) -> Self:
        if self.auth == "sigv4" and not (self.access_key_id and self.secret_access_key):
            raise ValueError("auth = sigv4 needs access_key_id and secret_access_key; set both, as env:NAME")
        return self

    @property
    def key(self) -> Key:
        """The AWS key that signs requests when `auth` is `sigv4`."""
        return Key(self.access_key_id, self.secret_access_key, self.session_token or None)


class StoreTable(_Table):
    """A store that the connector serves, a second store where the shopper may enter, and an unknown store id."""

    id: str = Field(default="", max_length=255)
    other_id: str = Field(default="", max_length=255)
    unknown_id: str = Field(default="NO-SUCH-STORE", min_length=1, max_length=255)

    @model_validator(mode="after")
    def _are_different(self) -> Self:
        if self.unknown_id in {self.id, self.other_id}:
            raise ValueError("unknown_id is the id of a declared store; use an id that the connector does not know")
        if self.other_id and self.other_id == self.id:
            raise ValueError("other_id is the same store as id; name a second store, or leave it empty")
        return self


class KeysTable(_Table):
    """Identity keys by kind: fixed Base64 values, or a command or address that makes a fresh key for each call."""

    shopper: str = ""
    associate: str = ""
    cash_shopper: str = ""
    refused: str = ""
    expired: str = ""
    used: str = ""
    unknown: str = ""
    badge: str = ""
    """The key of a badge that opens the gate; it belongs to a shopper or an associate."""
    associate_badge: str = ""
    revoked_badge: str = ""
    lost_badge: str = ""
    expired_badge: str = ""
    command: CommandLine = ""
    url: str = ""
    minted: tuple[KeyKind, ...] = ("shopper", "associate")
    """The kinds that `command` or `url` can make."""

    @field_validator("shopper", "associate", "cash_shopper", "refused", "expired", "used", "unknown", *BADGE_KINDS)
    @classmethod
    def _is_base64(cls, key: str) -> str:
        try:
            base64.b64decode(key, validate=True)
        except ValueError as error:
            raise ValueError("not a valid identityKey; use standard Base64 with padding") from error
        return key


class CatalogTable(_Table):
    """Items that the connector knows."""

    skus: tuple[str, ...] = ()
    scancodes: tuple[str, ...] = ()
    weighted_skus: tuple[str, ...] = ()

    @field_validator("skus", "scancodes", "weighted_skus")
    @classmethod
    def _are_different(cls, items: tuple[str, ...]) -> tuple[str, ...]:
        if len(items) != len(set(items)) or not all(items):
            raise ValueError("an item is empty or repeated; name each item once")
        return items


class LimitsTable(_Table):
    """The rate that the connector enforces, 0 if it is not declared, and how long it may be idle."""

    rate_limit_per_second: int = Field(default=0, ge=0, le=1000)
    url: str = ""
    """Address at which the rate limit holds, if it does not hold at `[connector] url`: a stage with the same records.

    Only the cases about the rate call it. All others call `[connector] url`, as often as they want.
    """
    idle_s: float = Field(default=3.0, ge=0, le=600)
    """Seconds without a call after which the next call must be answered in time; 0 leaves out these cases."""
    burst: int = Field(default=1, ge=1, le=1000)
    """How many calls may arrive at the same moment under the rate limit. With 1, the suite spaces its calls evenly."""
    run_s: int = Field(default=0, ge=0, le=86_400)
    """The most seconds of a run, after which no further case is judged; 0 for 240 s, or more under a rate limit."""

    @field_validator("url")
    @classmethod
    def _is_http(cls, url: str) -> str:
        return _checked_url(url) if url else ""

    @model_validator(mode="after")
    def _has_a_rate(self) -> Self:
        if self.url and not self.rate_limit_per_second:
            raise ValueError("url needs rate_limit_per_second; set the rate that the connector enforces there")
        return self


class TiersTable(_Table):
    """Calls beyond the core that the connector answers."""

    shopper_authorization: bool = False
    resolve_scan: bool = False


class ShopperIdentitiesTable(_Table):
    """Ids of means of payment that the connector knows, one for each expected decision of Shopper Authorization."""

    low_risk: str = ""
    high_risk: str = ""
    adjusted: str = ""
    invalid_card: str = ""
    expired_card: str = ""
    outstanding_balance: str = ""


class ScansTable(_Table):
    """Scanned contents as Base64, one for each expected resolution of Resolve Scan."""

    accepted: str = ""
    rejected: str = ""


class ClientTable(_Table):
    """A client of the retailer: a command that does one job and exits."""

    command: CommandLine = ""
    """The run replaces `{endpoint}` and others by values."""
    environment: dict[str, str] = Field(default_factory=dict)
    """Further environment variables, for a client that uses other names. `{endpoint}` and others work here too."""
    limit_s: float = Field(default=60.0, gt=0, le=3600)
    """Time limit of one run, its waits included. The suite then ends the command."""
    at_once: int = Field(default=4, ge=1, le=32)
    """Largest number of parallel runs, each with a separate account."""


class CatalogClientTable(ClientTable):
    """The retailer's catalog client: a command that uploads one catalog, waits for its results, and exits."""

    tells_rejected: Literal["", "exit_code", "output"] = ""
    """How it reports a rejected row: by an exit code other than 0, or by the SKU in its output."""


class SuiteTable(_Table):
    """What a certification need not judge."""

    not_offered: tuple[Offer, ...] = ()
    """What the retailer does not offer. Cases that need it are not applicable, and the run can be complete."""


class Profile(_Table):
    """All tables of the file."""

    connector: ConnectorTable
    store: StoreTable = StoreTable()
    keys: KeysTable = KeysTable()
    catalog: CatalogTable = CatalogTable()
    limits: LimitsTable = LimitsTable()
    tiers: TiersTable = TiersTable()
    shopper_identities: ShopperIdentitiesTable = ShopperIdentitiesTable()
    scans: ScansTable = ScansTable()
    catalog_client: CatalogClientTable = CatalogClientTable()
    payment_client: ClientTable = ClientTable()
    """The client that adjusts, captures, cancels and refunds charges, in a store where Amazon handles the card."""
    checkout_client: ClientTable = ClientTable()
    """The client that sends priced carts, in a store where Amazon charges the shopper."""
    feed_consumer: ClientTable = ClientTable()
    """The program that books the intra-day files."""
    suite: SuiteTable = SuiteTable()
    house: House = House()

    @model_validator(mode="after")
    def _is_not_amazon(self) -> Self:
        for url in (self.connector.url, self.limits.url):
            if url and self.house.auth.block_amazon_hosts and is_amazons(url):
                raise ValueError(f"{url} is Amazon's; use the address of the retailer's connector")
        return self

    @model_validator(mode="after")
    def _offers_what_it_declares(self) -> Self:
        for name in self.suite.not_offered:
            if name in ENTRIES and self._declares(name):
                raise ValueError(
                    f"[suite] not_offered lists {name}, and {ENTRIES[name]} declares it; remove one of the two"
                )
        return self

    @property
    def at_usual_address(self) -> Profile:
        """The profile for `[connector] url`: without a rate limit if `[limits] url` says where it holds."""
        if not self.limits.url:
            return self
        return self.model_copy(
            update={"limits": self.limits.model_copy(update={"rate_limit_per_second": 0, "url": "", "burst": 1})}
        )

    @property
    def at_rate_limit(self) -> Profile:
        """The profile for the address at which the rate limit holds."""
        if not self.limits.url:
            return self
        return self.model_copy(
            update={
                "connector": self.connector.model_copy(update={"url": self.limits.url}),
                "limits": self.limits.model_copy(update={"url": ""}),
            }
        )

    def _declares(self, name: Offer) -> bool:
        table, key = ENTRIES[name]
        is_minted = table == "keys" and key in self.declared_keys()
        return is_minted or bool(getattr(getattr(self, table), key))

    def declared_keys(self) -> list[str]:
        """Return the kinds of identity keys that the suite can get."""
        minted = self.keys.minted if self.keys.command or self.keys.url else ()
        kinds = ("shopper", "associate", "cash_shopper", "refused", "expired", "used", "unknown", *BADGE_KINDS)
        return [kind for kind in kinds if getattr(self.keys, kind) or kind in minted]


def for_url(url: str) -> Profile:
    """Return a profile that declares only the connector's address. Raises BadProfile if the address is not valid."""
    return _checked({"connector": {"url": url}}, "--connector")


def load(path: Path, environment: Mapping[str, str] = os.environ, *, url: str = "") -> Profile:
    """Read a profile; `url` replaces its address. Raises BadProfile if the profile is missing or not valid."""
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError as error:
        raise BadProfile(f"{path} does not exist; write a profile with: jwo init") from error
    except OSError as error:
        raise BadProfile(f"cannot read the profile {path} ({error.strerror}); name a readable jwo.toml") from error
    except UnicodeDecodeError as error:
        raise BadProfile(f"the profile {path} is not UTF-8 text ({error.reason}); save it as UTF-8") from error
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadProfile(f"the profile {path} is not valid TOML: {error}; fix it there") from error
    if url and isinstance(tables.setdefault("connector", {}), dict):
        tables["connector"]["url"] = url
    declared = _from_environment(tables, str(path), environment)
    _make_absolute(declared.get("connector"), path)
    return _checked(declared, str(path))


def _make_absolute(connector: object, path: Path) -> None:
    """Change a `ca_file` that is relative to the profile into a full path."""
    if isinstance(connector, dict) and isinstance(connector.get("ca_file"), str) and connector["ca_file"]:
        connector["ca_file"] = str(path.absolute().parent / Path(connector["ca_file"]).expanduser())


def _checked(tables: dict[str, Any], source: str) -> Profile:
    try:
        return Profile.model_validate(tables)
    except ValidationError as error:
        wrong = "; ".join(
            ": ".join(part for part in (".".join(map(str, entry["loc"])), describe(Profile, entry)) if part)
            for entry in error.errors()
        )
        raise BadProfile(f"{source}: {wrong}") from error


def _from_environment(value: Any, where: str, environment: Mapping[str, str]) -> Any:  # noqa: ANN401 - any TOML value
    if isinstance(value, dict):
        return {name: _from_environment(entry, f"{where}: {name}", environment) for name, entry in value.items()}
    if not isinstance(value, str) or not value.startswith("env:"):
        return value
    name = value.removeprefix("env:")
    if name not in environment:
        raise BadProfile(f"{where} needs the environment variable {name}, which is not set; export it first")
    return environment[name]
