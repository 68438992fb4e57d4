"""A process that starts others in one of several ways, then waits: `python starter.py WAY FOLDER`.

Each started process writes a file of its own to the folder, and then waits too.
"""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import time
from pathlib import Path

from jwo_toolkit.launcher import ends_with_us
from jwo_toolkit.lifeline import end_with_parent_process, end_with_starter, tied

FOLDER = sys.argv[2] if len(sys.argv) > 2 else ""


def command(way: str) -> list[str]:
    return [sys.executable, __file__, way, FOLDER]


def wait() -> None:
    (Path(FOLDER) / str(os.getpid())).touch()
    time.sleep(60)


def work(folder: str) -> None:
    end_with_parent_process()
    (Path(folder) / str(os.getpid())).touch()
    time.sleep(60)


def start(way: str) -> None:
    if way == "command":
        subprocess.Popen(command("child"), **tied())
    elif way == "shell":
        subprocess.Popen(["/bin/sh", "-c", '"$@"; true', "sh", *command("child")], **tied())
    elif way == "fork":
        subprocess.Popen(command("forking child"), **tied())
    elif way == "grandchild":
        subprocess.Popen(command("starting child"), **tied())
    elif way == "foreign":
        group = subprocess.Popen(command("foreign"), start_new_session=True).pid
        with ends_with_us(group):
            wait()
    elif way == "named parent":
        subprocess.run(["/bin/sh", "-c", 'JWO_ENDS_WITH=$PPID exec "$@"', "sh", *command("child")], check=False)
    else:
        multiprocessing.get_context(way).Process(target=work, args=(FOLDER,)).start()


def main(way: str) -> None:
    if way.endswith("child"):
        end_with_starter()
    if way == "foreign":
        subprocess.Popen(command("foreign too"))
    elif way == "forking child":
        os.fork()
    elif way == "starting child":
        subprocess.Popen(command("child"), **tied())
    wait()


if __name__ == "__main__":
    if sys.argv[1].startswith("start "):
        start(sys.argv[1].removeprefix("start "))
        time.sleep(60)
    else:
        main(sys.argv[1])
