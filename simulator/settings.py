"""The platform's settings, from variables `JWO_PLATFORM_*`; house rules are named as `JWO_PLATFORM_GATE__TIMEOUT_S`."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from contract.house import House, PlatformGroups
from contract.settings import RoomSettings
from contract.sigv4 import Key


class PlatformSettings(RoomSettings, PlatformGroups):
    """All settings of the platform."""

    model_config = SettingsConfigDict(env_prefix="JWO_PLATFORM_")

    base_url: str = Field(pattern="^https?://", description="The platform's own address, for its links.")
    world: Path | None = Field(default=None, description="A world file; its stores and gates exist from the start.")
    database_path: str = Field(default=":memory:", description="SQLite file; more files have names that begin with it.")
    journal_path: Path | None = Field(
        default=None, description="NDJSON file of the journal; next to a database by default."
    )
    seed: int | None = Field(default=None, description="The same seed gives the same ids, chances and journal.")
    clock_speed: float = Field(default=1.0, ge=0, description="Platform seconds in a real second; 0 stops the clock.")
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

    stores_alone: bool = Field(default=False, description="Gates, trips and deliveries without catalogs; needs no AWS.")
    aws_endpoint_url: str = Field(pattern="^https?://", description="The address of the emulator of SNS, SQS and S3.")
    aws_region: str = "us-east-1"
    aws_access_key_id: str = "platform"
    aws_secret_access_key: SecretStr = SecretStr("platform")
    report_bucket: str = "jwo-catalog-reports"
    topic_name: str = "jwo-catalog-notifications"

    connector_access_key_id: str = Field(default="jwo-platform", description="Signs the calls to connectors.")
    connector_secret_access_key: SecretStr = SecretStr("jwo-platform-secret")
    connector_session_token: SecretStr | None = None
    connector_ca_file: str = Field(default="", description="Certificates (PEM) to trust in calls to connectors.")

    @property
    def house(self) -> House:
        """Return the house rules in force."""
        return House.of(self)

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
