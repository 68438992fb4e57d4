"""Signs requests by hand, from AWS's description of Signature Version 4 alone, in any form that a signer may choose."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from typing import NamedTuple

STAMP = "20240209T175357Z"
Pairs = Sequence[tuple[str, str]]


class Signer(NamedTuple):
    """A signer with a key; `scope` may be of another service."""

    access_key_id: str
    secret: str
    scope: str = "20240209/us-east-1/execute-api/aws4_request"
    stamp: str = STAMP

    def authorization(
        self, method: str, path: str, query: str, signed: Pairs, body: bytes, *, names: str | None = None
    ) -> str:
        """Return the Authorization header for canonical parts; `signed` has each name once, in its order."""
        lines = [f"{name}:{value}" for name, value in signed]
        joined = ";".join(name for name, _ in signed)
        canonical = "\n".join([method, path, query, *lines, "", joined, hashlib.sha256(body).hexdigest()])
        text = f"AWS4-HMAC-SHA256\n{self.stamp}\n{self.scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
        key = f"AWS4{self.secret}".encode()
        for part in self.scope.split("/"):
            key = hmac.digest(key, part.encode(), "sha256")
        signature = hmac.digest(key, text.encode(), "sha256").hex()
        return (
            f"AWS4-HMAC-SHA256 Credential={self.access_key_id}/{self.scope}, "
            f"SignedHeaders={joined if names is None else names}, Signature={signature}"
        )
