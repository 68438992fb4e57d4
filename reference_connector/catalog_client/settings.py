"""Settings of the catalog client. Environment prefix `JWO_CATALOG_`."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from contract.house import Auth, Catalog
from contract.settings import RoomSettings


class CatalogClientSettings(RoomSettings):
    """Where the platform is and who calls it; `endpoint` is its address without a path."""

    model_config = SettingsConfigDict(env_prefix="JWO_CATALOG_")

    endpoint: str
    region: str = "us-east-1"
    access_key_id: str
    secret_access_key: SecretStr
    session_token: SecretStr | None = None
    queue_url: str = ""
    """The SQS queue of the notifications; empty: results are followed by status calls alone."""
    aws_endpoint_url: str = ""
    """Where SQS is; empty is AWS itself, which is refused while auth.block_amazon_hosts is on."""
    timeout_s: float = 30.0
    chunk_rows: int = Field(default=10_000, ge=1, le=10_000)
    workers: int = Field(default=1, ge=1, le=32)
    """How many uploads are under way at once; all of them together keep to catalog.rate_per_s. More than one is for
    rows that name each SKU of a store once: the platform keeps the row that came last."""
    pace_file: Path | None = None
    """Where the clients of one account share their pace; by default a file in the folder for temporary files."""
    max_attempts: int = Field(default=5, ge=1)
    backoff_first_s: float = 0.5
    status_every_s: float = 1.0

    catalog: Catalog = Catalog()
    auth: Auth = Auth()
