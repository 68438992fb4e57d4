"""The platform's figures: gates, shoppers inside, uploads to a big catalog, comparison with Prism, 100,000 trips.

Run: python benchmarks/bench_platform.py [gates inside uploads prism day] [--rows 2000000] [--trips 100000]
Each section prints a table of measured figures and their goals. Exit 1 if a goal is not met or a section is not
measured: `prism` needs npm or Prism itself on the path, or --prism with the command.
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


def measure_section(section: str, given: argparse.Namespace) -> list[Figure]:
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


def print_section(section: str, given: argparse.Namespace) -> int:
    """Print a section's table; returns 1 if a goal is not met or nothing was measured."""
    random.seed(7)
    print(f"{section}  (load average of the machine before: {os.getloadavg()[0]:.1f})", flush=True)
    try:
        figures = measure_section(section, given)
    except NotMeasured as missing:
        print(f"  NOT MEASURED: {missing}")
        return 1
    print("\n".join(figure.line() for figure in figures))
    return 0 if all(figure.is_met for figure in figures) else 1


def main() -> int:
    """Run the sections, each in a process of its own, so that its memory can be measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sections", nargs="*", default=list(SECTIONS), metavar="SECTION", help=", ".join(SECTIONS))
    parser.add_argument("--rows", type=int, default=2_000_000, help="rows of the big catalog (default: %(default)s)")
    parser.add_argument("--trips", type=int, default=100_000, help="trips of the day (default: %(default)s)")
    parser.add_argument(
        "--most-wall-s", type=float, default=600.0, help="longest real time of the day (default: %(default)s)"
    )
    parser.add_argument("--people", type=int, default=100_000, help="shoppers inside at once (default: %(default)s)")
    parser.add_argument("--seconds", type=int, default=20, help="time of scanning (default: %(default)s)")
    parser.add_argument("--prism", default="", help="the command of Prism, if it is not on the path")
    given = parser.parse_args()
    if unknown := set(given.sections) - set(SECTIONS):
        parser.error(f"there is no section {', '.join(sorted(unknown))}; choose from {', '.join(SECTIONS)}")
    if "uploads" in given.sections and given.rows < uploads.FEWEST_ROWS:
        parser.error(f"--rows {given.rows}: give at least {uploads.FEWEST_ROWS}, the rows of two whole uploads")
    if len(given.sections) == 1:
        return print_section(given.sections[0], given)
    options = [f"--{name.replace('_', '-')}={value}" for name, value in vars(given).items() if name != "sections"]
    ran = [subprocess.run([sys.executable, __file__, one, *options], check=False) for one in given.sections]  # noqa: S603 - this script
    return exit_code(run.returncode for run in ran)


def exit_code(codes: Iterable[int]) -> int:
    """Return 1 if any section has failed; the code of a killed section is below zero."""
    return int(any(codes))


if __name__ == "__main__":
    sys.exit(main())
