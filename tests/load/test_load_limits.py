"""Limits of this machine: the run names them, and never blames the connector."""

from __future__ import annotations

import http.server
import re
import resource
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from load.curves import constant
from load.errors import BadOptions
from load.http_client.exchange import NEVER_LEFT, Exchange
from load.recorder import Recorder
from load.run import run_load
from load.schedule import Mix, make_schedule
from load.settings import LoadOptions, options_from

SCARCE = """
import errno
from itertools import count
from socket import socket

from load.scenarios.steady_store import SteadyStore
from load.users.visitors import StoreHours
from load.http_client import connection

made = count(1)


class Scarce(socket):
    def __init__(self, *arguments):
        self.is_one_too_many = next(made) > 6  # three connections are made before the load
        if self.is_one_too_many and {at_socket}:
            raise OSError(errno.{code}, "as the system says it")
        super().__init__(*arguments)

    def connect_ex(self, address):
        return errno.{code} if self.is_one_too_many else super().connect_ex(address)


connection._make_socket = Scarce
"""
TABLE = """
from gevent import monkey
monkey.patch_all()
import sys
from load.http_client.connection_pool import ConnectionPool
ConnectionPool(sys.argv[1], 1.0, 0.01, print)
print(open("/proc/self/status").read())
"""


class Closing(http.server.BaseHTTPRequestHandler):
    """Speaks HTTP/1.0, so that every request needs a new connection."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200 if "identity" in self.path else 201)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def closing() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Closing) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.parametrize(
    ("code", "at_socket", "advice"),
    [
        ("EADDRNOTAVAIL", False, "ip_local_port_range"),
        ("EMFILE", True, "ulimit -n"),
        ("ENOBUFS", False, "no memory for another connection"),
    ],
)
def test_lack_of_a_system_resource_makes_the_run_invalid(
    closing: str, tmp_path: Path, code: str, advice: str, *, at_socket: bool
) -> None:
    scenario = tmp_path / "scarce.py"
    scenario.write_text(SCARCE.format(code=code, at_socket=at_socket), "utf-8")
    options = LoadOptions(connector=closing, scenario=str(scenario), rate=60, duration_s=0.5, lag_bound_ms=2000)

    report = run_load(options, lambda _: None)

    counts = report.document["counts"]
    assert report.exit_code == 3
    assert report.document["verdict"]["reasons"][0].startswith("27 arrivals were not sent: ")
    assert advice in report.document["verdict"]["reasons"][0]
    assert (counts["started"], counts["answered"], counts["missed"], counts["unanswered"]) == (3, 3, 27, 0)


@pytest.mark.parametrize("failure", sorted(NEVER_LEFT))
def test_request_that_could_not_be_resent_counts_as_not_sent(failure: str) -> None:
    recorder, exchange = Recorder(2_000_000_000, 0), Exchange(0, b"", None, resent=True)
    recorder.started(exchange)
    exchange.failure = next(each for each in NEVER_LEFT if each == failure)

    recorder.ended(exchange, "scan", None)

    assert (recorder.counts["started"], recorder.counts["unanswered"]) == (0, 0)
    assert recorder.seconds[0]["started"] == 0
    assert recorder.missed == {failure: 1}


@pytest.mark.skipif(sys.platform != "linux", reason="/proc shows the size of the table")
def test_table_of_open_files_does_not_grow_during_a_run(closing: str) -> None:
    """Growing it takes 5 to 10 ms, in the middle of a stall, when every arrival opens a connection."""
    done = subprocess.run([sys.executable, "-c", TABLE, closing], capture_output=True, text=True, check=True)
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)

    [size] = re.findall(r"^FDSize:\s*(\d+)$", done.stdout, re.MULTILINE)

    assert int(size) >= min(hard, 65_536)


@pytest.mark.parametrize(("budget_s", "reads_for_s"), [(2.0, 10.0), (9.0, 11.0), (15.0, 17.0)])
def test_answer_within_a_long_budget_is_read(budget_s: float, reads_for_s: float) -> None:
    assert LoadOptions(budget_s=budget_s).reads_for_s == reads_for_s


@pytest.mark.parametrize("flag", ["rate", "duration_s", "budget_s", "lag_bound_ms", "crossing_ms", "max_slowdown"])
@pytest.mark.parametrize("value", ["inf", "nan"])
def test_flag_must_be_a_finite_number(flag: str, value: str) -> None:
    with pytest.raises(BadOptions, match="finite number"):
        options_from(**{flag: value})


def test_too_many_arrivals_are_refused() -> None:
    with pytest.raises(BadOptions, match="lower --rate or --duration"):
        make_schedule(constant(1e9, 3600), Mix(), seed=1, poisson=True)


GARBAGE = """
import gc
import pathlib

from load.scenarios.steady_store import SteadyStore
from load.session import Session
from load.users.visitors import StoreHours

run = Session.run


def counted(session):
    gc.disable()
    run(session)
    pathlib.Path({file!r}).write_text(str(gc.collect()))


Session.run = counted
"""


def test_requests_and_connections_leave_no_reference_cycles(closing: str, tmp_path: Path) -> None:
    """The garbage collector hardly runs during a load; every request here opens a connection."""
    scenario, found = tmp_path / "garbage.py", tmp_path / "found"
    scenario.write_text(GARBAGE.format(file=str(found)), "utf-8")

    report = run_load(
        LoadOptions(connector=closing, scenario=str(scenario), rate=400, duration_s=1, lag_bound_ms=2000),
        lambda _: None,
    )

    assert report.document["counts"]["cold"] == 400
    assert int(found.read_text()) < 400
