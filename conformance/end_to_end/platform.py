"""The simulated platform as a process of its own: the suite starts its command and meets it over HTTP only.

It starts while other cases run. Where it listens stands in a file, so that lanes in other processes find it as well.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from conformance.errors import HarnessBroke
from contract.house import House
from contract.profile import Profile

COMMAND = (sys.executable, "-P", "-m", "jwo", "platform")
_SAYS = "listening on "
_START_WITHIN_S = 60.0
_STOP_WITHIN_S = 5.0
_LOOK_EVERY_S = 0.02
_NOWHERE = "http://127.0.0.1:9"
"""Stores alone need no AWS, so nothing is ever called there."""
_RULES_OF_THE_SUITE = {"suite"}
_DELIVERY = {"order_timeout_s": 10.0, "backoff_first_s": 0.1, "backoff_max_s": 2.0, "window_h": 1 / 60}
"""A cart that was not taken comes again at once, and a minute later no more: seconds stand for hours."""


class Platform(NamedTuple):
    """A platform that is starting or running; `said` holds its first line, `log` what went wrong."""

    said: Path
    log: Path

    def url(self) -> str:
        """Wait until it listens and return its address; HarnessBroke with the end of its log when it does not."""
        deadline = time.monotonic() + _START_WITHIN_S
        while time.monotonic() < deadline:
            line, end, _ = self.said.read_text("utf-8").partition("\n")
            if end and line.startswith(_SAYS):
                return line.removeprefix(_SAYS).strip()
            if end:
                break
            time.sleep(_LOOK_EVERY_S)
        raise HarnessBroke(f"the simulated platform did not start: {self.log.read_text('utf-8', 'replace')[-1000:]}")


@contextlib.contextmanager
def starting(profile: Profile) -> Iterator[Platform]:
    """Start a platform that calls as the profile says, without waiting for it, and end it with the block."""
    with tempfile.TemporaryDirectory(prefix="jwo-end-to-end-") as folder:
        platform = Platform(Path(folder, "said"), Path(folder, "log"))
        with platform.said.open("wb") as said, platform.log.open("wb") as log:
            environment = {**_surroundings(), **settings(profile)}
            process = subprocess.Popen(COMMAND, stdin=subprocess.DEVNULL, stdout=said, stderr=log, env=environment)  # noqa: S603 - our own command
        threading.Thread(target=_tell_the_end, args=(process, platform.said), daemon=True).start()
        try:
            yield platform
        finally:
            _end(process)


def settings(profile: Profile) -> dict[str, str]:
    """Return the platform's settings as variables: the house rules of the profile, and the key that signs."""
    connector, house = profile.connector, profile.house
    region = house.auth.model_copy(update={"region": connector.region})
    quick = house.delivery.model_copy(update=_DELIVERY)
    return {
        "JWO_PLATFORM_STORES_ALONE": "true",
        "JWO_PLATFORM_AWS_ENDPOINT_URL": _NOWHERE,
        **_rules(house.model_copy(update={"auth": region, "delivery": quick})),
        **_signing(profile),
    }


def _rules(house: House) -> dict[str, str]:
    groups = {name: getattr(house, name) for name in House.model_fields if name not in _RULES_OF_THE_SUITE}
    changed = {name: group for name, group in groups.items() if group != getattr(House(), name)}
    return {f"JWO_PLATFORM_{name.upper()}": group.model_dump_json() for name, group in changed.items()}


def _signing(profile: Profile) -> dict[str, str]:
    connector = profile.connector
    if connector.auth != "sigv4":
        return {}
    key = {"ACCESS_KEY_ID": connector.access_key_id, "SECRET_ACCESS_KEY": connector.secret_access_key}
    token = {"SESSION_TOKEN": connector.session_token} if connector.session_token else {}
    return {f"JWO_PLATFORM_CONNECTOR_{name}": value for name, value in {**key, **token}.items()}


def _surroundings() -> dict[str, str]:
    """Keep the caller's own settings and AWS credentials away from it."""
    return {name: value for name, value in os.environ.items() if not name.upper().startswith(("AWS_", "JWO_"))}


def _tell_the_end(process: subprocess.Popen[bytes], said: Path) -> None:
    """Note that it ended, for whoever still waits for its address."""
    process.wait()
    with contextlib.suppress(OSError), said.open("r+b") as file:  # the folder may be gone, and must not come back
        file.seek(0, os.SEEK_END)
        file.write(b"ended\n")


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_STOP_WITHIN_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
