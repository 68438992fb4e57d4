"""Runs the scenarios of one certification with pytest, in this process, shut off from the caller's pytest settings."""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Iterable
from pathlib import Path
from unittest import mock

import pytest

from conformance.catalog_client.servers import jobs_for
from conformance.certification import Certification
from conformance.end_to_end.needs import platform_for
from conformance.errors import HarnessBroke
from conformance.lanes import Group
from conformance.plugin import Holder

_INI = Path(__file__).with_name("pytest.ini")
_SCENARIOS = Path(__file__).with_name("scenarios.py")
_FINE = {pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED}


def run(certification: Certification) -> None:
    """Run what is selected; results are in `certification.results`. A stop from outside goes through as SystemExit.

    HarnessBroke when pytest could not run the features at all, or when nothing was selected.
    """
    _run(certification, None)


def run_groups(certification: Certification, groups: Iterable[Group]) -> None:
    """Run the groups that are handed in, in their order and as they come."""
    _run(certification, groups)


def _run(certification: Certification, groups: Iterable[Group] | None) -> None:
    output = io.StringIO()
    arguments = [
        str(_SCENARIOS),
        f"--rootdir={_INI.parent}",
        f"--config-file={_INI}",
        "--import-mode=importlib",
        "-p", "no:cacheprovider",
        "-p", "no:logging",
        "-p", "no:faulthandler",
        "-p", "pytest_bdd.plugin",
        "-p", "conformance.plugin",
        "--assert=plain",
        "--tb=native",  # the long way spells arguments out: a third of a second a case that is not applicable
        "--quiet",
    ]  # fmt: skip
    shut_off = {"PYTEST_ADDOPTS": "", "PYTEST_PLUGINS": "", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    with (
        certification.client() as client,
        jobs_for(certification),
        platform_for(certification),
        mock.patch.dict(os.environ, shut_off),
        contextlib.redirect_stdout(output),
        contextlib.redirect_stderr(output),
    ):
        holder = Holder(certification, client, groups)
        code = pytest.main(arguments, plugins=[holder])
    if holder.stopped:
        raise holder.stopped
    if holder.broke:
        raise holder.broke
    if code == pytest.ExitCode.INTERRUPTED:
        raise KeyboardInterrupt
    if code == pytest.ExitCode.NO_TESTS_COLLECTED:
        raise HarnessBroke("no scenario is selected; see the ids with: jwo cases")
    if code not in _FINE:
        raise HarnessBroke(f"the scenarios could not run:\n{output.getvalue()[-4000:]}")
