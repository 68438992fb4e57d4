"""The platform's settings, from variables `JWO_PLATFORM_*`; house rules are named as `JWO_PLATFORM_GATE__TIMEOUT_S`."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import SettingsConfigDict

from jwo_contract.house import Auth, House, PlatformGroups
from jwo_contract.settings import RoomSettings
from jwo_contract.sigv4 import Key
from jwo_toolkit.tls import unusable
from simulator.errors import SimulatorError
from simulator.hosts import aws_url, origin

_FORMS = {
    "aws_region": ("[A-Za-z]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?", "is no region; write it like us-east-1"),
    "aws_access_key_id": ("[!-~]+", "must be one word of visible ASCII characters"),
    "connector_access_key_id": (
        "[!-+.0-~-]+",
        "must be one word of visible ASCII characters without commas and slashes",
    ),
    "report_bucket": ("[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", "must be 3 to 63 small letters, digits, dots and hyphens"),
    "intra_day_bucket": ("[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", "must be 3 to 63 small letters, digits, dots and hyphens"),
    "intra_day_topic": ("[A-Za-z0-9_-]{1,256}", "must be 1 to 256 letters, digits, hyphens and underscores"),
    "topic_name": ("[A-Za-z0-9_-]{1,256}", "must be 1 to 256 letters, digits, hyphens and underscores"),
}
"""The form of a setting, and what to say about another value."""
_FIRST_YEAR, _LAST_YEAR = 1970, 9000
"""Of the platform's clock: its times stay far from the ends of the calendar, also in other zones and years later."""


