"""The options of `jwo play`. The command imports `jwo.play`, which starts everything."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from jwo.store_kind_option import StoreKindOption, checked_kind
from jwo_toolkit.extras import require

MOST_GATES = 200
VisitorsOption = Annotated[
    bool, typer.Option("--visitors/--no-visitors", help="Let sample visitors come by themselves.")
]
BrowserOption = Annotated[bool, typer.Option("--browser/--no-browser", help="Open the pages in a browser.")]


def play(
    profile: Annotated[
        Path | None,
        typer.Option(
            "--profile",
            metavar="FILE",
            help="Profile of your connector, a jwo.toml.",
            show_default="no profile: the reference connector",
        ),
    ] = None,
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="Port; 0 takes a free one.")] = 0,
    gates: Annotated[int, typer.Option("--gates", min=1, max=MOST_GATES, help="Number of gates in the store.")] = 8,
    visitors: VisitorsOption = True,  # noqa: FBT002 - a flag of the command line
    browser: BrowserOption = True,  # noqa: FBT002 - as above
    store_kind: StoreKindOption = "retailer",
) -> None:
    """Play with a connector in a simulated store. Prints one address, and stops everything on Ctrl-C.

    It starts all that is needed: the platform with its web pages, a simulated AWS, and, without --profile, the
    reference connector with a sample retailer.
    """
    require("the store to play in", "connector", "platform")
    from jwo.play import Wishes, play_store

    kind = checked_kind(store_kind)
    play_store(Wishes(profile, port, gates, visitors=visitors, browser=browser, kind=kind))
