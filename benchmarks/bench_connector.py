"""Measures the reference connector's speed as ratios: its accelerated and its plain form against three other servers.

    python benchmarks/bench_connector.py [--seconds 2] [--rounds 5] [--only pairs,sigv4,tail,memory,growth] [--full]

Exit 1 if an aim is not met. All servers run on one pinned core. The two servers of a pair take turns in each round, so
that a busy machine slows both down. A ratio is the median over the rounds. It compares the CPU time of a request, which
other processes on the machine distort least; the table shows the rates too. Still, measure on a quiet machine: other
processes make batches smaller and tails longer.

The aim of the tail is at 30 % of the peak rate, where neither the connector nor the load generator is at its limit; see
`tail`. The cost of a claim in a store of millions of trips has no aim; the benchmark only reports it.

Aims are for 64 connections. A server that waits for the disk is cheaper with more connections, since more requests wait
for each commit. So the pairs with the bare app are shown with 128 connections too.
"""

from __future__ import annotations

import argparse
import itertools
import os
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import orjson
from connector_rig import growth, servers, tail
from connector_rig.aims import Aim, at_least, show
from connector_rig.bodies import CART_PATH, SCAN_PATH, a_cart_of_ten, a_scan, write_products
from connector_rig.hammer import Round, hammer
from connector_rig.servers import ServerProcess
from rich.console import Console
from rich.table import Table

from reference_connector.settings import SAMPLE_RETAILER

CONNECTIONS, MANY_CONNECTIONS = 64, 128
_SERVER_CORE, _CLIENT_CORE = 0, 1
_SUBJECTS = Path(__file__).with_name("connector_rig") / "subjects.py"

CALLS: dict[str, tuple[str, Callable[[], bytes]]] = {
    "Verify Identity Keys": (SCAN_PATH, a_scan),
    "Create Purchases, 10 lines": (CART_PATH, a_cart_of_ten),
}
SCAN, CART = CALLS
FORMS: dict[str, dict[str, str]] = {"accelerated": {}, "plain": {"JWO_CONNECTOR_ACCELERATED": "false"}}
AIMS = {
    ("accelerated", SCAN, "bare"): 0.5,
    ("accelerated", CART, "bare"): 0.3,
    ("plain", SCAN, "bare"): 0.33,
    ("plain", CART, "bare"): 0.2,
    ("accelerated", SCAN, "naive"): 4.0,
    ("accelerated", CART, "naive"): 4.0,
    ("plain", SCAN, "fastapi"): 1.5,
}


