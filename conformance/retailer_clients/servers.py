"""Starts and ends the processes of the simulated platform and the substitute for AWS, for all clients of a retailer.

The suite reaches the platform over HTTP only, so it starts a command and imports no module of it.
"""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from conformance import serving
from conformance.retailer_clients.addresses import Addresses
from jwo_contract.house import House
from jwo_contract.register import register

_JOURNAL_ENTRIES = 100_000
_QUICK = {"retry_after_s": 1, "rate_per_s": 100.0, "burst": 100}
"""The limits of payment and checkout calls: only a fault refuses a call, and asks for a pause of a second."""


class SharedPlatform:
    """The platform of a run for all clients: a running one, or one that the first call of `addresses` starts.

    Use it as a context manager: its exit ends what it started.
    """

    def __init__(self, house: House, running: Addresses | None) -> None:
        self._house = house
        self._addresses = running
        self._lock = threading.Lock()
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def addresses(self) -> Addresses:
        """Return the addresses of the running platform."""
        with self._lock:
            if self._addresses is None:
                self._addresses = self._stack.enter_context(served(self._house))
            return self._addresses


def started_early(api: str, plans: Collection[str], only: Collection[str]) -> Collection[str]:
    """Return the jobs to start with the first one: all if most cases of an API are selected, otherwise none."""
    needs_most = not only or len([each for each in only if register()[each].api == api]) > len(plans)
    return plans if needs_most else ()


@contextmanager
def served(house: House, **settings: str) -> Iterator[Addresses]:
    """Run a platform with the house rules, and a substitute for AWS, on free ports; yield their addresses."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="jwo-aws-")))
        aws_url = stack.enter_context(_serve(folder, "aws", {}))
        url = stack.enter_context(served_platform(house, aws_url, **settings))
        yield Addresses(url, aws_url, house.auth.region)


@contextmanager
def served_platform(house: House, aws_url: str, **settings: str) -> Iterator[str]:
    """Run a platform with the house rules at a running substitute for AWS, and yield its address."""
    rules = {
        "JWO_PLATFORM_AWS_ENDPOINT_URL": aws_url,
        "JWO_PLATFORM_AWS_REGION": house.auth.region,
        "JWO_PLATFORM_AUTH": house.auth.model_dump_json(),
        "JWO_PLATFORM_CATALOG": house.catalog.model_dump_json(),
        "JWO_PLATFORM_BARCODE": house.barcode.model_dump_json(),
        "JWO_PLATFORM_PAYMENT": house.payment.model_copy(update=_QUICK).model_dump_json(),
        "JWO_PLATFORM_CHECKOUT": house.checkout.model_copy(update=_QUICK).model_dump_json(),
        "JWO_PLATFORM_JOURNAL_ENTRIES": str(_JOURNAL_ENTRIES),
    }
    with (
        tempfile.TemporaryDirectory(prefix="jwo-platform-") as folder,
        _serve(Path(folder), "platform", rules | settings) as url,
    ):
        yield url


@contextmanager
def _serve(folder: Path, name: str, settings: Mapping[str, str]) -> Iterator[str]:
    """Run one server until the end of the block, and yield its address."""
    with serving.served(f"jwo {name}", (*serving.JWO, name), settings, folder) as server:
        yield server.url()
