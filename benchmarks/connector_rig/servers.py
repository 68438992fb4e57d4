"""Servers as processes. Each has its own process group, so that one signal kills the server with all its workers."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]


class ServerProcess:
    """A command that serves on a given port; it can be killed and started again."""

    def __init__(self, command: list[str], port: int, log: Path, environment: dict[str, str] | None = None) -> None:
        self._command = command
        self.port = port
        self._log = log
        self._environment = os.environ | {"PYTHONPATH": str(ROOT)} | (environment or {})
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The id of the process, while it runs."""
        assert self._process is not None
        return self._process.pid

    def start(self, deadline_s: float = 30) -> None:
        """Start the server, and wait until it answers. Raises RuntimeError, with the end of the log, if it does not."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - this benchmark's servers
                self._command, env=self._environment, stdout=log, stderr=log, start_new_session=True
            )
        end = time.monotonic() + deadline_s
        while not _answers(self.port):
            if time.monotonic() > end or self._process.poll() is not None:
                end_of_log = self._log.read_text("utf-8", "replace")[-2000:]
                raise RuntimeError(f"{self._command} did not start; its log ends with:\n{end_of_log}")
            time.sleep(0.02)

    def kill(self) -> None:
        """Send SIGKILL to the whole group, and wait until the system has freed the port."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        self._process = None
        end = time.monotonic() + 10
        while not _is_free(self.port) and time.monotonic() < end:
            time.sleep(0.005)

    def stop(self) -> None:
        """Send SIGTERM to the whole group, and wait for the end."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGTERM)
            self._process.wait(30)
        self._process = None


def connector(port: int, log: Path, environment: dict[str, str], workers: int = 1) -> ServerProcess:
    """Return the process of the reference connector, not started yet."""
    command = [sys.executable, "-m", "reference_connector", "--port", str(port), "--workers", str(workers)]
    return ServerProcess(command, port, log, environment)


def python() -> str:
    """Return the interpreter that the servers run on."""
    return sys.executable


def pin(pid: int, core: int) -> None:
    """Bind all threads of a process to one core."""
    for task in Path(f"/proc/{pid}/task").iterdir():
        os.sched_setaffinity(int(task.name), {core})


def free_port() -> int:
    """Return a free port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def _is_free(port: int) -> bool:
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as probe:
            probe.sendall(b"GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
            return probe.recv(1) != b""
    except OSError:
        return False
