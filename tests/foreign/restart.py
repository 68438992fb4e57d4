"""Restarts a foreign connector: kills it as a crash would, and starts another on the same port. `restart.py FOLDER`."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path


def main(folder: Path) -> None:
    told = json.loads((folder / "process.json").read_text("utf-8"))
    os.kill(told["pid"], signal.SIGKILL)
    wait_until(told["port"], listens=False)
    process = subprocess.Popen(
        told["start"],
        cwd=told["cwd"],
        env={**os.environ, "PORT": str(told["port"])},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    (folder / "process.json").write_text(json.dumps({**told, "pid": process.pid}), encoding="utf-8")
    wait_until(told["port"], listens=True)


def wait_until(port: int, *, listens: bool) -> None:
    deadline = time.monotonic() + 20
    while (socket.socket().connect_ex(("127.0.0.1", port)) == 0) is not listens:
        if time.monotonic() > deadline:
            raise SystemExit(f"port {port} did not change within 20 s")
        time.sleep(0.02)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
