"""`jwo catalog upload|status`: the reference catalog client on the command line; settings are JWO_CATALOG_*."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from contract.settings import read
from jwo.errors import Usage
from jwo.progress import make_console
from reference_connector.catalog_client.app import create_client
from reference_connector.catalog_client.client import CatalogClient
from reference_connector.catalog_client.journal import UploadJournal
from reference_connector.catalog_client.rows import CatalogRow, read_rows
from reference_connector.catalog_client.settings import CatalogClientSettings
from reference_connector.catalog_client.summary import as_table, summarize
from reference_connector.errors import ConnectorError

catalog = typer.Typer(help="Upload a catalog to the platform and follow it.", no_args_is_help=True)
JsonOption = Annotated[bool, typer.Option("--json", help="For programs.")]


@catalog.command()
def upload(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Rows as CSV or JSON.")],
    confirm: Annotated[bool, typer.Option("--confirm", help="Confirm the SNS subscription first.")] = False,  # noqa: FBT002 - a flag
    wait_s: Annotated[float, typer.Option("--wait", metavar="SECONDS", min=0)] = 120,
    journal: Annotated[
        Path | None, typer.Option("--journal", metavar="FILE", help="Go on from here after a crash; gone when done.")
    ] = None,
    as_json: JsonOption = False,  # noqa: FBT002 - a flag
) -> None:
    """Upload rows, wait for the results and show what was rejected and why; exit 1 when a row was."""
    try:
        rows = read_rows(file)
        with create_client(read(CatalogClientSettings)) as client:
            if confirm and not client.confirm_subscription():
                raise Usage(
                    "no subscription message arrived; is the queue registered, and does its policy let the topic in?"
                )
            summary = summarize(client.wait_for_results(_uploaded(client, rows, journal), wait_s))
    except ConnectorError as error:
        raise Usage(_sentence(error)) from error
    _show(json.dumps(summary) if as_json else as_table(summary))
    raise typer.Exit(1 if summary["rejected"] or summary["unfinished"] or summary["failed"] else 0)


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


@catalog.command()
def archive(
    skus: Annotated[list[str], typer.Argument(metavar="SKU", help="The SKUs to take out of sale.")],
    stores: Annotated[list[str], typer.Option("--store", metavar="ID", help="Every store of yours; repeatable.")],
) -> None:
    """Take SKUs out of sale in every store; print the ingestions to follow with `status`."""
    try:
        with create_client(read(CatalogClientSettings)) as client:
            ids = client.archive(skus, stores)
    except ConnectorError as error:
        raise Usage(_sentence(error)) from error
    _show(json.dumps({"ingestions": ids}))


@catalog.command()
def status(ingestion_id: Annotated[str, typer.Argument(metavar="INGESTION")]) -> None:
    """Show how far an ingestion is, as JSON."""
    try:
        with create_client(read(CatalogClientSettings)) as client:
            answer = client.status(ingestion_id)
    except ConnectorError as error:
        raise Usage(_sentence(error)) from error
    _show(json.dumps(answer))


def _sentence(error: ConnectorError) -> str:
    hint = getattr(error, "hint", "")
    return f"{error}; {hint}" if hint else str(error)


def _show(what: object) -> None:
    if isinstance(what, str):
        print(what)  # noqa: T201 - the command's output
    else:
        make_console().print(what)


if __name__ == "__main__":
    catalog()
