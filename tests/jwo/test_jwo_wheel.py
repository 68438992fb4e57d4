"""The wheel holds the packages and their data, and nothing that another project could have too; .ci/run installs it."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path
from zipfile import ZipFile

ROOT = Path(__file__).parents[2]
BUILD = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["hatch"]["build"]["targets"]["wheel"]


def test_wheel_holds_the_packages_with_features_and_type_markers(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=60)
    (wheel,) = tmp_path.glob("*.whl")
    names = set(ZipFile(wheel).namelist())

    packages = set(BUILD["packages"])
    assert {name.partition("/")[0] for name in names if ".dist-info/" not in name} == packages
    assert {f"{package}/py.typed" for package in packages} < names
    features = {path.relative_to(ROOT).as_posix() for path in (ROOT / "features").rglob("*.feature")}
    assert {f"conformance/{feature}" for feature in features} < names
    assert "jwo/cloudformation/SQSSetupTemplate.yaml" in names
