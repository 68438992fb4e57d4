"""The commands `jwo connector`, `jwo platform`, `jwo aws` and `jwo mutant`: servers, by default on a free port.

`jwo connector` and `python -m reference_connector` share `reference_connector.serving`.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

commands = typer.Typer()
_STORE_PATH = "JWO_CONNECTOR_STORE__PATH"
PortOption = Annotated[int, typer.Option("--port", min=0, max=65535, help="Port; 0 takes a free one.")]
HostOption = Annotated[str, typer.Option("--host", metavar="HOST", help="Address or name to listen on.")]
AllowOption = Annotated[
    bool,
    typer.Option(
        "--allow-unauthenticated",
        help="Allow a --host that is not a loopback address, where every caller can use what has no login.",
        show_default="off",
    ),
]
WorkersOption = Annotated[
    int, typer.Option("--workers", min=1, help="Number of processes that share the port and the store.")
]


_CONTROL = "the pages, the control API, the portal and the gates (set JWO_PLATFORM_ACCESS_TOKEN)"
_EMULATOR = "the AWS emulator (it checks no credentials)"
ReadyOption = Annotated[
    bool,
    typer.Option(
        "--ready",
        help="Add a simulated AWS, an account and a store, and print example calls.",
        show_default="off",
    ),
]
DatabaseOption = Annotated[
    Path | None,
    typer.Option(
        "--database",
        metavar="FILE",
        help="SQLite file of the records; like JWO_CONNECTOR_STORE__PATH.",
        show_default="connector.sqlite3 in this folder",
    ),
]


@commands.command()
def connector(
    port: PortOption = 0,
    workers: WorkersOption = 1,
    host: HostOption = "127.0.0.1",
    database: DatabaseOption = None,
    allow_unauthenticated: AllowOption = False,  # noqa: FBT002 - a flag of the command line
) -> None:
    """Serve the reference connector. Its settings are the variables JWO_CONNECTOR_*.

    It first prints to standard error where it stores its records.
    """
    from jwo.serving import cannot_bind
    from reference_connector.serving import serve

    if database:
        _choose_database(database)
    try:
        serve(host, port, workers=workers, stop_within_s=5, allow_unauthenticated=allow_unauthenticated)
    except OSError as error:
        raise cannot_bind(port, error) from error


def _choose_database(path: Path) -> None:
    """Set the file of the records, for this process and its workers. Raises Usage if a variable sets another place."""
    from jwo.errors import Usage

    upper = {name.upper(): name for name in os.environ}
    for variable in ("JWO_DATABASE_URL", _STORE_PATH):
        if os.environ.get(upper.get(variable, ""), ""):
            raise Usage(f"--database and {variable} both say where the records go; omit one of them")
    if upper.get(_STORE_PATH):
        del os.environ[upper[_STORE_PATH]]
    os.environ[_STORE_PATH] = str(path)


@commands.command()
def platform(
    port: PortOption = 0,
    host: HostOption = "127.0.0.1",
    allow_unauthenticated: AllowOption = False,  # noqa: FBT002 - a flag of the command line
    ready: ReadyOption = False,  # noqa: FBT002 - as above
) -> None:
    """Serve the simulated JWO platform and its web pages. Its settings are the variables JWO_PLATFORM_*.

    Without JWO_PLATFORM_DATABASE_PATH its state is in memory.
    """
    from ipaddress import ip_address

    from jwo.run_commands import JwoRuns
    from jwo.serving import AsgiApp, serve
    from jwo_contract.hosts import address_to_bind
    from jwo_contract.settings import read
    from jwo_toolkit.garbage_collection import tune_garbage_collector
    from simulator.app import COLLECTOR_THRESHOLDS, create_app
    from simulator.settings import PlatformSettings

    def make(url: str, aws_url: str = "") -> AsgiApp:
        own = read(PlatformSettings, {"base_url": url, **({"aws_endpoint_url": aws_url} if ready else {})})
        app = create_app(own, run_commands=JwoRuns(own))
        tune_garbage_collector(COLLECTOR_THRESHOLDS)
        return app

    # its own address, and that of AWS with --ready, follow
    later = {"base_url": "http://127.0.0.1", **({"aws_endpoint_url": "http://127.0.0.1"} if ready else {})}
    settings = read(PlatformSettings, later)
    allowed = allow_unauthenticated or settings.allow_unauthenticated or bool(settings.access_token.get_secret_value())
    how = "JWO_PLATFORM_ALLOW_UNAUTHENTICATED=true (or --allow-unauthenticated)"
    here = address_to_bind(host, [_CONTROL], allowed=allowed, how_to_allow=how)
    if not ready:
        serve(make, port, address_here=here)
        return
    from jwo.errors import Usage
    from jwo.ready import serve_ready

    if not ip_address(here).is_loopback:
        raise Usage("--ready serves this machine alone, since its AWS checks no credentials; omit --host")
    serve_ready(make, port, here)


@commands.command(name="aws")
def aws_command(
    port: PortOption = 0,
    host: HostOption = "127.0.0.1",
    allow_unauthenticated: AllowOption = False,  # noqa: FBT002 - a flag of the command line
) -> None:
    """Serve a simulated AWS (moto).

    It has SQS, SNS, S3, STS and CloudFormation. Its state is in memory.
    """
    from jwo_contract.hosts import address_to_bind
    from jwo_toolkit.extras import require

    require("the simulated AWS", "platform")
    allow = "--allow-unauthenticated"
    here = address_to_bind(host, [_EMULATOR], allowed=allow_unauthenticated, how_to_allow=allow)
    from jwo.moto_server import serve_moto
    from jwo.serving import cannot_bind

    try:
        serve_moto(here, port)
    except OSError as error:
        raise cannot_bind(port, error) from error


@commands.command()
def mutant(
    fault: Annotated[
        str,
        typer.Argument(
            metavar="FAULT",
            help="Name of the fault; a wrong name lists similar names.",
            show_default="no fault: a correct connector",
        ),
    ] = "",
    store: Annotated[
        list[str] | None,
        typer.Option(
            "--store",
            metavar="ID",
            help="Store that the connector serves; repeat for more.",
            show_default="STORE-001, STORE-002",
        ),
    ] = None,
    port: PortOption = 0,
) -> None:
    """Serve a small connector with one fault, as a test subject."""
    from conformance.mutants.gallery import connector_with
    from conformance.mutants.registry import BadFault
    from conformance.mutants.small_connector import STORES
    from jwo.errors import Usage
    from jwo.serving import serve

    if store and not all(store):
        raise Usage("--store is empty; give the id of a store, or omit the option")
    try:
        connector = connector_with(fault, tuple(store or STORES))
    except BadFault as error:
        raise Usage(str(error)) from error
    serve(lambda _url: connector, port)
