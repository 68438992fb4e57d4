"""The calls of `jwo catalog`, made by the reference catalog client with the settings JWO_CATALOG_*."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from jwo.errors import Usage
from jwo_contract.settings import read
from reference_connector.catalog_client.app import create_client
from reference_connector.catalog_client.client import CatalogClient, Uploaded
from reference_connector.catalog_client.journal import UploadJournal, held_journal
from reference_connector.catalog_client.rows import CatalogRow, read_rows
from reference_connector.catalog_client.settings import CatalogClientSettings
from reference_connector.catalog_client.summary import Ledger
from reference_connector.errors import ConnectorError, PlatformClientError


@contextmanager
def connected() -> Iterator[CatalogClient]:
    """Yield a client with the settings of the environment. Raises Usage if the client fails: the user can fix this."""
    with _as_usage(), create_client(read(CatalogClientSettings)) as client:
        yield client


def upload_rows(file: Path, ledger: Ledger, *, confirm: bool, wait_s: float, journal: Path | None) -> None:
    """Upload a file's rows and wait up to `wait_s` for the results. The ledger has all that is known, at any moment.

    If a call fails for good, it still follows what is uploaded. The journal is deleted when every result is known.
    Raises Usage if the file or a call failed.
    """
    with ExitStack() as held:
        with _as_usage():
            settings = read(CatalogClientSettings)
            rows, remarks = read_rows(file, settings.shared_barcodes)
            ledger.warnings += remarks
            ledger.rows = len(rows)
            if journal:
                held.enter_context(held_journal(journal))
            resumable = UploadJournal(journal, settings.endpoint) if journal else None
        with connected() as client:
            if confirm and not client.confirm_subscription():
                raise Usage(
                    "no subscription message arrived; check JWO_CATALOG_QUEUE_URL, that the queue is registered at the "
                    "portal, and that its policy allows the topic to send"
                )
            ledger.resume = _how_to_resume(journal)
            failure = _upload(client, rows, resumable, ledger)
            client.wait_for_results(ledger.ingestions, wait_s, ledger.add_result)
            if client.queue_problem:
                ledger.warnings.append(f"{client.queue_problem}; status calls replaced the notifications")
            if failure:
                raise failure
            if ledger.is_complete:
                ledger.resume = ""
                if resumable is not None:
                    resumable.finish()
        if problems := ledger.problems:
            more = f" ({len(problems)} ingestions have such a problem)" if len(problems) > 1 else ""
            raise Usage(f"the result of {problems[0].ingestion_id} is not known: {problems[0].problem}{more}")


def _how_to_resume(journal: Path | None) -> str:
    if journal is None:
        return (
            "to get the missing results: jwo catalog status INGESTION, for each ingestion above; to resume an upload "
            "where it stopped, give it --journal FILE"
        )
    return (
        f"to resume: run the same command again, with --journal {shlex.quote(str(journal))}; it uploads only what is "
        "missing and waits for all results. To begin again instead, delete that file"
    )


@contextmanager
def _as_usage() -> Iterator[None]:
    try:
        yield
    except ConnectorError as error:
        raise Usage(f"{error}; {error.hint}" if error.hint else str(error)) from error


def _upload(
    client: CatalogClient, rows: list[CatalogRow], journal: UploadJournal | None, ledger: Ledger
) -> PlatformClientError | None:
    """Upload rows, and return the failure that ended it early. A progress bar goes to a terminal's standard error."""
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("uploading rows", total=len(rows))

        def note(uploaded: Uploaded) -> None:
            ledger.add_upload(uploaded)
            bar.advance(task, uploaded.rows)

        try:
            client.upload(rows, journal, note)
        except PlatformClientError as error:
            return error
    return None
