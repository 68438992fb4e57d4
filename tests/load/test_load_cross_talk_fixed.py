"""Fixed keys under load: another visitor than the key names alone is cross-talk, a visitor that changes is not."""

from __future__ import annotations

from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

from conformance.mutants.http_app import Reply, Request
from conformance.mutants.small_connector import SmallConnector
from tests.load.minting_store import FIXED, run


def renamed(reply: Reply, end: str) -> Reply:
    """Return a reply in which the visitor's id has another end."""
    return replace(reply, body=reply.content.replace(b"-uuid-001", end.encode()))


def test_a_visitor_for_each_event_is_no_cross_talk(serve: Any, tmp_path: Path) -> None:
    class Guests(SmallConnector):
        def decide(self, request: Request) -> Reply:
            return renamed(super().decide(request), self.event_key(request))

    report = run(serve(Guests()), tmp_path, FIXED, "gate_rush")

    assert report.document["verdict"]["word"] == "pass", report.document["verdict"]


def test_another_visitor_than_a_fixed_key_names_alone_is_cross_talk(serve: Any, tmp_path: Path) -> None:
    class Stranger(SmallConnector):
        """Remembers a wrong visitor, of the right type, for every twentieth scan while it is busy."""

        turns = count(1)

        def decide(self, request: Request) -> Reply:
            reply, turn = super().decide(request), next(self.turns)
            is_strange = turn % 20 == 0 and turn <= 100
            return renamed(reply, "-uuid-777") if is_strange else reply

    report = run(serve(Stranger()), tmp_path, FIXED, "gate_rush")

    assert report.exit_code == 1
    assert set(report.document["findings"]) == {"cross-talk"}
    assert "fixed key of a SHOPPER" in str(report.document["examples"])


def test_a_fixed_key_whose_visitor_changes_for_good_is_no_cross_talk(serve: Any, tmp_path: Path) -> None:
    class Pseudonyms(SmallConnector):
        """Gives the shopper a new id in the middle of the run, as others do at midnight."""

        turns = count(1)

        def decide(self, request: Request) -> Reply:
            reply = super().decide(request)
            return renamed(reply, "-uuid-777") if next(self.turns) > 100 else reply

    report = run(serve(Pseudonyms()), tmp_path, FIXED, "gate_rush")

    assert report.document["verdict"]["word"] == "pass", report.document["verdict"]
