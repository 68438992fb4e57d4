"""Parses command lines as Locust does, and settles them: one JSON line each, with the exit code and the log."""

from __future__ import annotations

import io
import json
import logging
import sys
from contextlib import redirect_stderr

from locust.argument_parser import get_parser  # isort: skip - Locust patches sockets, so it comes first
from locust.env import Environment

import load.users.visitors  # noqa: F401 - adds the options
from load.users.locust_options import settle_options

log = io.StringIO()
logging.basicConfig(stream=log, level=logging.WARNING, format="%(message)s")


def settled(words: list[str]) -> dict[str, object]:
    try:
        options = get_parser(default_config_files=()).parse_args(words)
        environment = Environment(parsed_options=options)
        if options.master:
            environment.create_master_runner("127.0.0.1", 0)
        settle_options(environment)
    except SystemExit as ended:
        return {"code": ended.code}
    return {"code": 0, "duration": options.duration, "run_time": options.run_time, "stop": environment.stop_timeout}


for line in sys.stdin:
    log.truncate(log.seek(0))
    with redirect_stderr(log):
        result = settled(json.loads(line))
    sys.stdout.write(json.dumps(result | {"log": log.getvalue()}) + "\n")
