"""Mints identity keys for a load generator, in a separate process: reads orders from stdin, writes keys to stdout.

Run as `python -m load.minting`. The first line is the source, `{"command": "…", "url": "…", "ca_file": "…"}`, with an
empty command or address; it is on stdin because other users can read a process's arguments. An order is
`{"kind": "shopper", "count": 50}`, a key is `{"kind": "shopper", "key": "…"}`. `{"trouble": "…"}` gives the reason of a
failure, without the source's secrets.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import shlex
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import httpx

from jwo_toolkit.tls import client_context

_AT_ONCE = 8
_WITHIN_S = 10.0
Mint = Callable[[str], str]


class NoKey(Exception):
    """The source returned no usable key; the text gives the reason."""


def source(command: str, url: str, ca_file: str = "") -> Mint:
    """Return the function that mints one key of a kind; it prefers the command to the address."""
    if command:
        return lambda kind: _checked(_from_command(command, kind))
    client = httpx.Client(timeout=_WITHIN_S, trust_env=False, verify=client_context(ca_file))
    return lambda kind: _checked(_from_url(client, url.replace("{type}", kind)))


def _from_command(command: str, kind: str) -> str:
    try:
        words = [word.replace("{type}", kind) for word in shlex.split(command)]
        done = subprocess.run(words, capture_output=True, text=True, timeout=_WITHIN_S, check=True)  # noqa: S603 - the user's own command
    except (OSError, ValueError, IndexError, subprocess.SubprocessError) as error:
        raise NoKey(f"[keys] command failed for {kind}: {_reason_without_secrets(error)}") from None
    return done.stdout.strip()


def _reason_without_secrets(error: Exception) -> str:
    """Return the reason why a command failed, without the command itself, which may contain a secret."""
    if isinstance(error, subprocess.CalledProcessError):
        return f"exit code {error.returncode}"
    if isinstance(error, subprocess.TimeoutExpired):
        return f"it did not end within {_WITHIN_S:g} s"
    return (error.strerror if isinstance(error, OSError) else None) or "it is not a valid command line"


def _from_url(client: httpx.Client, url: str) -> str:
    try:
        return str(client.get(url).raise_for_status().json()["identityKey"]).strip()
    except httpx.HTTPStatusError as error:
        why = f"HTTP status {error.response.status_code}"
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        why = type(error).__name__
    except (ValueError, KeyError, TypeError):
        why = "the answer has another form"
    raise NoKey(f'[keys] url {_url_without_secrets(url)} did not answer {{"identityKey": "…"}}: {why}')


def _url_without_secrets(url: str) -> str:
    """Return the scheme, host and path of a URL, without user, password and query, which may be secrets."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "(not an address)"
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _checked(key: str) -> str:
    try:
        base64.b64decode(key, validate=True)
    except (ValueError, binascii.Error) as error:
        raise NoKey("the source returned a key that is not Base64") from error
    if not key:
        raise NoKey("the source returned an empty key")
    return key


def main() -> None:
    """Serve orders until stdin ends."""
    mint, lock = source(**json.loads(sys.stdin.readline())), threading.Lock()

    def mint_one(kind: str) -> None:
        try:
            entry = {"kind": kind, "key": mint(kind)}
        except NoKey as error:
            entry = {"trouble": str(error)}
        with lock:
            try:
                sys.stdout.write(json.dumps(entry) + "\n")
                sys.stdout.flush()
            except BrokenPipeError:
                os._exit(1)  # the process that ordered the keys has ended

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for line in sys.stdin:
            order = json.loads(line)
            for _ in range(order["count"]):
                pool.submit(mint_one, order["kind"])


if __name__ == "__main__":
    main()
