"""`jwo catalog upload|archive|status`: its options. `jwo.catalog_calls` makes the calls, and is imported only then."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

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
    from jwo.catalog_calls import upload_rows
    from jwo_toolkit.console import make_console
    from reference_connector.catalog_client.summary import as_table

    summary = upload_rows(file, confirm=confirm, wait_s=wait_s, journal=journal)
    if as_json:
        _show_json(summary)
    else:
        make_console().print(as_table(summary))
    raise typer.Exit(1 if summary["rejected"] or summary["unfinished"] or summary["failed"] else 0)


@catalog.command()
def archive(
    skus: Annotated[list[str], typer.Argument(metavar="SKU", help="The SKUs to take out of sale.")],
    stores: Annotated[list[str], typer.Option("--store", metavar="ID", help="Every store of yours; repeatable.")],
) -> None:
    """Take SKUs out of sale in every store; print the ingestions to follow with `status`."""
    from jwo.catalog_calls import connected

    with connected() as client:
        _show_json({"ingestions": client.archive(skus, stores)})


@catalog.command()
def status(ingestion_id: Annotated[str, typer.Argument(metavar="INGESTION")]) -> None:
    """Show how far an ingestion is, as JSON."""
    from jwo.catalog_calls import connected

    with connected() as client:
        _show_json(client.status(ingestion_id))


def _show_json(answer: object) -> None:
    print(json.dumps(answer))  # noqa: T201 - the command's output


if __name__ == "__main__":
    catalog()