class Bench:
    """The measured servers, all pinned to one core; the client runs on another core if there is one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._products = folder / "products.toml"
        write_products(self._products)
        self._servers: dict[str, ServerProcess] = {}

    def start(self, name: str, settings: dict[str, str] | None = None) -> ServerProcess:
        """Start a server on the server core."""
        port, log = servers.free_port(), self.folder / f"{name}.log"
        if name.startswith("connector"):
            files = orjson.dumps([str(SAMPLE_RETAILER), str(self._products)]).decode()
            own = {
                "JWO_CONNECTOR_STORE__PATH": str(self.folder / f"{name}.sqlite3"),
                "JWO_CONNECTOR_RETAILER_FILES": files,
            }
            server = servers.connector(port, log, own | (settings or {}))
        else:
            path = {"NAIVE_PATH": str(self.folder / "naive.sqlite3")}
            server = ServerProcess([servers.python(), str(_SUBJECTS), name, str(port)], port, log, path)
        server.start()
        servers.pin(server.pid, _SERVER_CORE)
        self._servers[name] = server
        return server

    def stop(self) -> None:
        """Stop all servers."""
        for server in self._servers.values():
            server.stop()


def fresh(make: Callable[[], bytes], count: int) -> Iterator[bytes]:
    """Make bodies before the measurement starts; a round ends early if they run out."""
    return iter([make() for _ in range(count)])


def measure(server: ServerProcess, call: str, seconds: float, connections: int) -> Round:
    """Send one kind of call to one server, and return the figures."""
    path, make = CALLS[call]
    found = hammer(
        server.port, server.pid, path, fresh(make, round(seconds * 25_000)), seconds=seconds, connections=connections
    )
    assert max(found.statuses) < 300, found.statuses
    return found


def pairs(bench: Bench, given: argparse.Namespace, console: Console) -> list[Aim]:
    """Measure both forms of the connector against the other servers."""
    table = Table("call", "form", "against", "connections", "CPU us", "theirs", "/s", "theirs", "by CPU", "by rate")
    aims = []
    ours = {form: bench.start(f"connector-{form}", settings) for form, settings in FORMS.items()}
    for name in ("bare", "fastapi", "naive"):
        theirs = bench.start(name)
        for call, form in itertools.product(CALLS, FORMS):
            rounds = _rounds(ours[form], theirs, call, CONNECTIONS, given)
            table.add_row(call, form, name, str(CONNECTIONS), *_figures(rounds))
            if (form, call, name) in AIMS:
                aims.append(at_least(f"{call}, {form}, against {name}", AIMS[form, call, name], _ratio(rounds)))
            if name == "bare":
                many = _rounds(ours[form], theirs, call, MANY_CONNECTIONS, given)
                table.add_row(call, form, name, str(MANY_CONNECTIONS), *_figures(many))
        theirs.stop()
    for server in ours.values():
        server.stop()
    console.print(table)
    return aims


def _rounds(
    ours: ServerProcess, theirs: ServerProcess, call: str, connections: int, given: argparse.Namespace
) -> list[tuple[Round, Round]]:
    for server in (ours, theirs):
        measure(server, call, 1, connections)
    seconds = given.seconds
    return [
        (measure(ours, call, seconds, connections), measure(theirs, call, seconds, connections))
        for _ in range(given.rounds)
    ]


def _figures(rounds: list[tuple[Round, Round]]) -> list[str]:
    median = statistics.median
    return [
        f"{median(each.cpu_us for each, _ in rounds):.0f}",
        f"{median(each.cpu_us for _, each in rounds):.0f}",
        f"{median(each.rate for each, _ in rounds):,.0f}",
        f"{median(each.rate for _, each in rounds):,.0f}",
        f"{_ratio(rounds):.2f}",
        f"{median(ours.rate / theirs.rate for ours, theirs in rounds):.2f}",
    ]


def _ratio(rounds: list[tuple[Round, Round]]) -> float:
    return statistics.median(theirs.cpu_us / ours.cpu_us for ours, theirs in rounds)


def main() -> None:
    """Measure, and print the figures and the aims."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=2, help="length of a round (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="rounds of each pair (default: %(default)s)")
    parser.add_argument("--only", default="pairs,sigv4,tail,memory,growth", help="parts to run (default: %(default)s)")
    parser.add_argument(
        "--full",
        action="store_true",
        help="1,000,000 requests for memory, 10,000,000 trips for growth (default: 250,000 and 1,000,000)",
    )
    given = parser.parse_args()
    os.sched_setaffinity(0, {_CLIENT_CORE if (os.cpu_count() or 1) > 1 else 0})
    console = Console(width=140)
    with tempfile.TemporaryDirectory(prefix="jwo-bench-") as name:
        bench = Bench(Path(name))
        parts: dict[str, Callable[[], list[Aim]]] = {
            "pairs": lambda: pairs(bench, given, console),
            "sigv4": lambda: tail.sigv4_cost(bench, given, console),
            "tail": lambda: tail.latency(bench, given, console),
            "memory": lambda: tail.memory(bench, given, console),
            "growth": lambda: growth.curve(Path(name), given, console),
        }
        try:
            aims = [aim for part in given.only.split(",") for aim in parts[part]()]
        finally:
            bench.stop()
    raise SystemExit(0 if show(aims, console) else 1)


if __name__ == "__main__":
    main()