class PlatformSettings(RoomSettings, PlatformGroups):
    """All settings of the platform."""

    model_config = SettingsConfigDict(env_prefix="JWO_PLATFORM_")

    base_url: Annotated[str, AfterValidator(origin)] = Field(
        description="The platform's address in its links, such as a proxy's; `jwo platform` uses its own by default."
    )
    world: Path | None = Field(default=None, description="A world file; its stores and gates exist from the start.")
    database_path: str = Field(default=":memory:", description="SQLite file; more files have names that begin with it.")
    journal_path: Path | None = Field(
        default=None, description="NDJSON file of the journal; next to a database by default."
    )
    profile_path: Path | None = Field(
        default=None, description="A profile, jwo.toml; the page Wire can add cases at its end."
    )
    seed: int | None = Field(default=None, description="The same seed gives the same ids, chances and journal.")
    clock_speed: float = Field(
        default=1.0, ge=0, allow_inf_nan=False, description="Platform seconds in a real second; 0 stops the clock."
    )
    clock_start: datetime | None = Field(default=None, description="The platform's first time; now by default.")
    journal_entries: int = Field(
        default=10_000, gt=0, description="How many exchanges and decisions the control API shows."
    )
    journal_file_bytes: int = Field(
        default=250_000_000,
        ge=0,
        description="Size at which the journal starts a new file and keeps only one earlier file; 0 keeps all in one.",
    )
    ended_trips: int = Field(
        default=100_000,
        ge=0,
        description="How many ended trips the control API shows, the newest; 0 keeps all. Carts stay with deliveries.",
    )

    allow_unauthenticated: bool = Field(
        default=False,
        description="Whether the platform, which has no login, may serve on an address that is not a loopback address.",
    )
    access_token: SecretStr = Field(
        default=SecretStr(""),
        description="Token that the pages, the control API, the portal and the gates need; empty means none.",
    )
    allowed_hosts: tuple[str, ...] = Field(
        default=(), description="More names of this platform, such as a proxy's; others are refused without a token."
    )
    stores_alone: bool = Field(default=False, description="Gates, trips and deliveries without catalogs; needs no AWS.")
    aws_endpoint_url: str = Field(
        default="", validate_default=True, description="The address of the emulator of SNS, SQS and S3."
    )
    aws_region: str = "us-east-1"
    """The region of SNS, SQS and S3."""
    aws_access_key_id: str = "platform"
    """The key for SNS, SQS and S3."""
    aws_secret_access_key: SecretStr = SecretStr("platform")
    """The secret of that key."""
    aws_timeout_s: float = Field(default=10.0, gt=0, description="Wait of one call to connect, and for the answer.")
    report_bucket: str = "jwo-catalog-reports"
    """The bucket of the reports of uploads."""
    topic_name: str = "jwo-catalog-notifications"
    """The name of the SNS topic for finished uploads."""
    intra_day_bucket: str = "jwo-intra-day-files"
    """The bucket of the intra-day files."""
    intra_day_topic: str = "jwo-intra-day-reporting"
    """The name of the SNS topic for intra-day files."""

    connector_access_key_id: str = Field(default="jwo-platform", description="Signs the calls to connectors.")
    connector_secret_access_key: SecretStr = SecretStr("jwo-platform-secret")
    """The secret by which the platform signs calls to connectors."""
    connector_session_token: SecretStr | None = None
    """The session token of those calls, if they have one."""
    connector_ca_file: str = Field(default="", description="Certificates (PEM) to trust in calls to connectors.")

    @field_validator("aws_endpoint_url")
    @classmethod
    def _names_aws(cls, url: str, info: ValidationInfo) -> str:
        """Check the address; only a platform of stores alone needs none."""
        if not url:
            if info.data.get("stores_alone"):
                return url
            raise ValueError(
                "missing; set the address of SNS, SQS and S3 (jwo aws serves them), "
                "or JWO_PLATFORM_STORES_ALONE=true for a platform without catalogs"
            )
        auth = info.data.get("auth") or Auth()
        try:
            return aws_url(url, block_amazon=auth.block_amazon_hosts)
        except SimulatorError as error:
            raise ValueError(f"{error}; set the address of an emulator, as jwo aws prints it") from error

    @field_validator("clock_start")
    @classmethod
    def _is_far_from_the_ends(cls, start: datetime | None) -> datetime | None:
        if start and not _FIRST_YEAR <= start.year <= _LAST_YEAR:
            raise ValueError(f"is in the year {start.year}; use a year from {_FIRST_YEAR} to {_LAST_YEAR}")
        return start

    @field_validator(*_FORMS)
    @classmethod
    def _has_form(cls, value: str, info: ValidationInfo) -> str:
        form, words = _FORMS[str(info.field_name)]
        if not re.fullmatch(form, value):
            raise ValueError(words)
        return value

    @field_validator("access_token")
    @classmethod
    def _is_long_enough(cls, token: SecretStr) -> SecretStr:
        value = token.get_secret_value()
        if value and not re.fullmatch("[!-~]{16,}", value):
            raise ValueError("must be 16 or more visible ASCII characters without spaces, or empty for no token")
        return token

    @field_validator("connector_session_token")
    @classmethod
    def _fits_a_header(cls, token: SecretStr | None) -> SecretStr | None:
        if token and not re.fullmatch("[!-~]*", token.get_secret_value()):
            raise ValueError("has a character that a header cannot carry; use ASCII characters without spaces")
        return token

    @field_validator("aws_secret_access_key", "connector_secret_access_key")
    @classmethod
    def _is_given(cls, secret: SecretStr) -> SecretStr:
        if not secret.get_secret_value():
            raise ValueError("is empty; set it, or unset the variable for the default")
        return secret

    @field_validator("connector_ca_file")
    @classmethod
    def _holds_certificates(cls, path: str) -> str:
        if path and (problem := unusable(path)):
            raise ValueError(f"{path}: {problem}; name a file of certificates in PEM form")
        return path

    @property
    def house(self) -> House:
        """Return the house rules in force."""
        return House.of(self)

    @property
    def hosts(self) -> frozenset[str]:
        """Return the names of this platform in small letters, without ports."""
        own = urlsplit(self.base_url).hostname or ""
        return frozenset({own, *(name.lower() for name in self.allowed_hosts)})

    @property
    def connector_key(self) -> Key:
        """Return the key that signs calls to connectors."""
        token = self.connector_session_token
        return Key(
            self.connector_access_key_id,
            self.connector_secret_access_key.get_secret_value(),
            token.get_secret_value() if token else None,
        )

    @property
    def aws_key(self) -> Key:
        """Return the key of the platform's own AWS account."""
        return Key(self.aws_access_key_id, self.aws_secret_access_key.get_secret_value())
