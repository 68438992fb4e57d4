"""Restarts a foreign connector: kills its process and starts a new one on the same port. Usage: `restart.py FOLDER`."""

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
    process_info = json.loads((folder / "process.json").read_text("utf-8"))
    os.kill(process_info["pid"], signal.SIGKILL)
    wait_until(process_info["port"], listens=False)
    process = subprocess.Popen(
        process_info["start"],
        cwd=process_info["cwd"],
        env={**os.environ, "PORT": str(process_info["port"])},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    (folder / "process.json").write_text(json.dumps({**process_info, "pid": process.pid}), encoding="utf-8")
    wait_until(process_info["port"], listens=True)


def wait_until(port: int, *, listens: bool) -> None:
    deadline = time.monotonic() + 20
    while (socket.socket().connect_ex(("127.0.0.1", port)) == 0) is not listens:
        if time.monotonic() > deadline:
            raise SystemExit(f"port {port} did not {'open' if listens else 'close'} within 20 s")
        time.sleep(0.02)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
