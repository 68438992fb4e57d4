"""The stock of identity keys: minted ahead of time in a process of its own, so never in the measured path.

A key is asked for a set time before its use, so it is fresh when it is used, and one that has grown too old is thrown
away and counted. A profile's fixed values need no stock.
"""

from __future__ import annotations

import sys
import time
from collections import deque
from typing import IO

import gevent
import orjson
from gevent import subprocess

from contract.messages import document
from contract.operations import VERIFY_IDENTITY_KEYS
from contract.profile import Profile
from load.errors import BadOptions, GeneratorBroke

_FIRST_WITHIN_S = 60.0
_PAUSE_S = 0.02
ASSOCIATE_SAMPLE = "YXNzb2NpYXRlX2tleQ=="
"""Amazon's published sample key of an associate; that of a shopper is in the message's example."""


class KeyStock:
    """Hands out keys by kind: `shopper` and `associate`."""

    def __init__(self, profile: Profile, max_age_s: float) -> None:
        self._keys = profile.keys
        self._max_age_s = max_age_s
        self._fixed = _fixed(profile)
        self._minted = {kind for kind in profile.keys.minted if profile.keys.command or profile.keys.url}
        self._stock: dict[str, deque[tuple[float, str]]] = {kind: deque() for kind in self._minted}
        self._minter: subprocess.Popen[bytes] | None = None
        self.trouble = ""
        """Why a key could not be made, lately."""
        self.stale = 0

    @property
    def is_minted(self) -> bool:
        """Whether keys are made for this run."""
        return bool(self._minted)

    def has(self, kind: str) -> bool:
        """Whether there are keys of this kind."""
        return kind in self._minted or bool(self._fixed.get(kind))

    def take(self, kind: str) -> str | None:
        """Return a key at once; None when none is ready."""
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
        """Whether there is one key of this kind, the same for all."""
        return kind not in self._minted and bool(self._fixed.get(kind))

    def order(self, kind: str, count: int) -> None:
        """Ask for keys; they come when they are ready."""
        if kind not in self._minted or not count:
            return
        if self._minter is None:
            self._start()
        assert self._minter is not None
        assert self._minter.stdin is not None
        self._minter.stdin.write(orjson.dumps({"kind": kind, "count": count}) + b"\n")
        self._minter.stdin.flush()

    def wait_for(self, wanted: dict[str, int]) -> None:
        """Wait until the stock holds that many. Raises GeneratorBroke if it never does."""
        deadline = time.monotonic() + _FIRST_WITHIN_S
        while any(len(self._stock[kind]) < count for kind, count in wanted.items() if kind in self._minted):
            if self.trouble or time.monotonic() > deadline:
                have = {kind: len(stock) for kind, stock in self._stock.items()}
                why = self.trouble or f"{have} of {wanted} came within {_FIRST_WITHIN_S:g} s"
                raise GeneratorBroke(f"no identity keys: {why}", "try [keys] command or url by hand, or lower --rate")
            gevent.sleep(_PAUSE_S)

    def close(self) -> None:
        """End the minting process."""
        if self._minter is not None:
            self._minter.kill()
            self._minter.wait()
            self._minter = None

    def _start(self) -> None:
        self._minter = subprocess.Popen(
            [sys.executable, "-P", "-m", "load.minting"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert self._minter.stdin is not None
        assert self._minter.stdout is not None
        self._minter.stdin.write(orjson.dumps({"command": self._keys.command, "url": self._keys.url}) + b"\n")
        gevent.spawn(self._collect, self._minter.stdout)

    def _collect(self, lines: IO[bytes]) -> None:
        for line in lines:
            entry = orjson.loads(line)
            if "trouble" in entry:
                self.trouble = entry["trouble"]
            else:
                self._stock[entry["kind"]].append((time.monotonic(), entry["key"]))
        self.trouble = self.trouble or "the process that mints them has ended"


def _fixed(profile: Profile) -> dict[str, str]:
    """Take the declared values; a profile that declares no shopper at all gets the published samples."""
    fixed = {"shopper": profile.keys.shopper, "associate": profile.keys.associate}
    if not profile.declared_keys():
        example = document(VERIFY_IDENTITY_KEYS.request)["examples"][0]["identityKey"]
        return {"shopper": example, "associate": ASSOCIATE_SAMPLE}
    if "shopper" not in profile.declared_keys():
        raise BadOptions("the profile declares no key of a shopper", "set [keys] shopper, command or url")
    return fixed
