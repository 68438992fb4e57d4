"""Settings of the catalog client. Environment prefix `JWO_CATALOG_`."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from contract.house import Auth, Catalog
from contract.settings import RoomSettings
from reference_connector.catalog_client.rows import SharedBarcodes


class CatalogClientSettings(RoomSettings):
    """The platform's address, and the caller's keys; `endpoint` is the address without a path."""

    model_config = SettingsConfigDict(env_prefix="JWO_CATALOG_")

    endpoint: str
    region: str = "us-east-1"
    access_key_id: str
    secret_access_key: SecretStr
    session_token: SecretStr | None = None
    queue_url: str = ""
    """The SQS queue of the notifications. Without one, the client gets results by status calls only."""
    aws_endpoint_url: str = ""
    """The address of SQS. An empty one means AWS itself, which auth.block_amazon_hosts forbids."""
    timeout_s: float = 30.0
    chunk_rows: int = Field(default=10_000, ge=1, le=10_000)
    workers: int = Field(default=1, ge=1, le=32)
    """The number of uploads at the same time; together they keep to catalog.rate_per_s.

    Use more than one only for rows that have each SKU of a store once: the platform keeps the row that arrives last.
    """
    shared_barcodes: SharedBarcodes = "refuse"
    """Whether the client refuses a file in which two SKUs of a store share a barcode, or leaves them to the platform.

    `send` leaves them to the platform, which rejects the later one in its report.
    """
    pace_file: Path | None = None
    """The file by which the clients of one account share their pace; by default in the folder for temporary files."""
    max_attempts: int = Field(default=5, ge=1)
    backoff_first_s: float = 0.5
    status_every_s: float = 1.0

    catalog: Catalog = Catalog()
    auth: Auth = Auth()
