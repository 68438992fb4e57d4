"""Fixed keys under load: another visitor than the key names alone is cross-talk, a visitor that changes is not."""

from __future__ import annotations

from itertools import count
from pathlib import Path
from typing import Any

from conformance.mutants.small import Reply, SmallConnector
from tests.load.minting_store import FIXED, run


def test_a_visitor_for_each_event_is_no_cross_talk(serve: Any, tmp_path: Path) -> None:
    class Guests(SmallConnector):
        def _decide(self, key: str, body: dict[str, Any]) -> Reply:
            status, answer = super()._decide(key, body)
            return status, answer.replace(b"-uuid-001", body["authEvent"]["id"].encode())

    report = run(serve(Guests()), tmp_path, FIXED, "gate_rush")

    assert report.document["verdict"]["word"] == "pass", report.document["verdict"]


def test_another_visitor_than_a_fixed_key_names_alone_is_cross_talk(serve: Any, tmp_path: Path) -> None:
    class Stranger(SmallConnector):
        """Remembers a wrong visitor, of the right type, for every twentieth scan while it is busy."""

        turns = count(1)

        def _decide(self, key: str, body: dict[str, Any]) -> Reply:
            status, answer = super()._decide(key, body)
            turn = next(self.turns)
            is_strange = turn % 20 == 0 and turn <= 100
            return status, answer.replace(b"-uuid-001", b"-uuid-777") if is_strange else answer

    report = run(serve(Stranger()), tmp_path, FIXED, "gate_rush")

    assert report.exit_code == 1
    assert set(report.document["findings"]) == {"cross-talk"}
    assert "fixed key of a SHOPPER" in str(report.document["examples"])


def test_a_fixed_key_whose_visitor_changes_for_good_is_no_cross_talk(serve: Any, tmp_path: Path) -> None:
    class Pseudonyms(SmallConnector):
        """Names the shopper anew in the middle of the run, as others do at midnight."""

        turns = count(1)

        def _decide(self, key: str, body: dict[str, Any]) -> Reply:
            status, answer = super()._decide(key, body)
            return status, answer.replace(b"-uuid-001", b"-uuid-777") if next(self.turns) > 100 else answer

    report = run(serve(Pseudonyms()), tmp_path, FIXED, "gate_rush")

    assert report.document["verdict"]["word"] == "pass", report.document["verdict"]
