"""Keys that the connector mints, in whole runs: fresh, ahead of time, and with a reason if minting fails."""

from __future__ import annotations

import base64
import json
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from conformance.mutants.http_app import Reply, Request
from conformance.mutants.small_connector import VISITORS, SmallConnector
from tests.load.short_runs import run, word


class MintingConnector(SmallConnector):
    """Mints keys, each for one event."""

    def __init__(self) -> None:
        super().__init__()
        self._numbers = count()
        self._used: dict[str, str] = {}

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and scope["path"].startswith("/mint/"):
            kind = scope["path"].rsplit("/", 1)[-1]
            text = f"key{next(self._numbers)}"
            VISITORS[text] = (text, kind.upper())
            body = json.dumps({"identityKey": base64.b64encode(text.encode()).decode()}).encode()
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": body})
            return
        await super().__call__(scope, receive, send)

    def decide(self, request: Request) -> Reply:
        event = self.event_key(request)
        if self._used.setdefault(request.body["identityKey"], event) != event:
            return self.turn_away()
        return super().decide(request)


@pytest.mark.alone
def test_each_scan_has_a_fresh_key_minted_ahead(serve: Any, tmp_path: Path) -> None:
    url = serve(MintingConnector())
    profile = tmp_path / "jwo.toml"
    profile.write_text(f'[connector]\nurl = "{url}"\n[store]\nid = "STORE-001"\n[keys]\nurl = "{url}/mint/{{type}}"\n')

    report = run("", "gate_rush", profile=str(profile), key_ahead_s=0.5)

    assert word(report) == "pass", report.document["verdict"]
    assert report.document["generator"]["keys"] == "minted ahead of time"


def test_modules_in_the_current_folder_replace_nothing(
    serve: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("load", "contract", "locust", "gevent"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('shadowed')\n")
    url = serve(MintingConnector())
    profile = tmp_path / "jwo.toml"
    profile.write_text(f'[connector]\nurl = "{url}"\n[store]\nid = "STORE-001"\n[keys]\nurl = "{url}/mint/{{type}}"\n')
    monkeypatch.chdir(tmp_path)

    report = run("", "gate_rush", profile=str(profile), workers=2)

    assert word(report) == "pass", report.document["verdict"]


def test_failed_minting_makes_the_run_invalid(serve: Any, tmp_path: Path) -> None:
    profile = tmp_path / "jwo.toml"
    profile.write_text(f'[connector]\nurl = "{serve(SmallConnector())}"\n[keys]\ncommand = "false"\n')

    report = run("", "gate_rush", profile=str(profile))

    assert report.exit_code == 3
    assert "no identity keys" in report.document["verdict"]["reasons"][0]
