"""The source of identity keys: the profile's command, address or values, or random keys for unknown shoppers."""

from __future__ import annotations

import base64
import shlex
import subprocess
import uuid

import httpx

from conformance.errors import NotDeclared, ProfileBroke
from jwo_contract.key_kinds import KeyKind
from jwo_contract.profile import Profile
from jwo_toolkit.tls import client_context

_MINT_WITHIN_S = 10


class KeySource:
    """Provides Base64 identity keys by kind, from the profile's command, else its address, else its fixed values."""

    def __init__(self, profile: Profile) -> None:
        self._keys = profile.keys
        self._declared = frozenset(profile.declared_keys())
        limits, context = httpx.Limits(max_keepalive_connections=0), client_context(profile.connector.ca_file)
        self._http = httpx.Client(timeout=_MINT_WITHIN_S, limits=limits, trust_env=False, verify=context)

    def has(self, kind: KeyKind) -> bool:
        """Say whether the profile declares this kind."""
        return kind in self._declared

    def are_fresh(self, kind: KeyKind) -> bool:
        """Say whether each key of this kind is new, made by the command or the address."""
        return kind in self._keys.minted and bool(self._keys.command or self._keys.url)

    def fixed(self, kind: KeyKind) -> str:
        """Return the fixed value of a kind, also if the command or the address makes others; empty if there is none."""
        return str(getattr(self._keys, kind))

    def take(self, kind: KeyKind) -> str:
        """Return a key of a declared kind, a new one if the profile can make them.

        Raises NotDeclared if the profile does not declare the kind. Raises ProfileBroke if the command fails, or the
        address does.
        """
        if not self.has(kind):
            raise NotDeclared(f"[keys] {kind} is not declared in the profile")
        if kind in self._keys.minted and self._keys.command:
            return self._from_command(kind)
        if kind in self._keys.minted and self._keys.url:
            return self._from_url(kind)
        return self.fixed(kind)

    def unknown(self) -> str:
        """Return a key that is unknown to the connector."""
        if self.has("unknown"):
            return self.take("unknown")
        return base64.b64encode(f"nobody{uuid.uuid4().hex}".encode()).decode()

    def _from_command(self, kind: str) -> str:
        try:
            command = [part.replace("{type}", kind) for part in shlex.split(self._keys.command)]
            done = subprocess.run(command, capture_output=True, text=True, timeout=_MINT_WITHIN_S, check=True)  # noqa: S603 - the user's own command
        except subprocess.CalledProcessError as error:
            last = (str(error.stderr).strip().splitlines() or ["it printed no error"])[-1]
            raise ProfileBroke(f"[keys] command failed for {kind}: exit code {error.returncode}: {last}") from error
        except (OSError, ValueError, IndexError, subprocess.SubprocessError) as error:
            raise ProfileBroke(f"[keys] command failed for {kind}: {error}") from error
        return _one_key(done.stdout, "[keys] command")

    def _from_url(self, kind: str) -> str:
        url = self._keys.url.replace("{type}", kind)
        try:
            answer = self._http.get(url).raise_for_status().json()
            return _one_key(str(answer["identityKey"]), "[keys] url")
        except (httpx.HTTPError, httpx.InvalidURL, ValueError, KeyError, TypeError) as error:
            raise ProfileBroke(f'[keys] url {url} did not answer {{"identityKey": "…"}}: {error}') from error


def _one_key(text: str, source: str) -> str:
    key = text.strip()
    try:
        base64.b64decode(key, validate=True)
    except ValueError as error:
        raise ProfileBroke(f"{source} returned a key that is not Base64; it must return one Base64 key") from error
    if not key:
        raise ProfileBroke(f"{source} returned an empty key; it must return one Base64 key")
    return key
