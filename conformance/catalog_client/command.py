"""Runs the retailer's command once: what it is told by its environment, how long it may take, what it said.

The environment is the contract with the command; docs/testing_your_connector.md lists it.
"""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from conformance.catalog_client.platform import Account, Addresses
from conformance.drivers.masks import mask
from conformance.errors import HarnessBroke
from contract.profile import CatalogClientTable

_LAST_WORDS = 300
_ENDS_WITHIN_S = 3.0
_SECRET_NAMES = ("SECRET", "TOKEN", "PASSWORD", "PASSWD", "KEY", "CREDENTIAL")
_SHORTEST_SECRET = 6
_NOT_PASSED_ON = ("AWS_", "JWO_", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")


class Ended(NamedTuple):
    """How a run ended: its exit code, None when its time was over, and what it said, without secrets."""

    code: int | None
    output: str
    elapsed_s: float

    def in_short(self) -> str:
        """Say it in one line, with its last words."""
        words = " ".join(self.output.split())[-_LAST_WORDS:]
        how = f"ended with {self.code}" if self.code is not None else "had to be ended"
        return f"the client {how} after {self.elapsed_s:.1f} s{f', its last words: {words}' if words else ''}"


class Told(NamedTuple):
    """What a run is told: where the platform is, who calls it, and the catalog as CSV and as JSON."""

    addresses: Addresses
    account: Account
    csv: Path
    json: Path

    def by_name(self) -> dict[str, str]:
        """Return what stands for `{name}` in the command and in its environment."""
        account, key = self.account, self.account.key
        return {
            "endpoint": self.addresses.platform_url,
            "region": self.addresses.region,
            "aws_endpoint": self.addresses.aws_url,
            "access_key_id": key.access_key_id,
            "secret_access_key": key.secret_access_key,
            "session_token": key.session_token or "",
            "queue_url": account.queue_url,
            "queue_arn": account.queue_arn,
            "stores": ",".join(account.stores),
            "csv": str(self.csv),
            "json": str(self.json),
        }

    def filled(self, text: str) -> str:
        """Put what a run is told in the place of its names."""
        for name, value in self.by_name().items():
            text = text.replace(f"{{{name}}}", value)
        return text


_VARIABLES = {
    "CATALOG_ENDPOINT": "{endpoint}",
    "CATALOG_QUEUE_URL": "{queue_url}",
    "CATALOG_QUEUE_ARN": "{queue_arn}",
    "CATALOG_STORES": "{stores}",
    "CATALOG_CSV": "{csv}",
    "CATALOG_JSON": "{json}",
    "AWS_ACCESS_KEY_ID": "{access_key_id}",
    "AWS_SECRET_ACCESS_KEY": "{secret_access_key}",
    "AWS_SESSION_TOKEN": "{session_token}",
    "AWS_REGION": "{region}",
    "AWS_DEFAULT_REGION": "{region}",
    "AWS_ENDPOINT_URL": "{aws_endpoint}",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "NO_PROXY": "127.0.0.1,localhost",
}


def environment(told: Told, own: Mapping[str, str], inherited: Mapping[str, str]) -> dict[str, str]:
    """Return the command's environment: the caller's without AWS and proxy settings, what it is told, and its own."""
    kept = {name: value for name, value in inherited.items() if not name.upper().startswith(_NOT_PASSED_ON)}
    return kept | {name: told.filled(text) for name, text in {**_VARIABLES, **own}.items()}


class Runner:
    """Runs the command; `end` ends what still runs, from another thread as well."""

    def __init__(self, table: CatalogClientTable) -> None:
        self._table = table
        self._running: set[subprocess.Popen[bytes]] = set()
        self._door = threading.Lock()
        self._is_over = False

    def run(self, told: Told) -> Ended:
        """Run the command to its end, or to its limit; HarnessBroke when there is no such program."""
        words = [told.filled(word) for word in shlex.split(self._table.command)]
        given, start = environment(told, self._table.environment, os.environ), time.monotonic()
        with tempfile.TemporaryFile() as output:
            with self._started(words, given, output.fileno()) as process:
                code = _code(process, self._table.limit_s)
            output.seek(0)
            said = output.read().decode(errors="replace")
        return Ended(code, redacted(said, given), time.monotonic() - start)

    def end(self) -> None:
        """End every run and begin no other."""
        with self._door:
            self._is_over = True
            for process in self._running:
                _end(process)

    @contextmanager
    def _started(self, words: list[str], given: Mapping[str, str], output: int) -> Iterator[subprocess.Popen[bytes]]:
        with self._door:
            if self._is_over:
                raise HarnessBroke("the certification is being ended")
            process = _start(words, given, output)
            self._running.add(process)
        try:
            yield process
        finally:
            _end(process)
            with self._door:
                self._running.discard(process)


def redacted(text: str, environment: Mapping[str, str]) -> str:
    """Hide the values of all variables that are secrets by their name."""
    secrets = {
        value
        for name, value in environment.items()
        if any(word in name.upper() for word in _SECRET_NAMES) and len(value) >= _SHORTEST_SECRET
    }
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, mask(secret))
    return text


def _start(words: list[str], given: Mapping[str, str], output: int) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(  # noqa: S603 - the user's own command
            words,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=dict(given),
            start_new_session=True,
        )
    except OSError as error:
        raise HarnessBroke(
            f"[catalog_client] command cannot be started: {error.strerror or error}; name a program that is there, "
            "by its path or on PATH"
        ) from error


def _code(process: subprocess.Popen[bytes], limit_s: float) -> int | None:
    try:
        return process.wait(limit_s)
    except subprocess.TimeoutExpired:
        return None


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a run with all that it started, which may outlive a command that ended by itself."""
    _signal(process, signal.SIGTERM)
    try:
        process.wait(_ENDS_WITHIN_S)
    except subprocess.TimeoutExpired:
        _signal(process, getattr(signal, "SIGKILL", signal.SIGTERM))
        process.wait()


def _signal(process: subprocess.Popen[bytes], number: int) -> None:
    with suppress(ProcessLookupError, PermissionError):  # the latter where only a zombie is left
        os.killpg(process.pid, number) if hasattr(os, "killpg") else process.terminate()
