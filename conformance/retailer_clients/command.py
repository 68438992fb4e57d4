"""Runs the retailer's command once, with a time limit, and returns its exit code and its output.

The command gets its input from environment variables; docs/testing_your_connector.md lists them.
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
from typing import NamedTuple, Protocol

from conformance.drivers.masks import mask
from conformance.errors import HarnessBroke
from conformance.retailer_clients.addresses import Account, Addresses
from jwo_contract.profile import ClientTable
from jwo_toolkit.launcher import ends_with_us

_SHOWN_CHARACTERS = 300
_TERMINATE_TIMEOUT_S = 3.0
_SECRET_NAMES = ("SECRET", "TOKEN", "PASSWORD", "PASSWD", "KEY", "CREDENTIAL")
_MIN_SECRET_LENGTH = 6
_REMOVED_PREFIXES = ("AWS_", "JWO_", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")


class ClientRun(NamedTuple):
    """How a run ended: its exit code, or None after the time limit, and its output without secrets."""

    code: int | None
    output: str
    elapsed_s: float

    def in_short(self) -> str:
        """Describe the run in one line, with the end of its output."""
        output = " ".join(self.output.split())[-_SHOWN_CHARACTERS:]
        how = f"exited with {self.code}" if self.code is not None else "was stopped at its time limit"
        return f"the client {how} after {self.elapsed_s:.1f} s{f', its output ends: {output}' if output else ''}"


class ClientInput(Protocol):
    """The input of a run of one kind of client."""

    @property
    def values(self) -> Mapping[str, str]:
        """The value of each `{name}` in the command and in its environment."""

    @property
    def variables(self) -> Mapping[str, str]:
        """The environment variables of this kind of client, with `{name}` for a value."""


def values_of(addresses: Addresses, account: Account) -> dict[str, str]:
    """Return the values that every client gets: the addresses of the platform and the account of the caller."""
    key = account.key
    return {
        "endpoint": addresses.platform_url,
        "region": addresses.region,
        "aws_endpoint": addresses.aws_url,
        "access_key_id": key.access_key_id,
        "secret_access_key": key.secret_access_key,
        "session_token": key.session_token or "",
        "queue_url": account.queue_url,
        "queue_arn": account.queue_arn,
        "stores": ",".join(account.stores),
    }


def fill(text: str, values: Mapping[str, str]) -> str:
    """Replace each `{name}` in a text by its value."""
    for name, value in values.items():
        text = text.replace(f"{{{name}}}", value)
    return text


_AWS_VARIABLES = {
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


def build_environment(
    client_input: ClientInput, own: Mapping[str, str], inherited: Mapping[str, str]
) -> dict[str, str]:
    """Return the command's environment: the caller's without AWS and proxy settings, the job's, and the profile's."""
    passed_on = {name: value for name, value in inherited.items() if not name.upper().startswith(_REMOVED_PREFIXES)}
    given = {**client_input.variables, **_AWS_VARIABLES, **own}
    return passed_on | {name: fill(text, client_input.values) for name, text in given.items()}


class Runner:
    """Runs the command. Any thread may call `end`, which ends all commands that still run."""

    def __init__(self, table: ClientTable, name: str) -> None:
        """`name` is the table of the profile that declares the command."""
        self._table = table
        self._name = name
        self._running: set[subprocess.Popen[bytes]] = set()
        self._lock = threading.Lock()
        self._is_closed = False

    @property
    def most_at_once(self) -> int:
        """The largest number of parallel runs."""
        return self._table.at_once

    def run(self, client_input: ClientInput) -> ClientRun:
        """Run the command until it exits or reaches its time limit. Raises HarnessBroke if it cannot be started."""
        words = [fill(word, client_input.values) for word in shlex.split(self._table.command)]
        variables = build_environment(client_input, self._table.environment, os.environ)
        start = time.monotonic()
        with tempfile.TemporaryFile() as output:
            with self._started(words, variables, output.fileno()) as process:
                code = _wait_for_exit_code(process, self._table.limit_s)
            output.seek(0)
            text = output.read().decode(errors="replace")
        return ClientRun(code, redact(text, variables), time.monotonic() - start)

    def end(self) -> None:
        """End every run and start no other."""
        with self._lock:
            self._is_closed = True
            for process in self._running:
                _end(process)

    @contextmanager
    def _started(
        self, words: list[str], variables: Mapping[str, str], output: int
    ) -> Iterator[subprocess.Popen[bytes]]:
        with self._lock:
            if self._is_closed:
                raise HarnessBroke("the certification is ending, so no further command starts")
            process = _start(words, variables, output, self._name)
            self._running.add(process)
        try:
            with ends_with_us(process.pid):
                yield process
        finally:
            _end(process)
            with self._lock:
                self._running.discard(process)


def redact(text: str, environment: Mapping[str, str]) -> str:
    """Mask the values of all variables with a name that marks a secret."""
    secrets = {
        value
        for name, value in environment.items()
        if any(word in name.upper() for word in _SECRET_NAMES) and len(value) >= _MIN_SECRET_LENGTH
    }
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, mask(secret))
    return text


def _start(words: list[str], variables: Mapping[str, str], output: int, name: str) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(  # noqa: S603 - the user's own command
            words,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=dict(variables),
            start_new_session=True,
        )
    except OSError as error:
        raise HarnessBroke(
            f"[{name}] command cannot be started: {error.strerror or error}; name a program that exists, "
            "by its path or as a name on PATH"
        ) from error


def _wait_for_exit_code(process: subprocess.Popen[bytes], limit_s: float) -> int | None:
    try:
        return process.wait(limit_s)
    except subprocess.TimeoutExpired:
        return None


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a run and all processes that it started, since they may outlive a command that exited."""
    _signal(process, signal.SIGTERM)
    try:
        process.wait(_TERMINATE_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        _signal(process, getattr(signal, "SIGKILL", signal.SIGTERM))
        process.wait()


def _signal(process: subprocess.Popen[bytes], number: int) -> None:
    with suppress(ProcessLookupError, PermissionError):  # the latter where only a zombie is left
        os.killpg(process.pid, number) if hasattr(os, "killpg") else process.terminate()
