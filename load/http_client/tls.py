"""TLS for a non-blocking connection: it turns bytes into bytes, without a socket."""

from __future__ import annotations

import ssl

_CHUNK = 262_144


class Tls:
    """The client side of one TLS connection. Every method raises ssl.SSLError if the peer breaks TLS."""

    def __init__(self, context: ssl.SSLContext, host: str) -> None:
        self._from_peer, self._to_peer = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._object = context.wrap_bio(self._from_peer, self._to_peer, server_hostname=host)
        self._waiting = b""
        self._ready = False

    def wrap(self, plain: bytes) -> bytes:
        """Return the bytes to send to the peer now; plain text waits for the end of the handshake."""
        self._waiting += plain
        self._advance()
        return self._to_peer.read()

    def unwrap(self, raw: bytes) -> tuple[bytes, bytes]:
        """Decrypt the peer's bytes; return the plain text and the bytes to send back."""
        self._from_peer.write(raw)
        self._advance()
        return self._plain() if self._ready else b"", self._to_peer.read()

    def _advance(self) -> None:
        if not self._ready:
            try:
                self._object.do_handshake()
            except ssl.SSLWantReadError:
                return
            self._ready = True
        if self._waiting:
            self._object.write(self._waiting)
            self._waiting = b""

    def _plain(self) -> bytes:
        parts: list[bytes] = []
        try:
            while part := self._object.read(_CHUNK):
                parts.append(part)
        except (ssl.SSLWantReadError, ssl.SSLZeroReturnError):
            pass
        return b"".join(parts)
