"""Aims: the figure that a measurement must reach, the figure that it reached, and whether the aim is met."""

from __future__ import annotations

from typing import NamedTuple

from rich.console import Console
from rich.table import Table


class Aim(NamedTuple):
    """One aim; `wanted` and `got` are texts for people."""

    name: str
    wanted: str
    got: str
    met: bool


def at_least(name: str, wanted: float, got: float) -> Aim:
    """Return an aim that is met by this ratio or a higher one."""
    return Aim(name, f">= {wanted:g}", f"{got:.2f}", met=got >= wanted)


def below(name: str, wanted: float, got: float, unit: str = "") -> Aim:
    """Return an aim that is met by a figure below this one."""
    return Aim(name, f"< {wanted:g}{unit}", f"{got:.2f}{unit}", met=got < wanted)


def show(aims: list[Aim], console: Console) -> bool:
    """Print all aims, and return whether all are met."""
    table = Table("aim", "wanted", "got", "")
    for aim in aims:
        table.add_row(aim.name, aim.wanted, aim.got, "met" if aim.met else "[bold]not met[/bold]")
    console.print(table)
    return all(aim.met for aim in aims)
