"""Builds a release into dist/, and checks it. It uploads nothing, and makes no tag.

python -m deploy.release 0.2.0
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

from deploy.release import bill, contents
from deploy.release.refusals import refusals, section

ROOT = Path(__file__).resolve().parents[2]
DIST = ROOT / "dist"
SUMS, NOTES = "SHA256SUMS", "release_notes.md"
NEXT = """\
dist/ holds the release {version}. Nothing was uploaded, and there is no tag. What a person does next:
  1. read dist/{notes}, the text of the release
  2. git tag --sign v{version} --message "Version {version}" && git push origin v{version}
  3. create the release of that tag with all files of dist/ as its files, and dist/{notes} as its text
  4. docs/releasing.md lists what follows
"""


def main(version: str) -> int:
    """Build the release and return the exit code: 1 if the clone is not ready, or if a check failed."""
    if problems := refusals(ROOT, version):
        print("no release was built:", *(f"  - {each}" for each in problems), sep="\n")
        return 1
    with tempfile.TemporaryDirectory(prefix="jwo-release-") as scratch:
        folder = Path(scratch)
        print("build sdist and wheel, install the wheel into an empty venv, certify a connector")
        _run(sys.executable, "benchmarks/try_wheel.py", "--folder", str(folder))
        files = [*folder.glob("*.tar.gz"), *folder.glob("*.whl")]
        print("write the SBOM of that venv")
        sbom = folder / f"jwo_conformance_kit-{version}.cdx.json"
        problems = _bill(folder / "venv", sbom, version)
        problems += contents.faults_of(next(folder.glob("*.whl")), ROOT)
        if problems:
            print("the release is not right:", *(f"  - {each}" for each in problems), sep="\n")
            return 1
        print("check how a package index would show it")
        _run(sys.executable, "-m", "twine", "check", "--strict", *map(str, files))
        (folder / NOTES).write_text(section(ROOT, version) + "\n", "utf-8")
        publish([*files, sbom, folder / NOTES])
    for path in sorted(DIST.iterdir()):
        print(f"  dist/{path.name}  {path.stat().st_size / 1000:.0f} kB")
    print(NEXT.format(version=version, notes=NOTES), end="")
    return 0


def _bill(venv: Path, file: Path, version: str) -> list[str]:
    """Write the bill of a venv, and return what is wrong with it."""
    python = str(venv / "bin" / "python")
    command = (sys.executable, "-m", "cyclonedx_py", "environment", python, "--pyproject", "pyproject.toml")
    made = bill.cleaned(json.loads(_run(*command, "--output-reproducible", "--no-validate", "--of", "JSON")))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    bill.write(made, file)
    return bill.faults_of(made, version, set(project["dependencies"]))


def publish(files: list[Path]) -> None:
    """Put files into an empty dist/, with their SHA-256 sums in the form of `sha256sum --check`."""
    shutil.rmtree(DIST, ignore_errors=True)
    DIST.mkdir()
    sums = []
    for file in sorted(files):
        shutil.copyfile(file, DIST / file.name)
        sums.append(f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n")
    (DIST / SUMS).write_text("".join(sums), "utf-8")


def _run(*command: str) -> str:
    """Run a command and return its output. Ends this program with the command's error if it fails."""
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603 - our own commands
    if done.returncode:
        sys.exit(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else ""))
