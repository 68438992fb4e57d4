"""Fixed keys under load: another visitor than without load is cross-talk; a lasting change of visitor is not."""

from __future__ import annotations

from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

from conformance.mutants.http_app import Reply, Request
from conformance.mutants.small_connector import SmallConnector
from tests.load.minting_store import FIXED, run


def renamed(reply: Reply, end: str) -> Reply:
    """Return a reply with another end of the visitor's id."""
    return replace(reply, body=reply.content.replace(b"-uuid-001", end.encode()))


def test_new_visitor_for_each_event_is_no_cross_talk(serve: Any, tmp_path: Path) -> None:
    class Guests(SmallConnector):
        def decide(self, request: Request) -> Reply:
            return renamed(super().decide(request), self.event_key(request))

    report = run(serve(Guests()), tmp_path, FIXED, "gate_rush")

    assert report.document["verdict"]["word"] == "pass", report.document["verdict"]


def test_other_visitor_than_without_load_is_cross_talk(serve: Any, tmp_path: Path) -> None:
    class Stranger(SmallConnector):
        """Stores a wrong visitor of the right type for every twentieth scan, while it is busy."""

        turns = count(1)

        def decide(self, request: Request) -> Reply:
            reply, turn = super().decide(request), next(self.turns)
            is_strange = turn % 20 == 0 and turn <= 100
            return renamed(reply, "-uuid-777") if is_strange else reply

    report = run(serve(Stranger()), tmp_path, FIXED, "gate_rush")

    assert report.exit_code == 1
    assert set(report.document["findings"]) == {"cross-talk"}
    assert "fixed key of a SHOPPER" in str(report.document["examples"])


def test_lasting_change_of_a_keys_visitor_is_no_cross_talk(serve: Any, tmp_path: Path) -> None:
    class Pseudonyms(SmallConnector):
        """Gives the shopper a new id in the middle of the run, as some connectors do at midnight."""

        turns = count(1)

        def decide(self, request: Request) -> Reply:
            reply = super().decide(request)
            return renamed(reply, "-uuid-777") if next(self.turns) > 100 else reply

    report = run(serve(Pseudonyms()), tmp_path, FIXED, "gate_rush")

    assert report.document["verdict"]["word"] == "pass", report.document["verdict"]
