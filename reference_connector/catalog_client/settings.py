"""Settings of the catalog client. Environment prefix `JWO_CATALOG_`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_settings import SettingsConfigDict

from jwo_contract.house import Auth, Catalog
from jwo_contract.settings import RoomSettings
from reference_connector.catalog_client.rows import SharedBarcodes
from reference_connector.platform_calls.addresses import Address, Credential, Endpoint, Secret
from reference_connector.platform_calls.answers import RETRIED_STATUSES


def _path(text: str) -> str:
    if not text.startswith("/") or not text.isprintable() or any(sign in text for sign in " ?#"):
        raise ValueError("not a path; write it as /portal/connectivity")
    return text


class CatalogClientSettings(RoomSettings):
    """The platform's address, and the caller's keys; `endpoint` is the address without a path."""

    model_config = SettingsConfigDict(env_prefix="JWO_CATALOG_")

    endpoint: Endpoint
    """The address of the platform's catalog API."""
    region: str = "us-east-1"
    """The region of signatures."""
    access_key_id: Credential
    """The AWS key that signs."""
    secret_access_key: Secret
    """The secret of that key."""
    session_token: Secret | None = None
    """The session token of temporary credentials."""
    queue_url: Address = ""
    """The SQS queue of the notifications. Without one, the client gets results by status calls only."""
    aws_endpoint_url: Address = ""
    """The address of SQS. An empty one means AWS itself, which auth.block_amazon_hosts forbids."""
    connectivity_path: Annotated[str, AfterValidator(_path)] = "/portal/connectivity"
    """The path of the connectivity test. Amazon publishes none, so the default is the simulated platform's."""
    ca_file: str = ""
    """Further trusted certificates (PEM), such as those of a company's proxy. Empty: only the usual ones."""
    timeout_s: float = Field(default=30.0, gt=0)
    """The longest wait for a connection, and for each next part of an answer."""
    answer_limit_s: float = Field(default=300.0, gt=0)
    """The longest time that one whole answer may take, however steadily it arrives."""
    answer_limit_bytes: int = Field(default=200_000_000, gt=0)
    """The largest answer or report, after decompression."""
    queue_timeout_s: float = Field(default=10.0, gt=0)
    """The longest wait for an answer of SQS, in addition to the time that it waits for a message."""
    chunk_rows: int = Field(default=10_000, ge=1, le=10_000)
    """The most rows of one upload call."""
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
    metrics_file: Path | None = None
    """A file for the client's metrics in Prometheus' text format, which the next run continues. By default none."""
    max_attempts: int = Field(default=5, ge=1)
    """The most attempts of one call, if each fails in a way that may pass."""
    backoff_first_s: float = Field(default=0.5, ge=0)
    """The pause before the second attempt. It doubles with each attempt, and has a random part of up to this value."""
    retry_wait_max_s: float = Field(default=30.0, ge=0)
    """The longest pause before one more attempt, also if the platform asks for a longer one with Retry-After."""
    retried_statuses: tuple[int, ...] = RETRIED_STATUSES
    """The statuses after which a call is repeated. A 500 with catalog.error500_final_text is final all the same."""
    status_every_s: float = Field(default=1.0, gt=0)
    """How often the client asks for the status of an upload."""

    catalog: Catalog = Catalog()
    auth: Auth = Auth()
