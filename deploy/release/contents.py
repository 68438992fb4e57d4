"""What a wheel of this kit must hold, and what it must not."""

from __future__ import annotations

import tomllib
from email.parser import HeaderParser
from pathlib import Path
from zipfile import ZipFile


def faults_of(wheel: Path, root: Path) -> list[str]:
    """Return what is wrong with the contents of a wheel that was built from `root`; empty if all is right."""
    project = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))
    packages = set(project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"])
    version = project["project"]["version"]
    with ZipFile(wheel) as archive:
        names = set(archive.namelist())
        info = next(name.partition("/")[0] for name in names if ".dist-info/" in name)
        metadata = HeaderParser().parsestr(archive.read(f"{info}/METADATA").decode())
    found = [f"the wheel lacks {name}" for name in sorted(_wanted(root, packages, info) - names)]
    tops = {name.partition("/")[0] for name in names} - {info}
    found += [f"the wheel holds {name}, which is no package of this kit" for name in sorted(tops - packages)]
    found += [f"the wheel holds {name}, a test" for name in sorted(names) if "tests" in Path(name).parts]
    if metadata["Version"] != version:
        found.append(f"the wheel says version {metadata['Version']}, not {version}")
    return found


def _wanted(root: Path, packages: set[str], info: str) -> set[str]:
    wanted = {f"{package}/py.typed" for package in packages}
    wanted |= {f"conformance/{_path(file, root)}" for file in (root / "features").rglob("*.feature")}
    wanted |= {_path(file, root) for package in packages for file in (root / package).rglob("*.json")}
    wanted |= {_path(file, root) for package in packages for file in (root / package).rglob("*.toml")}
    return wanted | {f"{info}/licenses/LICENSE", f"{info}/entry_points.txt"}


def _path(file: Path, root: Path) -> str:
    return file.relative_to(root).as_posix()
