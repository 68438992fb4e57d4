"""No case passes for a subject that does nothing: a dead connector, and a catalog client that exits early."""

from __future__ import annotations

import shlex
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from conformance.mutants import catalog_client_faults
from conformance.mutants.gate import NOWHERE, platform_for_clients, profile_of
from conformance.mutants.http_app import Reply, Request, error
from conformance.mutants.small_connector import SmallConnector
from conformance.run.configuration import RunConfiguration, Selection
from conformance.run.session import run
from conformance.verdicts import CaseResult, Verdict
from jwo_contract.profile import CatalogClientTable, Profile
from jwo_contract.profile_connector import ConnectorTable
from jwo_contract.register import register

Serve = Callable[[Any], str]
TIERS = ("core", "entry")
_UNPUBLISHED = "Amazon publishes no member of this answer, so a 200 is all that the case may require"
_IDS = (
    *("PLAN-CCD-VAL-CONN-001", "SA-7a.6", "SA-7a.7", "SA-7a.8", "SA-X.1", "SA-X.2", "SA-X.3", "SA-X.4"),
    *("RS-X.2", "RS-X.3", "RS-X.4", "RS-X.5"),
)
ALLOWED: dict[str, dict[str, str]] = {"200": dict.fromkeys(_IDS, _UNPUBLISHED)}
"""Cases that may pass for a dead subject, by its name, each with the reason."""


class AlwaysAnswers(SmallConnector):
    """Answers every call in one way."""

    def __init__(self, reply: Reply) -> None:
        super().__init__()
        self.reply = reply

    async def answer(self, request: Request) -> Reply:
        del request
        return self.reply


def _answers(status: int, serve: Serve) -> str:
    return serve(AlwaysAnswers(Reply(200, {}) if status == 200 else error(status, "no")))


@pytest.fixture
def closing() -> Iterator[str]:
    """Accept each connection and close it at once."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_close_each, args=(listener,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def _close_each(listener: socket.socket) -> None:
    while True:
        try:
            listener.accept()[0].close()
        except OSError:
            return


def passed(profile: Profile, only: tuple[str, ...] = ()) -> dict[str, CaseResult]:
    results = run(RunConfiguration(profile, Selection(TIERS, only))).results
    assert results
    return {each: result for each, result in results.items() if result.verdict is Verdict.PASS}


def undeclared_restart(profile: Profile) -> Profile:
    """Return the profile with a restart that works: a dead connector must not hide behind a failing command."""
    return profile.model_copy(update={"connector": profile.connector.model_copy(update={"restart_command": "true"})})


@pytest.mark.slow
@pytest.mark.parametrize("status", [200, 400, 401, 500])
def test_no_case_passes_for_a_connector_that_always_gives_one_answer(serve: Serve, status: int) -> None:
    assert set(passed(undeclared_restart(profile_of(_answers(status, serve))))) <= set(ALLOWED.get(str(status), {}))


@pytest.mark.slow
def test_no_case_passes_for_a_connector_that_refuses_connections() -> None:
    assert not passed(undeclared_restart(profile_of(NOWHERE)))


@pytest.mark.slow
def test_no_case_passes_for_a_connector_that_closes_each_connection(closing: str) -> None:
    assert not passed(undeclared_restart(profile_of(closing)))


@pytest.mark.slow
@pytest.mark.parametrize("code", [0, 1])
@pytest.mark.parametrize("tells_rejected", ["exit_code", "output"])
def test_no_case_passes_for_a_client_that_exits_at_once(code: int, tells_rejected: str) -> None:
    command = shlex.join(["sh", "-c", f"exit {code}"])
    table = CatalogClientTable.model_validate({"command": command, "limit_s": 20, "tells_rejected": tells_rejected})
    profile = Profile(connector=ConnectorTable(url=NOWHERE), catalog_client=table)
    assert passed_by_client(profile) == set()


@pytest.mark.slow
def test_no_case_about_results_passes_for_a_client_that_uploads_and_forgets() -> None:
    command = shlex.join([sys.executable, "-P", "-m", catalog_client_faults.__name__, "uploads_and_forgets"])
    table = CatalogClientTable.model_validate({"command": command, "limit_s": 20, "tells_rejected": "output"})
    profile = Profile(connector=ConnectorTable(url=NOWHERE), catalog_client=table)

    about_results = {f"CAT-X.{number}" for number in (12, 13, 14, 15, 16, 17, 20)}
    assert passed_by_client(profile) & about_results == set()


def passed_by_client(profile: Profile) -> set[str]:
    ids = tuple(row.id for row in register().values() if row.api == "Catalog client")
    with platform_for_clients() as addresses:
        results = run(RunConfiguration(profile, Selection(("core",), ids), catalog_platform=addresses)).results
    return {each for each, result in results.items() if result.verdict is Verdict.PASS}
