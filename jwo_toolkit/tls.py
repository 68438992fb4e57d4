"""The TLS context of every client that calls a connector, with the certificates that the profile adds."""

from __future__ import annotations

import functools
import ssl


@functools.cache
def client_context(ca_file: str = "") -> ssl.SSLContext:
    """Return the context that the clients of a process share: to read the system's certificates takes 40 ms.

    `ca_file` holds further trusted certificates (PEM): a private CA, or the server's own self-signed certificate.
    Raises OSError or ssl.SSLError if it holds none.
    """
    context = ssl.create_default_context()
    if ca_file:
        context.load_verify_locations(ca_file)
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # a declared certificate need not be a CA
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT  # private CAs often lack members that are rarely needed
    return context


def unusable(ca_file: str) -> str:
    """Return why a file gives no trusted certificate; empty if it does."""
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(ca_file)
    except ssl.SSLError:
        return "it holds no certificate in PEM form"
    except OSError as error:
        return error.strerror or type(error).__name__
    return ""
