"""Times a full default run of `jwo certify` against two correct connectors: a quick one, and one with slow carts.

Run: python benchmarks/bench_certify.py [--rounds N]
The bounds hold for an idle machine with 2 cores. Exit 1 if a median is above its bound, or if a run has a finding.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from conformance.mutants.http_app import Reply, Request
from conformance.mutants.serving import served
from conformance.mutants.small_connector import SmallConnector
from jwo.profile_template import TEMPLATE


class SlowCarts(SmallConnector):
    """The correct connector, but each Create Purchases takes 800 ms; it answers any number of them at the same time."""

    async def cart(self, request: Request) -> Reply:
        """Wait 800 ms, then answer as the correct connector does."""
        await asyncio.sleep(0.8)
        return await super().cart(request)


BOUNDS_S: dict[type[SmallConnector], float] = {SmallConnector: 15.0, SlowCarts: 45.0}


def time_run(connector: SmallConnector) -> float:
    """Certify the connector once and return the seconds, with the start of the command.

    Raises SystemExit if the run has a finding.
    """
    with served(connector) as url, tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "jwo.toml").write_text(TEMPLATE.format(url=url), encoding="utf-8")
        started = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-m", "jwo", "certify", "--profile", "jwo.toml", "--out", "out", "--strict"],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
        took_s = time.perf_counter() - started
    if done.returncode != 0:
        raise SystemExit(f"{type(connector).__name__}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    return took_s


def main() -> int:
    """Time each connector, print the medians with their bounds, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="runs per connector (default: 3)")
    rounds = parser.parse_args().rounds
    too_slow = False
    for connector, bound_s in BOUNDS_S.items():
        times_s = [time_run(connector()) for _ in range(rounds)]
        median_s = statistics.median(times_s)
        too_slow |= median_s > bound_s
        each = ", ".join(f"{took_s:.1f}" for took_s in times_s)
        print(f"{connector.__name__}: median {median_s:.1f} s of {bound_s:g} s ({each})", flush=True)
    return int(too_slow)


if __name__ == "__main__":
    sys.exit(main())
