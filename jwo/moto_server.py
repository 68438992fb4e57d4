"""Serves a simulated AWS (moto) on this machine: SQS, SNS, S3, STS and CloudFormation.

moto takes half a second to import, so only the command that serves it imports this module.
"""

from __future__ import annotations

import logging

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

import jwo.queue_policy  # noqa: F401 - the import adds a resource to moto
from jwo.quick_queues import make_quick
from jwo_toolkit.announcement import announce
from jwo_toolkit.announcing_server import address, listen


def serve_moto(host: str = "127.0.0.1", port: int = 0) -> None:
    """Serve moto on a numeric address until the process receives a signal to stop; `port` 0 takes a free one.

    Raises OSError if the port is taken.
    """
    make_quick()
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    app = DomainDispatcherApplication(create_backend_app)
    listener = listen(host, port, backlog=128)
    port = listener.getsockname()[1]
    server = make_server(host, port, app, threaded=True, fd=listener.fileno())
    announce(address(listener))
    server.serve_forever()
