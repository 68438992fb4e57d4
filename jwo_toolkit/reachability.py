"""Tries whether the server of a URL accepts connections, before a whole run depends on it.

For an https URL the TLS handshake belongs to that: without it no call reaches the server.
"""

from __future__ import annotations

import socket
import ssl
from urllib.parse import urlsplit

from jwo_toolkit.tls import client_context

_CONNECT_WITHIN_S = 5.0
_OTHER_HOST = {62, 63, 64}
"""OpenSSL's codes for a certificate of another host name, address or mail address."""


class NotReachable(Exception):
    """No server accepts connections at a URL; the text gives the URL, the reason and what to do."""


def check_reachable(url: str, ca_file: str = "") -> None:
    """Open a connection to the server of an http or https URL, and close it. Raises NotReachable if that fails."""
    parts = urlsplit(url)
    host, is_secure = parts.hostname or "", parts.scheme == "https"
    try:
        with socket.create_connection((host, parts.port or (443 if is_secure else 80)), _CONNECT_WITHIN_S) as plain:
            if is_secure:
                client_context(ca_file).wrap_socket(plain, server_hostname=host).close()
    except ssl.SSLCertVerificationError as error:
        raise NotReachable(_not_trusted(url, ca_file, error)) from error
    except ssl.SSLError as error:
        raise NotReachable(
            f"{url} accepts connections, but the TLS handshake fails ({error.reason or error}); "
            "correct the scheme or the port in --connector URL or [connector] url of the profile"
        ) from error
    except UnicodeError as error:  # a label of the name is empty, or longer than 63 characters
        raise NotReachable(
            f"{host} is not a host name; correct the address in --connector URL or [connector] url of the profile"
        ) from error
    except OSError as error:
        raise NotReachable(
            f"cannot connect to {url} ({error.strerror or error}); start the connector, "
            "or correct its address in --connector URL or [connector] url of the profile"
        ) from error


def _not_trusted(url: str, ca_file: str, error: ssl.SSLCertVerificationError) -> str:
    problem = f"the certificate of {url} is not trusted ({error.verify_message.rstrip('.')})"
    if error.verify_code in _OTHER_HOST:
        return f"{problem}; use a host name of the certificate in [connector] url"
    if ca_file:
        return f"{problem}; [connector] ca_file is {ca_file}: declare the certificate of the CA that signed it"
    return f"{problem}; declare your CA's certificate, or the self-signed one, as [connector] ca_file in the profile"
