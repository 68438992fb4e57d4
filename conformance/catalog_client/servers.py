"""Starts and ends the processes of the simulated platform and the substitute for AWS, for jobs of a catalog client.

The suite reaches the platform over HTTP only, so it starts a command and imports no module of it.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from pathlib import Path

from conformance import serving
from conformance.catalog_client.jobs import PLANS, Jobs
from conformance.catalog_client.platform import Addresses
from conformance.run.configuration import RunConfiguration
from contract.house import House
from contract.register import register
from jwo_toolkit.extras import is_installed

API = "Catalog client"
"""The name of this package's cases in the register."""
_JOURNAL_ENTRIES = 100_000


@contextmanager
def jobs_for(configuration: RunConfiguration) -> Iterator[Jobs | None]:
    """Yield the jobs of the declared client, or None without a client or a platform. The end of the block ends them."""
    profile, only = configuration.profile, configuration.selection.only
    if not profile.catalog_client.command or not is_installed("platform"):
        yield None
        return
    running = configuration.catalog_platform
    platform: Callable[[], AbstractContextManager[Addresses]] = (
        (lambda: nullcontext(running)) if running else (lambda: served(profile.house))
    )
    needs_most_jobs = not only or len([each for each in only if register()[each].api == API]) > len(PLANS)
    started_early = PLANS if needs_most_jobs else ()
    with Jobs(profile.catalog_client, platform, started_early) as jobs:
        yield jobs


@contextmanager
def served(house: House, **settings: str) -> Iterator[Addresses]:
    """Run a platform with the house rules, and a substitute for AWS, on free ports; yield their addresses."""
    region = house.auth.region
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="jwo-platform-")))
        aws_url = stack.enter_context(_serve(folder, "aws", {}))
        rules = {
            "JWO_PLATFORM_AWS_ENDPOINT_URL": aws_url,
            "JWO_PLATFORM_AWS_REGION": region,
            "JWO_PLATFORM_AUTH": house.auth.model_dump_json(),
            "JWO_PLATFORM_CATALOG": house.catalog.model_dump_json(),
            "JWO_PLATFORM_BARCODE": house.barcode.model_dump_json(),
            "JWO_PLATFORM_JOURNAL_ENTRIES": str(_JOURNAL_ENTRIES),
        }
        yield Addresses(stack.enter_context(_serve(folder, "platform", rules | settings)), aws_url, region)


@contextmanager
def _serve(folder: Path, name: str, settings: Mapping[str, str]) -> Iterator[str]:
    """Run one server until the end of the block, and yield its address."""
    with serving.served(f"jwo {name}", (*serving.JWO, name), settings, folder) as server:
        yield server.url()
