"""Keeps the packages of this kit importable in projects that have packages of the same names, such as `load`.

A project's folders come first on the import path with PYTHONPATH=. or `python -m`, and then hide the kit's packages.

    use_own_packages()                      first in the main function of a process of this kit
    (*OWN_MODULE, "load", "--rate", "5")    the command that runs a module of this kit in a new process
"""

from __future__ import annotations

import runpy
import sys
from importlib.machinery import PathFinder
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
"""The folder of this kit's packages."""
_COMMON_NAMES = ("conformance", "load", "reference_connector", "simulator")
OWN_MODULE = (sys.executable, "-P", "-m", "jwo_toolkit.own_packages")


def use_own_packages() -> None:
    """Put this kit's folder first on the import path if another folder hides a package of it."""
    if _are_hidden(sys.path):
        sys.path.insert(0, str(ROOT))


def are_hidden_in_new_process() -> bool:
    """Say whether another folder hides a package of this kit in a process without the first folder of this path."""
    return _are_hidden(sys.path[1:])


def _are_hidden(path: list[str]) -> bool:
    """Say whether imports find other packages or modules with the names of this kit's packages."""
    specs = [PathFinder.find_spec(name, path) for name in _COMMON_NAMES]
    return any(spec and spec.origin and Path(spec.origin).resolve().parents[1] != ROOT for spec in specs)


def main() -> None:
    """Run the module that the first argument names, with the other arguments, as `python -m` does."""
    del sys.argv[0]
    use_own_packages()
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
