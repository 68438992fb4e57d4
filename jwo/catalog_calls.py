"""The calls of `jwo catalog`, made by the reference catalog client; settings are JWO_CATALOG_*."""

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
    """Yield a client by the settings. Raises Usage for an error of the client: its user can fix it."""
    with _as_usage(), create_client(read(CatalogClientSettings)) as client:
        yield client


def upload_rows(file: Path, *, confirm: bool, wait_s: float, journal: Path | None) -> dict[str, Any]:
    """Upload a file's rows and wait `wait_s` for the results. Raises Usage if the file or the calls do not work."""
    with _as_usage():
        rows = read_rows(file)
    with connected() as client:
        if confirm and not client.confirm_subscription():
            raise Usage(
                "no subscription message arrived; is the queue registered, and does its policy let the topic in?"
            )
        return summarize(client.wait_for_results(_uploaded(client, rows, journal), wait_s))


@contextmanager
def _as_usage() -> Iterator[None]:
    try:
        yield
    except ConnectorError as error:
        hint = getattr(error, "hint", "")
        raise Usage(f"{error}; {hint}" if hint else str(error)) from error


def _uploaded(client: CatalogClient, rows: list[CatalogRow], journal: Path | None) -> list[str]:
    """Upload with a bar on a terminal; standard output is left to the result."""
    kept = UploadJournal(journal) if journal else None
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("uploading rows", total=len(rows))
        ids = client.upload(rows, kept, lambda count: bar.advance(task, count))
    if kept is not None:
        kept.finish()
    return ids
