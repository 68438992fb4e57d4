"""The options of `jwo catalog upload|archive|status`. A command imports `jwo.catalog_calls`, which makes the calls."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

catalog = typer.Typer(
    help="Upload a catalog to the platform and follow its ingestion. Settings: the variables JWO_CATALOG_*.",
    no_args_is_help=True,
)
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.", show_default="a table")]
ConfirmOption = Annotated[
    bool, typer.Option("--confirm", help="Confirm the SNS subscription first.", show_default="off")
]


@catalog.command()
def upload(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV or JSON file with the rows.")],
    confirm: ConfirmOption = False,  # noqa: FBT002 - a flag
    wait_s: Annotated[
        float, typer.Option("--wait", metavar="SECONDS", min=0, help="Wait this long for results.")
    ] = 120,
    journal: Annotated[
        Path | None,
        typer.Option(
            "--journal",
            metavar="FILE",
            help="Record progress here, and resume from here after a crash. The upload deletes it at the end.",
            show_default="no journal",
        ),
    ] = None,
    as_json: JsonOption = False,  # noqa: FBT002 - a flag
) -> None:
    """Upload rows, wait, and show the rejected rows.

    Each rejected row has its reason. Exit 1 if a row was not accepted.
    """
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
    skus: Annotated[list[str], typer.Argument(metavar="SKU", help="SKUs to remove from sale.")],
    stores: Annotated[
        list[str], typer.Option("--store", metavar="ID", help="One of your stores; repeat it for each store.")
    ],
) -> None:
    """Remove SKUs from sale in the named stores, and print the ids of the ingestions. Follow them with `status`."""
    from jwo.catalog_calls import connected

    with connected() as client:
        _show_json({"ingestions": client.archive(skus, stores)})


@catalog.command()
def status(ingestion_id: Annotated[str, typer.Argument(metavar="INGESTION", help="Id of the ingestion.")]) -> None:
    """Show the progress of an ingestion, as JSON."""
    from jwo.catalog_calls import connected

    with connected() as client:
        _show_json(client.status(ingestion_id))


def _show_json(answer: object) -> None:
    print(json.dumps(answer))  # noqa: T201 - the command's output


if __name__ == "__main__":
    catalog()
