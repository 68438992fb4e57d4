"""The calls of `jwo catalog`, made by the reference catalog client with the settings JWO_CATALOG_*."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress

from contract.settings import read
from jwo.errors import Usage
from reference_connector.catalog_client.app import create_client
from reference_connector.catalog_client.client import CatalogClient
from reference_connector.catalog_client.journal import UploadJournal
from reference_connector.catalog_client.rows import CatalogRow, read_rows
from reference_connector.catalog_client.settings import CatalogClientSettings
from reference_connector.catalog_client.summary import summarize
from reference_connector.errors import ConnectorError


@contextmanager
def connected() -> Iterator[CatalogClient]:
    """Yield a client with the settings of the environment. Raises Usage if the client fails: the user can fix this."""
    with _as_usage(), create_client(read(CatalogClientSettings)) as client:
        yield client


def upload_rows(file: Path, *, confirm: bool, wait_s: float, journal: Path | None) -> dict[str, Any]:
    """Upload a file's rows and wait up to `wait_s` for the results. Raises Usage if the file or a call fails."""
    with _as_usage():
        rows = read_rows(file, read(CatalogClientSettings).shared_barcodes)
    with connected() as client:
        if confirm and not client.confirm_subscription():
            raise Usage(
                "no subscription message arrived; check that the queue is registered at the portal, "
                "and that its policy allows the topic to send"
            )
        return summarize(client.wait_for_results(_upload(client, rows, journal), wait_s))


@contextmanager
def _as_usage() -> Iterator[None]:
    try:
        yield
    except ConnectorError as error:
        hint = getattr(error, "hint", "")
        raise Usage(f"{error}; {hint}" if hint else str(error)) from error


def _upload(client: CatalogClient, rows: list[CatalogRow], journal: Path | None) -> list[str]:
    """Upload rows and return the ingestion ids. A progress bar goes to standard error if that is a terminal."""
    resumable = UploadJournal(journal) if journal else None
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("uploading rows", total=len(rows))
        ids = client.upload(rows, resumable, lambda count: bar.advance(task, count))
    if resumable is not None:
        resumable.finish()
    return ids
