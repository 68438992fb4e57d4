"""Serves a simulated AWS (moto) on this machine: SQS, SNS, S3, STS and CloudFormation.

moto takes half a second to import, so only the command that serves it imports this module.
"""

from __future__ import annotations

import logging
import socket

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

import jwo.queue_policy  # noqa: F401 - the import adds a resource to moto
from jwo_toolkit.announcement import announce


def serve_moto(port: int = 0) -> None:
    """Serve moto until a signal stops the process; `port` 0 takes a free one. Raises OSError if it is taken."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    app = DomainDispatcherApplication(create_backend_app)
    listener = socket.create_server(("127.0.0.1", port), backlog=128)
    port = listener.getsockname()[1]
    server = make_server("127.0.0.1", port, app, threaded=True, fd=listener.fileno())
    announce(f"http://127.0.0.1:{port}")
    server.serve_forever()
