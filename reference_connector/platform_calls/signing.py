"""Signs the calls of one account."""

from __future__ import annotations

from pydantic import SecretStr

from jwo_contract import sigv4
from reference_connector.telemetry import Clock

_HEADERS = {"Content-Type": "application/json", "Accept": "application/json"}


class Signer:
    """Signs calls with an account's keys. A signature has a time, so each attempt needs a new one."""

    def __init__(
        self,
        access_key_id: str,
        secret_access_key: SecretStr,
        session_token: SecretStr | None,
        region: str,
        clock: Clock,
    ) -> None:
        token = session_token.get_secret_value() if session_token else None
        self._key = sigv4.Key(access_key_id, secret_access_key.get_secret_value(), token or None)
        self._region = region
        self._clock = clock

    def headers(self, url: str, content: bytes) -> dict[str, str]:
        """Return the headers of a POST request."""
        return sigv4.sign("POST", url, _HEADERS, content, self._key, region=self._region, now=self._clock())
