"""One pytest session over a list of groups, in this process, isolated from the caller's pytest settings."""

from __future__ import annotations

import contextlib
import gc
import importlib
import io
import os
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from types import ModuleType

import pytest
import pytest_bdd.plugin
from _pytest.fixtures import FixtureFunctionDefinition as _Fixture

from conformance.errors import HarnessBroke
from conformance.run import bridge as bridge_module
from conformance.run.bridge import STEPS, Equipment, PytestBridge
from conformance.run.plan import Group

_SUITE = Path(__file__).resolve().parent.parent
_INI = _SUITE / "pytest.ini"
_ISOLATION = {"PYTEST_ADDOPTS": "", "PYTEST_PLUGINS": "", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
_WITHOUT = (
    "cacheprovider",
    "doctest",
    "faulthandler",
    "junitxml",
    "legacypath",
    "logging",
    "monkeypatch",
    "pastebin",
    "recwarn",
    "setuponly",
    "setupplan",
    "stepwise",
    "subtests",
    "tmpdir",
    "unittest",
)
"""Plugins of pytest that no scenario needs; each of them costs time at each start."""
_ARGUMENTS = (
    str(_SUITE / "scenarios.py"),
    f"--rootdir={_SUITE}",
    f"--config-file={_INI}",
    "--import-mode=importlib",
    *(f"-pno:{each}" for each in _WITHOUT),
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


@cache
def _plugins() -> tuple[ModuleType, ...]:
    """Return the plugins as modules; for a plugin's name, pytest looks through all installed packages.

    Of a module of steps, the plugin holds the fixtures only: at each start, pytest examines each name in a plugin.
    """
    steps = [_fixtures_of(importlib.import_module(f"conformance.steps.{each}")) for each in STEPS]
    return (pytest_bdd.plugin, bridge_module, *steps)


def _fixtures_of(module: ModuleType) -> ModuleType:
    plugin = ModuleType(module.__name__)
    vars(plugin).update({name: each for name, each in vars(module).items() if isinstance(each, _Fixture)})
    return plugin


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
