"""The profile, `jwo.toml`: what the suite and the load scenarios must know about a connector under test.

An empty value is not declared: the report shows cases that need it as not applicable, never as passed. A value of the
form `env:NAME` is read from the environment, so the file needs no secret.
"""

from __future__ import annotations

import base64
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, ValidationError, field_validator, model_validator

from jwo_contract.errors import BadProfile, UnknownEdition
from jwo_contract.hosts import is_amazons
from jwo_contract.house import House
from jwo_contract.invalid import describe
from jwo_contract.key_kinds import KEY_KINDS, KeyKind
from jwo_contract.not_offered import ENTRIES, Offer
from jwo_contract.own_cases import OwnCase
from jwo_contract.profile_connector import CommandLine, ConnectorTable, Table, checked_url
from jwo_contract.register import rules


class StoreTable(Table):
    """A store that the connector serves, a second store where the shopper may enter, and an unknown store id."""

    id: str = Field(default="", max_length=255)
    """A store that the connector serves."""
    other_id: str = Field(default="", max_length=255)
    """A second store where the shopper may enter; the suite checks that stores do not mix."""
    unknown_id: str = Field(default="NO-SUCH-STORE", min_length=1, max_length=255)
    """An id that the connector does not know."""

    @model_validator(mode="after")
    def _are_different(self) -> Self:
        if self.unknown_id in {self.id, self.other_id}:
            raise ValueError("unknown_id is the id of a declared store; use an id that the connector does not know")
        if self.other_id and self.other_id == self.id:
            raise ValueError("other_id is the same store as id; name a second store, or leave it empty")
        return self


class KeysTable(Table):
    """Identity keys by kind: fixed Base64 values, or a command or address that makes a fresh key for each call."""

    shopper: str = ""
    """The key of a shopper: the gate opens."""
    associate: str = ""
    """The key of a person who works in the store."""
    cash_shopper: str = ""
    """The key of a shopper who pays with cash."""
    refused: str = ""
    """The key of a known shopper that the connector refuses."""
    expired: str = ""
    """An expired key."""
    used: str = ""
    """A key that works once and was used before."""
    unknown: str = ""
    """A key that the connector does not know; without one, the suite makes a random key."""
    badge: str = ""
    """The key of a badge that opens the gate; it belongs to a shopper or an associate."""
    associate_badge: str = ""
    """The key of a badge of a person who works in the store."""
    revoked_badge: str = ""
    """The key of a badge that was revoked: the connector refuses it."""
    lost_badge: str = ""
    """The key of a badge that was reported as lost."""
    expired_badge: str = ""
    """The key of an expired badge."""
    declined_payment: str = ""
    """A key of a shopper with a means of payment that is declined."""
    in_debt: str = ""
    """A key of a shopper with an outstanding balance."""
    debt_after_trip: str = ""
    """A key that opens the gate again and again until the payment of its shopper is declined after a trip.

    If the keys are minted, all of them belong to one shopper, and each new one clears the debt of that shopper.
    """
    command: CommandLine = ""
    """A command that prints a fresh key; the suite replaces `{type}` by the kind."""
    url: str = ""
    """An address that answers `{"identityKey": "…"}`; the suite replaces `{type}` by the kind."""
    minted: tuple[KeyKind, ...] = ("shopper", "associate")
    """The kinds that `command` or `url` can make."""

    @field_validator(*KEY_KINDS)
    @classmethod
    def _is_base64(cls, key: str) -> str:
        try:
            base64.b64decode(key, validate=True)
        except ValueError as error:
            raise ValueError("not a valid identityKey; use standard Base64 with padding") from error
        return key


class CatalogTable(Table):
    """Items that the connector knows."""

    skus: tuple[str, ...] = ()
    """Items that a cart names by their SKU; the first is what shoppers of the `E2E` cases take."""
    scancodes: tuple[str, ...] = ()
    """Items that a cart names by a scanned code."""
    weighted_skus: tuple[str, ...] = ()
    """Items that are sold by weight."""

    @field_validator("skus", "scancodes", "weighted_skus")
    @classmethod
    def _are_different(cls, items: tuple[str, ...]) -> tuple[str, ...]:
        if len(items) != len(set(items)) or not all(items):
            raise ValueError("an item is empty or repeated; name each item once")
        return items


class LimitsTable(Table):
    """The rate that the connector enforces, 0 if it is not declared, and how long it may be idle."""

    rate_limit_per_second: int = Field(default=0, ge=0, le=1000)
    """The calls per second that the connector enforces; 0 is no limit. The suite stays below it, and tests it once."""
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
        return checked_url(url) if url else ""

    @model_validator(mode="after")
    def _has_a_rate(self) -> Self:
        if self.url and not self.rate_limit_per_second:
            raise ValueError("url needs rate_limit_per_second; set the rate that the connector enforces there")
        return self


class TiersTable(Table):
    """Calls beyond the core that the connector answers."""

    shopper_authorization: bool = False
    """Shopper Authorization; its cases need `[shopper_identities]`."""
    resolve_scan: bool = False
    """Resolve Scan and Get Scan Details; their cases need `[scans]`."""


class ShopperIdentitiesTable(Table):
    """Ids of means of payment that the connector knows, one for each expected decision of Shopper Authorization."""

    low_risk: str = ""
    """It is authorized."""
    high_risk: str = ""
    """It is denied because of a risk."""
    adjusted: str = ""
    """It is authorized with another amount."""
    invalid_card: str = ""
    """It is denied because the card is invalid."""
    expired_card: str = ""
    """It is denied because the card is expired."""
    outstanding_balance: str = ""
    """It is denied because the shopper owes money."""


class ScansTable(Table):
    """Scanned contents as Base64, one for each expected resolution of Resolve Scan."""

    accepted: str = ""
    """A content that the connector resolves."""
    rejected: str = ""
    """A content that the connector rejects."""


class ClientTable(Table):
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


class SuiteTable(Table):
    """The edition that judges, and what a certification need not judge."""

    edition: str = ""
    """The edition of Amazon's documentation that judges, such as `2026-02`; empty for the newest."""
    not_offered: tuple[Offer, ...] = ()
    """What the retailer does not offer. Cases that need it are not applicable, and the run can be complete."""

    @field_validator("edition")
    @classmethod
    def _is_known(cls, edition: str) -> str:
        try:
            rules(edition)
        except UnknownEdition as error:
            raise ValueError(f"{error}; name one of these, or install a newer version of the kit") from error
        return edition


class Profile(Table):
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
    case: tuple[OwnCase, ...] = ()
    """Cases of the owner, which `jwo certify` runs besides those of the suite."""

    @field_validator("case")
    @classmethod
    def _have_different_names(cls, cases: tuple[OwnCase, ...]) -> tuple[OwnCase, ...]:
        names = [each.name.casefold() for each in cases]
        twice = next((each.name for each in cases if names.count(each.name.casefold()) > 1), "")
        if twice:
            raise ValueError(f"two cases have the name {twice!r}; give each case a name of its own")
        return cases

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
        return [kind for kind in KEY_KINDS if getattr(self.keys, kind) or kind in minted]


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
