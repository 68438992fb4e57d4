"""The optional parts of this kit: the modules that each extra of the package brings, and the error without them."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from typing import Literal

PACKAGE = "jwo-conformance-kit"
Extra = Literal["connector", "platform", "load", "postgres"]
MODULES: dict[Extra, tuple[str, ...]] = {
    "connector": ("boto3", "fastapi", "itsdangerous", "PIL", "prometheus_client", "qrcode", "tenacity"),
    "platform": ("boto3", "fastapi", "fastapi_offline", "moto", "PIL", "zxingcpp"),
    "load": ("gevent", "hdrh", "locust"),
    "postgres": ("psycopg",),
}
"""The modules that a part of this kit imports and that the base install does not have."""


class MissingExtra(ImportError):
    """A part of the kit is not installed; the text is a sentence with the command that installs it."""


def require(part: str, *extras: Extra, instead: str = "") -> None:
    """Check that extras are installed. `part` needs them; `instead` is what a user can do without them.

    Raises MissingExtra if one is not installed.
    """
    if not all(map(is_installed, extras)):
        raise MissingExtra(f"{part} is not installed; {how_to_install(*extras)}{instead and f', or {instead}'}")


@cache
def is_installed(extra: Extra) -> bool:
    """Say whether all modules of an extra are installed. It imports none of them."""
    return all(find_spec(module) is not None for module in MODULES[extra])


def how_to_install(*extras: Extra) -> str:
    """Return the command that installs extras, after the words `install it with:`."""
    return f"install it with: pip install '{PACKAGE}[{','.join(extras)}]'"


def extra_of(module: str) -> Extra | None:
    """Return the first extra that brings a module; None for a module of the base install."""
    name = module.partition(".")[0]
    return next((extra for extra, modules in MODULES.items() if name in modules), None)
