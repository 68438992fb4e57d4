"""The options of the commands of `jwo catalog`. A command imports `jwo.catalog_calls`, which makes the calls."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from jwo.errors import run, sentence
from jwo_toolkit.extras import require
from jwo_toolkit.own_packages import use_own_packages

if TYPE_CHECKING:
    from reference_connector.catalog_client.summary import Ledger

catalog = typer.Typer(
    help="Upload a catalog to the platform and follow its ingestion. Settings: the variables JWO_CATALOG_*.",
    no_args_is_help=True,
)
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.", show_default="a table")]
ConfirmOption = Annotated[
    bool, typer.Option("--confirm", help="Confirm the SNS subscription first.", show_default="off")
]


@catalog.callback()
def _check_install() -> None:
    """Check that the catalog client is installed, before each command."""
    require("the catalog client", "connector")


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
            help="Record progress here, and resume from here after a failure. "
            "The upload deletes it when every result is known.",
            show_default="no journal",
        ),
    ] = None,
    as_json: JsonOption = False,  # noqa: FBT002 - a flag
) -> None:
    """Upload rows, wait, and show the rejected rows.

    Each rejected row has its reason. Exit 0 if every row was accepted, 1 if a row was rejected or its result did not
    arrive in time, 2 if a call, a file or a setting failed, 130 or 143 after Ctrl-C or SIGTERM. Each of them prints
    what is known, with --json as one document.
    """
    from jwo.catalog_calls import upload_rows
    from reference_connector.catalog_client.summary import Ledger

    ledger = Ledger()
    try:
        upload_rows(file, ledger, confirm=confirm, wait_s=wait_s, journal=journal)
    except BaseException as error:
        ledger.error = _reason(error)
        raise
    finally:
        _show(ledger, as_json=as_json)
    raise typer.Exit(ledger.exit_code())


@catalog.command()
def archive(
    skus: Annotated[list[str], typer.Argument(metavar="SKU", help="SKUs to remove from sale.")],
    stores: Annotated[
        list[str], typer.Option("--store", metavar="ID", help="One of your stores; repeat it for each store.")
    ],
) -> None:
    """Remove SKUs from sale in the named stores, and print the ids of the ingestions. Follow them with `status`."""
    from jwo.catalog_calls import connected

    ingestions: list[str] = []
    with _one_document({"ingestions": ingestions}), connected() as client:
        client.archive(skus, stores, ingestions.append)
    _show_json({"ingestions": ingestions})


@catalog.command()
def status(ingestion_id: Annotated[str, typer.Argument(metavar="INGESTION", help="Id of the ingestion.")]) -> None:
    """Show the progress of an ingestion, as JSON."""
    from jwo.catalog_calls import connected

    with _one_document({"ingestionId": ingestion_id}), connected() as client:
        found = client.status(ingestion_id)
    _show_json(found)


@catalog.command()
def connectivity() -> None:
    """Test that the account may call the platform: one signed call, which changes no catalog. Prints JSON.

    Exit 0 if the platform accepts the account, 1 if its answer reports another status than Success, 2 if it refuses
    the call or does not answer.
    """
    from jwo.catalog_calls import connected

    with _one_document({}), connected() as client:
        found = client.test_connectivity()
    _show_json(found)
    raise typer.Exit(int(found.get("connectivityStatus", "Success") != "Success"))


def _show(ledger: Ledger, *, as_json: bool) -> None:
    """Print what is known. For people, an error before the first upload has its sentence on standard error only."""
    summary = ledger.summary()
    if as_json:
        _show_json(summary)
    elif summary["ingestions"] or not summary["error"]:
        from jwo_toolkit.console import make_console
        from reference_connector.catalog_client.summary import as_table

        make_console().print(as_table(summary))


@contextmanager
def _one_document(known: dict[str, object]) -> Iterator[None]:
    """If the block fails, print what is known together with the reason, as one JSON document."""
    try:
        yield
    except BaseException as error:
        _show_json({**known, "error": _reason(error)})
        raise


def _reason(error: BaseException) -> str:
    """Return a sentence about what ended a command early."""
    if isinstance(error, Exception):
        return sentence(error)
    return "interrupted by SIGTERM" if isinstance(error, SystemExit) else "interrupted by Ctrl-C"


def _show_json(answer: object) -> None:
    print(json.dumps(answer), flush=True)  # noqa: T201 - the command's output


if __name__ == "__main__":
    use_own_packages()
    run(catalog)
