"""The platform's figures: gates, shoppers inside, uploads, a big catalog, Prism beside it, a day of 100,000 trips.

Run: python benchmarks/bench_platform.py [gates inside uploads prism day] [--rows 2000000] [--trips 100000]
Each section prints a table with the wanted figure beside the measured one. Exit 1 when one is not met or a section is
not measured: `prism` needs npm, or Prism itself, on the path or named by --prism.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import uvloop
from platform_rig import day, gates, inside, prism, uploads
from platform_rig.figures import Figure, NotMeasured

SECTIONS = ("gates", "inside", "uploads", "prism", "day")


def measured(section: str, given: argparse.Namespace) -> list[Figure]:
    """Run a section in this process. Raises NotMeasured if something that it needs is missing."""
    if section == "gates":
        return uvloop.run(gates.measure(given.seconds))
    if section == "inside":
        return uvloop.run(inside.measure(given.people))
    if section == "uploads":
        return uploads.measure(given.rows)
    if section == "prism":
        return prism.measure(given.prism)
    return uvloop.run(day.measure(given.trips, given.most_wall_s))


def tell(section: str, given: argparse.Namespace) -> int:
    """Print a section's table; returns 1 when a figure is not met or nothing was measured."""
    random.seed(7)
    print(f"{section}  (load of the machine before: {os.getloadavg()[0]:.1f})", flush=True)
    try:
        figures = measured(section, given)
    except NotMeasured as missing:
        print(f"  NOT MEASURED: {missing}")
        return 1
    print("\n".join(figure.line() for figure in figures))
    return 0 if all(figure.met for figure in figures) else 1


def main() -> int:
    """Run the sections, each in a process of its own so that its memory is its own."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sections", nargs="*", default=list(SECTIONS), metavar="SECTION", help=", ".join(SECTIONS))
    parser.add_argument("--rows", type=int, default=2_000_000, help="of the big catalog")
    parser.add_argument("--trips", type=int, default=100_000, help="of the day")
    parser.add_argument("--most-wall-s", type=float, default=600.0, help="that the day may take")
    parser.add_argument("--people", type=int, default=100_000, help="inside at once")
    parser.add_argument("--seconds", type=int, default=20, help="of scanning")
    parser.add_argument("--prism", default="", help="the command, when it is not on the path")
    given = parser.parse_args()
    if unknown := set(given.sections) - set(SECTIONS):
        parser.error(f"there is no section {', '.join(sorted(unknown))}; there are {', '.join(SECTIONS)}")
    if "uploads" in given.sections and given.rows < uploads.FEWEST_ROWS:
        parser.error(f"--rows {given.rows}: give at least {uploads.FEWEST_ROWS}, which is two whole uploads")
    if len(given.sections) == 1:
        return tell(given.sections[0], given)
    options = [f"--{name.replace('_', '-')}={value}" for name, value in vars(given).items() if name != "sections"]
    ran = [subprocess.run([sys.executable, __file__, one, *options], check=False) for one in given.sections]  # noqa: S603 - this script
    return exit_code(run.returncode for run in ran)


def exit_code(codes: Iterable[int]) -> int:
    """Return 1 when any section did not end well; the code of one that was killed is below zero."""
    return int(any(codes))


if __name__ == "__main__":
    sys.exit(main())
