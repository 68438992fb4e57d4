"""Measures a simulated day: 100,000 trips in under 10 minutes of real time, with a complete journal."""

from __future__ import annotations

import base64
import resource
import tempfile
import time
from pathlib import Path

from platform_rig.figures import Figure
from platform_rig.rig import NOWHERE, STORES, instant_server
from simulator.connector import Connector
from simulator.settings import PlatformSettings
from simulator.shop.day import Pace
from simulator.shop.plan import People, Shop
from simulator.shop.run import DayOptions, run_day

_WINDOW_S = 10


async def measure(trips: int, most_wall_s: float) -> list[Figure]:
    """Run the day. The journal must have an entry for each call, decision, exit and delivery attempt."""
    keys = tuple(base64.b64encode(f"shopper-{number:04d}".encode()).decode() for number in range(2000))
    people = People(keys, palm_rate=0.05)  # the mix of the earlier measurements
    skus = tuple(f"SKU-{number:03d}" for number in range(200))
    shops = tuple(Shop(f"S{n}", tuple(f"S{n}-G{gate}" for gate in range(8)), skus) for n in range(STORES))
    with instant_server("instant_store.py") as url, tempfile.TemporaryDirectory() as folder:
        journal = Path(folder) / "journal.ndjson"
        settings = PlatformSettings(
            base_url=NOWHERE,
            aws_endpoint_url=NOWHERE,
            seed=7,
            journal_path=journal,
            journal_file_bytes=0,
            database_path=f"{folder}/platform.sqlite3",
        )
        cpu, options = time.process_time(), DayOptions("busy_saturday", trips, Pace(window_s=_WINDOW_S))
        outcome = await run_day(settings, shops, people, Connector(url), options)
        cpu = time.process_time() - cpu
        with journal.open("rb") as lines:
            entries = sum(1 for _ in lines)
    results, wall_s = outcome.results, outcome.title.wall_s
    recorded = results.decisions + sum(results.gate_ms.values()) + results.carts + outcome.deliveries["attempts"]
    return [
        Figure("visits", results.decisions, "", least=trips),
        Figure("carts delivered", outcome.deliveries["delivered"], "", least=results.carts),
        Figure("entries in the journal", entries, "", least=recorded),
        Figure("wall time", wall_s, "s", most=most_wall_s),
        Figure("processor time of the platform", cpu, "s"),
        Figure("trips a second", results.carts / wall_s, "/s"),
        Figure("largest memory of the process", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, "MiB"),
    ]
