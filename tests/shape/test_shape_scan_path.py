"""The plain path of one scan is the list in ARCHITECTURE.md, and nothing but the composition root knows `accelerated`.

A file is on the path when one of its functions runs on the event loop's thread between the request's arrival and its
answer; the list has the order in which they are entered first. The store's writer thread runs other files, behind
`store/group_commit.py`: they have a list of their own.
"""

from __future__ import annotations

import ast
import asyncio
import re
import sys
import threading
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Any

import httpx
import pytest

from reference_connector.app import create_app
from reference_connector.settings import ConnectorSettings

ROOT = Path(__file__).resolve().parents[2]
SECTION = "## The plain path of one scan"
MOST_FILES = 8
URL = "http://connector/v1/identity/identity-keys"


def _section() -> str:
    return (ROOT / "ARCHITECTURE.md").read_text("utf-8").partition(SECTION)[2].partition("\n## ")[0]


def _listed() -> list[str]:
    return re.findall(r"^\d+\. `([^`]+)`", _section(), re.MULTILINE)


def _listed_of_the_writer() -> list[str]:
    return re.findall(r"^- `([^`]+)`", _section(), re.MULTILINE)


class _Trace:
    """The project's files in the order in which each thread enters them."""

    def __init__(self) -> None:
        self.files: dict[int, dict[str, None]] = {}

    def __call__(self, frame: FrameType, event: str, _argument: object) -> None:
        path = Path(frame.f_code.co_filename)
        if event == "call" and path.is_relative_to(ROOT) and ".venv" not in path.parts and "tests" not in path.parts:
            self.files.setdefault(threading.get_ident(), {})[str(path.relative_to(ROOT))] = None


def _scan() -> dict[str, Any]:
    event = {"id": "11111111-2222-3333-4444-555555555555", "timestamp": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"}
    return {
        "requestId": "a1b2c3d4-e5f6-7890-abcd-ef1234567890",
        "identityKey": "dmFsaWRfc2hvcHBlcl9rZXk=",
        "storeId": "STORE-001",
        "authEvent": event | {"location": "ENTRY"},
        "keyChannel": "OPTICAL",
    }


_QUIET = {"accelerated": False, "watch_files_s": 0, "payments": {"poll_s": 60}}
"""Settings of the plain connector, with no task beside the call."""


async def _traced(settings: ConnectorSettings) -> _Trace:
    """Send one scan to a connector, and return what its threads entered meanwhile."""
    trace, app = _Trace(), create_app(settings)
    threading.setprofile(trace)  # for the writer, which starts with the app
    async with app.router.lifespan_context(app), httpx.AsyncClient(transport=httpx.ASGITransport(app)) as client:
        await asyncio.sleep(0.2)  # the outbox has looked, and waits
        trace.files.clear()
        sys.setprofile(trace)
        answer = await client.post(URL, json=_scan())
        sys.setprofile(None)
    assert answer.status_code == 200
    return trace


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[str], list[str]]:
    """The files of the event loop's thread in their order, and those of the writer's."""
    store = {"path": tmp_path_factory.mktemp("scan") / "connector.sqlite3"}
    try:
        trace = asyncio.run(_traced(ConnectorSettings.model_validate(_QUIET | {"store": store})))
    finally:
        sys.setprofile(None)
        threading.setprofile(None)  # type: ignore[arg-type] # as the documentation says
    here = trace.files.pop(threading.get_ident())
    return list(here), sorted({file for files in trace.files.values() for file in files})


def test_the_path_of_a_scan_is_the_one_in_the_document(path: tuple[list[str], list[str]]) -> None:
    assert _listed() == path[0]


def test_the_path_of_a_scan_is_short(path: tuple[list[str], list[str]]) -> None:
    assert 0 < len(path[0]) == len(set(path[0])) <= MOST_FILES


def test_the_writers_files_are_the_ones_in_the_document(path: tuple[list[str], list[str]]) -> None:
    assert sorted(_listed_of_the_writer()) == path[1]


def _imports(file: Path) -> Iterable[str]:
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def test_the_composition_root_alone_imports_accelerated() -> None:
    rooms = [ROOT / room for room in ("jwo_contract", "reference_connector", "simulator", "conformance", "load", "jwo")]
    files = [file for room in rooms for file in room.rglob("*.py") if "accelerated" not in file.parts]
    knowing = [
        str(file.relative_to(ROOT))
        for file in files
        if any(name.startswith("reference_connector.accelerated") for name in _imports(file))
    ]
    assert knowing == ["reference_connector/app.py"]


def test_the_plain_connector_works_without_the_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in sys.modules if name.startswith("reference_connector.accelerated")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "reference_connector.accelerated", None)
    store = {"path": tmp_path / "connector.sqlite3"}
    settings = ConnectorSettings.model_validate(_QUIET | {"store": store})

    async def run() -> int:
        app = create_app(settings)
        async with app.router.lifespan_context(app), httpx.AsyncClient(transport=httpx.ASGITransport(app)) as client:
            return (await client.post(URL, json=_scan())).status_code

    assert asyncio.run(run()) == 200
    with pytest.raises(ImportError):
        create_app(ConnectorSettings.model_validate({"store": store, "accelerated": True}))
