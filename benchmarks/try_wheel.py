"""Builds the sdist and from it the wheel, installs the wheel into an empty venv, and certifies a connector with it.

    python benchmarks/try_wheel.py [--python PATH] [--extras connector,platform] [--folder DIR] [--keep DIST]

Everything runs in a folder outside the clone. It prints the packages, megabytes and seconds of the install, and
exits with 1 if the connector gets a finding, or if the base install is larger than its target.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path
from typing import Any

from jwo_toolkit.launcher import launched

ROOT = Path(__file__).resolve().parents[1]
CONNECTOR = ROOT / "tests" / "foreign" / "plain_asgi"
MOST_MB, MOST_S = 120, 25
CASES = ("VIK-1.1", "VIK-3.4", "CP-1.1", "CP-2", "E2E-X.1")


def main() -> int:
    """Build, install and certify, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--python", default=sys.executable, help="the Python of the venv (default: this one)")
    parser.add_argument("--extras", default="", help="extras to install, by commas (default: none)")
    parser.add_argument("--all-cases", action="store_true", help="certify with all cases (default: five)")
    parser.add_argument("--folder", type=Path, help="empty folder that keeps all files (default: a temporary one)")
    parser.add_argument("--keep", type=Path, help="folder for the sdist and the wheel (default: not kept)")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="jwo-wheel-") as scratch:
        folder = given.folder or Path(scratch)
        wheel = build(folder)
        if given.keep:
            given.keep.mkdir(parents=True, exist_ok=True)
            for built in (*folder.glob("*.tar.gz"), wheel):
                shutil.copy(built, given.keep)
        venv = folder / "venv"
        run(given.python, "-m", "venv", "--without-pip", str(venv))  # the pip of this Python installs into it
        empty_mb, empty = size_mb(venv), packages_in(venv)
        wanted = f"{wheel}[{given.extras}]" if given.extras else str(wheel)
        target = ("--python", str(venv / "bin" / "python"))
        pip = (sys.executable, "-m", "pip", *target, "--disable-pip-version-check", "--quiet")
        start = time.monotonic()
        run(*pip, "install", "--constraint", str(ROOT / "constraints.txt"), wanted)
        install_s, install_mb = time.monotonic() - start, size_mb(venv) - empty_mb
        run(*pip, "check")
        packages = packages_in(venv) - empty
        print(run(str(venv / "bin" / "jwo"), "--version").strip())
        targets = "" if given.extras else f"; targets: {MOST_MB} MB, {MOST_S} s"
        print(f"{packages} packages, {install_mb:.0f} MB, {install_s:.0f} s{targets}")
        report = certify(venv, folder, () if given.all_cases else CASES)
    counts = {word: number for word, number in report["counts"].items() if number}
    print(f"certification of {CONNECTOR.name}: {report['verdict']}, {counts}")
    too_large = install_mb > MOST_MB and not given.extras
    return int(report["verdict"] != "pass" or not counts.get("pass") or too_large)


def build(folder: Path) -> Path:
    """Build the sdist, unpack it, and return the wheel that it makes."""
    hatchling = (sys.executable, "-m", "hatchling", "build")
    run(*hatchling, "--target", "sdist", "--directory", str(folder), cwd=ROOT)
    (sdist,) = folder.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        archive.extractall(folder / "sdist", filter="data")
    (source,) = (folder / "sdist").iterdir()
    run(*hatchling, "--target", "wheel", "--directory", str(folder), cwd=source)
    (wheel,) = folder.glob("*.whl")
    return wheel


def certify(venv: Path, folder: Path, only: tuple[str, ...]) -> dict[str, Any]:
    """Certify the connector with the installed command, in an empty folder, and return the report."""
    here = folder / "elsewhere"
    here.mkdir()
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}
    start = (str(venv / "bin" / "python"), str(CONNECTOR / "connector.py"))
    with launched(CONNECTOR.name, start, folder, environment, cwd=here) as started:
        variables = environment | {"FOREIGN_URL": started.url()}
        command = [str(venv / "bin" / "jwo"), "certify", "--profile", str(CONNECTOR / "jwo.toml"), "--out", "report"]
        command += [word for case in only for word in ("--only", case)]
        subprocess.run(command, cwd=here, env=variables, stdout=subprocess.DEVNULL, check=False)  # noqa: S603 - the installed command
    report: dict[str, Any] = json.loads((here / "report" / "report.json").read_text("utf-8"))
    return report


def run(*command: str, cwd: Path | None = None) -> str:
    """Run a command and return its output. Ends this program with the command's error if it fails."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd)  # noqa: S603 - our own commands
    if done.returncode:
        sys.exit(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


def packages_in(venv: Path) -> int:
    """Return how many packages a venv has."""
    return len(list(venv.glob("lib/python*/site-packages/*.dist-info")))


def size_mb(folder: Path) -> float:
    """Return the size of all files in a folder, as they occupy the disk."""
    return sum(path.lstat().st_blocks for path in folder.rglob("*") if not path.is_dir()) * 512 / 1e6


if __name__ == "__main__":
    sys.exit(main())
