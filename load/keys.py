"""Holds a stock of identity keys, which a separate process mints ahead of time, outside of the measured path.

The stock orders a key a fixed time before its use, so that the key is fresh. It drops and counts keys that are too old.
A profile's fixed keys need no stock.
"""

from __future__ import annotations

import time
from collections import deque
from typing import IO

import gevent
import orjson
from gevent import subprocess

from jwo_contract.messages import document
from jwo_contract.operations import VERIFY_IDENTITY_KEYS
from jwo_contract.profile import Profile
from jwo_toolkit.own_packages import OWN_MODULE
from load.errors import BadOptions, GeneratorBroke

_FIRST_WITHIN_S = 60.0
_PAUSE_S = 0.02
ASSOCIATE_SAMPLE = "YXNzb2NpYXRlX2tleQ=="
"""Amazon's published sample key of an associate. The shopper's sample key is in the example of the message."""


class KeyStock:
    """Supplies keys by kind: `shopper` and `associate`."""

    def __init__(self, profile: Profile, max_age_s: float) -> None:
        keys = profile.keys
        self._source = {"command": keys.command, "url": keys.url, "ca_file": profile.connector.ca_file}
        self._max_age_s = max_age_s
        self._fixed = _fixed(profile)
        self._minted = {kind for kind in profile.keys.minted if profile.keys.command or profile.keys.url}
        self._stock: dict[str, deque[tuple[float, str]]] = {kind: deque() for kind in self._minted}
        self._minter: subprocess.Popen[bytes] | None = None
        self.trouble = ""
        """The reason of the latest failure to mint a key."""
        self.stale = 0

    @property
    def is_minted(self) -> bool:
        """Whether this run mints keys."""
        return bool(self._minted)

    def has(self, kind: str) -> bool:
        """Return whether there are keys of this kind."""
        return kind in self._minted or bool(self._fixed.get(kind))

    def take(self, kind: str) -> str | None:
        """Return a key without waiting; None if no key is ready."""
        if kind not in self._minted:
            return self._fixed[kind]
        stock = self._stock[kind]
        while stock:
            minted_at, key = stock.popleft()
            if time.monotonic() - minted_at <= self._max_age_s:
                return key
            self.stale += 1
        return None

    def is_fixed(self, kind: str) -> bool:
        """Return whether all requests share one key of this kind."""
        return kind not in self._minted and bool(self._fixed.get(kind))

    def order(self, kind: str, count: int) -> None:
        """Order keys from the minting process, without waiting for them."""
        if kind not in self._minted or not count:
            return
        if self._minter is None:
            self._start()
        assert self._minter is not None
        assert self._minter.stdin is not None
        self._minter.stdin.write(orjson.dumps({"kind": kind, "count": count}) + b"\n")
        self._minter.stdin.flush()

    def wait_for(self, wanted: dict[str, int]) -> None:
        """Wait until the stock holds these numbers of keys. Raises GeneratorBroke if minting fails or is too slow."""
        deadline = time.monotonic() + _FIRST_WITHIN_S
        while any(len(self._stock[kind]) < count for kind, count in wanted.items() if kind in self._minted):
            if self.trouble or time.monotonic() > deadline:
                have = {kind: len(stock) for kind, stock in self._stock.items()}
                why = self.trouble or f"{have} of {wanted} were ready within {_FIRST_WITHIN_S:g} s"
                raise GeneratorBroke(f"no identity keys: {why}", "try [keys] command or url by hand, or lower --rate")
            gevent.sleep(_PAUSE_S)

    def close(self) -> None:
        """End the minting process."""
        if self._minter is not None:
            self._minter.kill()
            self._minter.wait()
            self._minter = None

    def _start(self) -> None:
        self._minter = subprocess.Popen([*OWN_MODULE, "load.minting"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self._minter.stdin is not None
        assert self._minter.stdout is not None
        self._minter.stdin.write(orjson.dumps(self._source) + b"\n")
        gevent.spawn(self._collect, self._minter.stdout)

    def _collect(self, lines: IO[bytes]) -> None:
        for line in lines:
            entry = orjson.loads(line)
            if "trouble" in entry:
                self.trouble = entry["trouble"]
            else:
                self._stock[entry["kind"]].append((time.monotonic(), entry["key"]))
        self.trouble = self.trouble or "the minting process has ended"


def _fixed(profile: Profile) -> dict[str, str]:
    """Return the declared keys, or the published samples if there are none. Raises BadOptions without a shopper key."""
    fixed = {"shopper": profile.keys.shopper, "associate": profile.keys.associate}
    if not profile.declared_keys():
        example = document(VERIFY_IDENTITY_KEYS.request)["examples"][0]["identityKey"]
        return {"shopper": example, "associate": ASSOCIATE_SAMPLE}
    if "shopper" not in profile.declared_keys():
        raise BadOptions("the profile declares no shopper key", "set [keys] shopper, command or url")
    return fixed
