"""Serves a platform that is ready to use: with a simulated AWS, an account and a store, and calls to paste."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from jwo.demo.neighbourhood import STORE, call
from jwo.play import in_background, set_up_account
from jwo.processes import Processes
from jwo.serving import AsgiApp, serve
from jwo_toolkit.announcement import announce
from simulator.pages.menu import PREFIX

_RETAILER = "your-retailer"
_GATES = (f"{STORE}-GATE-1", f"{STORE}-GATE-2")
_CONNECTOR = "http://127.0.0.1:8080"


def serve_ready(make_app: Callable[[str, str], AsgiApp], port: int, address_here: str) -> None:
    """Serve until a signal stops this process. `make_app` gets the platform's address, and that of the AWS."""
    with TemporaryDirectory(prefix="jwo-platform-") as folder, Processes(Path(folder)) as processes:
        aws_url = processes.start("aws", ["aws"]).url

        def begin(url: str) -> None:
            announce(url)
            in_background(partial(_set_up, url, aws_url))

        serve(lambda url: make_app(url, aws_url), port, address_here=address_here, on_ready=begin)


def _set_up(url: str, aws_url: str) -> None:
    store = {"retailer": _RETAILER, "connector": {"url": _CONNECTOR, "auth": "none"}, "gates": _GATES}
    call("PUT", f"{url}/portal/stores/{STORE}", store)
    deployed = set_up_account(url, aws_url, _RETAILER)
    print(_text(url, aws_url, deployed.account_id), flush=True)  # noqa: T201 - the command's output


def _text(url: str, aws_url: str, account: str) -> str:
    """Return what is ready, and example calls."""
    gate, trip = f"{url}/gates/{_GATES[0]}", f"{url}/trips/TRIP_ID"
    connector = f'{{"retailer": "{_RETAILER}", "connector": {{"url": "{_CONNECTOR}", "auth": "none"}}, '
    connector += f'"gates": ["{_GATES[0]}", "{_GATES[1]}"]}}'
    calls = {
        "Name your connector (now it is the address in this call):": _curl(
            "PUT", f"{url}/portal/stores/{STORE}", connector
        ),
        "Scan a code at a gate:": _curl("POST", f"{gate}/scans", '{"text": "valid_shopper_key"}'),
        "Fill the cart of the trip that the scan answered, and walk out:": "\n".join(
            (_curl("POST", f"{trip}/pick", '{"sku": "SKU-001"}'), _curl("POST", f"{trip}/leave"))
        ),
        "See each exchange, and the deliveries:": "\n".join(
            (_curl("GET", f"{url}/journal"), _curl("GET", f"{url}/deliveries"))
        ),
    }
    lines = [f"Pages: {url}{PREFIX}/", f"AWS: {aws_url}", f"Store: {STORE}; AWS account: {account}"]
    return "\n".join([*lines, *(f"\n# {title}\n{words}" for title, words in calls.items())])


def _curl(method: str, url: str, body: str = "") -> str:
    """Return a command line of curl."""
    words = ["curl", "-sS", *(["-X", method] if method != "GET" else []), url]
    words += ["-H", "Content-Type: application/json", "-d", body] if body else []
    return shlex.join(words)
