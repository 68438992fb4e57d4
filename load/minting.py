"""Mints identity keys for a load generator, as a process of its own: orders come on stdin, keys go to stdout.

Run as `python -m load.minting`. The first line is the source, `{"command": "…", "url": "…"}`, one of the two empty; it
comes on stdin since everybody may read a process's arguments. An order is `{"kind": "shopper", "count": 50}`, a key is
`{"kind": "shopper", "key": "…"}`; `{"trouble": "…"}` says why one could not be made, without the source's secrets.
"""

from __future__ import annotations

import base64
import binascii
import json
import shlex
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import httpx

_AT_ONCE = 8
_WITHIN_S = 10.0
Mint = Callable[[str], str]


class NoKey(Exception):
    """The source gave no usable key; the text says why."""


def source(command: str, url: str) -> Mint:
    """Return the function that makes one key of a kind; a command wins over an address."""
    if command:
        return lambda kind: _checked(_from_command(command, kind))
    client = httpx.Client(timeout=_WITHIN_S, trust_env=False)
    return lambda kind: _checked(_from_url(client, url.replace("{type}", kind)))


def _from_command(command: str, kind: str) -> str:
    try:
        words = [word.replace("{type}", kind) for word in shlex.split(command)]
        done = subprocess.run(words, capture_output=True, text=True, timeout=_WITHIN_S, check=True)  # noqa: S603 - the user's own command
    except (OSError, ValueError, IndexError, subprocess.SubprocessError) as error:
        raise NoKey(f"[keys] command failed for {kind}: {_without_words(error)}") from None
    return done.stdout.strip()


def _without_words(error: Exception) -> str:
    """Describe the end of a command without its arguments: they may hold a secret."""
    if isinstance(error, subprocess.CalledProcessError):
        return f"exit code {error.returncode}"
    if isinstance(error, subprocess.TimeoutExpired):
        return f"it did not end within {_WITHIN_S:g} s"
    return (error.strerror if isinstance(error, OSError) else None) or "it cannot be read as a command"


def _from_url(client: httpx.Client, url: str) -> str:
    try:
        return str(client.get(url).raise_for_status().json()["identityKey"]).strip()
    except httpx.HTTPStatusError as error:
        why = f"HTTP status {error.response.status_code}"
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        why = type(error).__name__
    except (ValueError, KeyError, TypeError):
        why = "something else came"
    raise NoKey(f'[keys] url {_bare(url)} did not answer {{"identityKey": "…"}}: {why}')


def _bare(url: str) -> str:
    """Return scheme, host and path: user, password and query may be secrets."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "(not an address)"
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _checked(key: str) -> str:
    try:
        base64.b64decode(key, validate=True)
    except (ValueError, binascii.Error) as error:
        raise NoKey("the source gave something that is not Base64") from error
    if not key:
        raise NoKey("the source gave an empty key")
    return key


def main() -> None:
    """Serve orders until stdin ends."""
    mint, lock = source(**json.loads(sys.stdin.readline())), threading.Lock()

    def one(kind: str) -> None:
        try:
            entry = {"kind": kind, "key": mint(kind)}
        except NoKey as error:
            entry = {"trouble": str(error)}
        with lock:
            sys.stdout.write(json.dumps(entry) + "\n")
            sys.stdout.flush()

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for line in sys.stdin:
            order = json.loads(line)
            for _ in range(order["count"]):
                pool.submit(one, order["kind"])


if __name__ == "__main__":
    main()
