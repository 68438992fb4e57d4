"""The servers for the sections: instant connectors, the services of a store in this process, and whole platforms."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx

from jwo.processes import Processes
from jwo_contract.house import Gate
from jwo_contract.sigv4 import Key
from jwo_toolkit.launcher import launched
from simulator.clock import PlatformClock
from simulator.composition import StoreServices, make_store_services
from simulator.connector import Connector
from simulator.portal.stores import Store
from simulator.settings import PlatformSettings

SERVERS = Path(__file__).parents[1] / "load_servers"
KEY = Key("retailer-key", "retailer-secret")
NOWHERE = "http://127.0.0.1:9"
STORES, GATES = 250, 8
"""Stores of the chain, and gates of each: 2,000 gates."""


def gate_of(number: int) -> str:
    """Return a gate of the chain; neighbouring numbers are in different stores."""
    return f"S{number % STORES}-G{number // STORES % GATES}"


@contextmanager
def instant_server(script: str = "instant.py") -> Iterator[str]:
    """Run an instant connector in a process of its own; yields its address."""
    command = (sys.executable, str(SERVERS / script))
    with tempfile.TemporaryDirectory() as folder, launched(script, command, Path(folder)) as server:
        yield server.url()


def pin(process_id: int, core: int) -> None:
    """Bind a process to one core, if the machine has more than one."""
    if (os.cpu_count() or 1) > 1:
        os.sched_setaffinity(process_id, {core})


def chain_services(folder: str, url: str, timeout_s: float = 2.0) -> StoreServices:
    """Make the services of 250 stores with 2,000 gates, in this process."""
    settings = PlatformSettings(
        base_url=NOWHERE,
        aws_endpoint_url=NOWHERE,
        database_path=f"{folder}/platform.sqlite3",
        journal_entries=100_000,
        gate=Gate(timeout_s=timeout_s),
    )
    services = make_store_services(settings, PlatformClock())
    for number in range(STORES):
        services.stores.put(Store(f"S{number}", "r", "closed", gates=_gates(number), connector=Connector(url)))
    return services


def set_up_chain(platform: str, connector: str) -> None:
    """Set up the same chain in a platform process, through its portal."""
    with httpx.Client(base_url=platform, trust_env=False, timeout=30) as portal:
        for number in range(STORES):
            setup = {"retailer": "r", "gates": _gates(number), "connector": {"url": connector}}
            portal.put(f"/portal/stores/S{number}", json=setup).raise_for_status()


def _gates(store: int) -> tuple[str, ...]:
    return tuple(f"S{store}-G{gate}" for gate in range(GATES))


@contextmanager
def catalog_process(folder: str, settings: Mapping[str, str]) -> Iterator[str]:
    """Run moto and a platform as processes, with one store and an account without a rate limit; yields its address."""
    with Processes(Path(folder)) as processes:
        aws = processes.start("aws", ["aws"]).url
        unlimited = {"JWO_PLATFORM_CATALOG__RATE_PER_S": "1000000", "JWO_PLATFORM_CATALOG__BURST": "1000000"}
        given = {**unlimited, **settings, "JWO_PLATFORM_AWS_ENDPOINT_URL": aws}
        url = processes.start("platform", ["platform"], given).url
        with httpx.Client(base_url=url, trust_env=False, timeout=30) as portal:
            sqs_url = httpx.post(
                aws,
                data={"Action": "CreateQueue", "QueueName": "results", "Version": "2012-11-05"},
                headers={"Authorization": "AWS4-HMAC-SHA256 Credential=x/20260101/us-east-1/sqs/aws4_request"},
                trust_env=False,
            )
            sqs_url.raise_for_status()
            portal.put("/portal/stores/S1", json={"retailer": "r", "gates": ["G1"]}).raise_for_status()
            account = {"retailer": "r", "accessKeyId": KEY.access_key_id, "secretAccessKey": KEY.secret_access_key}
            queue = "arn:aws:sqs:us-east-1:123456789012:results"
            portal.put("/portal/accounts/123456789012", json={**account, "queueArn": queue}).raise_for_status()
        yield url
