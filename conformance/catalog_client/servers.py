"""Starts the simulated platform and whatever plays AWS, as processes that say where they listen, and ends them.

The rooms meet over HTTP only, so what is started here is a command, not a module.
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

API = "Catalog client"
"""What the register calls the cases of this folder."""
_JOURNAL_ENTRIES = 100_000


@contextmanager
def jobs_for(configuration: RunConfiguration) -> Iterator[Jobs | None]:
    """Yield what gives jobs to the declared client, if there is one, for as long as the block goes on."""
    profile, only = configuration.profile, configuration.selection.only
    if not profile.catalog_client.command:
        yield None
        return
    where = configuration.catalog_platform
    platform: Callable[[], AbstractContextManager[Addresses]] = (
        (lambda: nullcontext(where)) if where else (lambda: served(profile.house))
    )
    asks_for_most = not only or len([each for each in only if register()[each].api == API]) > len(PLANS)
    ahead = PLANS if asks_for_most else ()
    with Jobs(profile.catalog_client, platform, ahead) as jobs:
        yield jobs


@contextmanager
def served(house: House, **settings: str) -> Iterator[Addresses]:
    """Run a platform by the house's rules, with AWS beside it, on ports that the system picks."""
    region = house.auth.region
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="jwo-platform-")))
        aws_url = stack.enter_context(_listening(folder, "aws", {}))
        rules = {
            "JWO_PLATFORM_AWS_ENDPOINT_URL": aws_url,
            "JWO_PLATFORM_AWS_REGION": region,
            "JWO_PLATFORM_AUTH": house.auth.model_dump_json(),
            "JWO_PLATFORM_CATALOG": house.catalog.model_dump_json(),
            "JWO_PLATFORM_BARCODE": house.barcode.model_dump_json(),
            "JWO_PLATFORM_JOURNAL_ENTRIES": str(_JOURNAL_ENTRIES),
        }
        yield Addresses(stack.enter_context(_listening(folder, "platform", rules | settings)), aws_url, region)


@contextmanager
def _listening(folder: Path, name: str, settings: Mapping[str, str]) -> Iterator[str]:
    """Run one server as long as the block, and yield its address."""
    with serving.served(f"jwo {name}", (*serving.JWO, name), settings, folder) as server:
        yield server.url()
