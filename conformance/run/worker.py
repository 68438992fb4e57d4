"""One pytest session over a list of groups, in this process, isolated from the caller's pytest settings."""

from __future__ import annotations

import contextlib
import gc
import importlib
import io
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import ModuleType

import pytest
import pytest_bdd.plugin

from conformance.errors import HarnessBroke
from conformance.run import bridge as bridge_module
from conformance.run.bridge import STEPS, Equipment, PytestBridge
from conformance.run.plan import Group

_SUITE = Path(__file__).resolve().parent.parent
_INI = _SUITE / "pytest.ini"
_ISOLATION = {"PYTEST_ADDOPTS": "", "PYTEST_PLUGINS": "", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
_ARGUMENTS = (
    str(_SUITE / "scenarios.py"),
    f"--rootdir={_SUITE}",
    f"--config-file={_INI}",
    "--import-mode=importlib",
    "-p", "no:cacheprovider",
    "-p", "no:logging",
    "-p", "no:faulthandler",
    "--assert=plain",
    "--tb=native",  # the long format prints arguments: a third of a second for each case that is not applicable
    "--capture=no",  # what a scenario prints goes into the text of the session, without a file for each phase
    "--quiet",
)  # fmt: skip
_FINE = {pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.NO_TESTS_COLLECTED}


def run_groups(equipment: Equipment, groups: Iterable[Group]) -> None:
    """Run the groups in the order in which they arrive; the equipment's recorder gets the results.

    Raises HarnessBroke if pytest cannot run the features. Passes a stop from outside on, as SystemExit.
    """
    output, bridge = io.StringIO(), PytestBridge(equipment, groups)
    gc.freeze()  # pytest collects garbage when it ends, and need not walk over what was there before
    with environment_with(_ISOLATION), contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
        code = pytest.main(list(_ARGUMENTS), plugins=[*_plugins(), bridge])
    if bridge.stopped:
        raise bridge.stopped
    if bridge.broke:
        raise bridge.broke
    if code == pytest.ExitCode.INTERRUPTED:
        raise KeyboardInterrupt
    if code not in _FINE:
        raise HarnessBroke(f"pytest could not run the scenarios:\n{output.getvalue()[-4000:]}")


def _plugins() -> list[ModuleType]:
    """Return the plugins as modules; for a plugin's name, pytest looks through all installed packages."""
    steps = [importlib.import_module(f"conformance.steps.{each}") for each in STEPS]
    return [pytest_bdd.plugin, bridge_module, *steps]


@contextlib.contextmanager
def environment_with(variables: dict[str, str]) -> Iterator[None]:
    """Set environment variables during the block, and restore them after it."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
