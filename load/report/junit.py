"""Renders junit.xml: one case for each requirement of a run, so that a pipeline names the broken one."""

from __future__ import annotations

from typing import Any

from jwo_toolkit.junit import Case, Suite, render_suite


def junit(document: dict[str, Any]) -> bytes:
    """Return the report; an invalid run is an error, and a broken claim is a failure."""
    name = f"jwo-load.{document['scenario']['name']}"
    verdict, claims = document["verdict"], _claims(document)
    reasons = "; ".join(verdict["reasons"])
    on_schedule = "the generator kept the schedule"
    if verdict["word"] == "invalid":
        cases = [Case(on_schedule, name, "error", reasons, "invalid")]
        cases += [Case(claim, name, "skipped", "the run is invalid") for claim in claims]
        return render_suite(Suite(name, cases)).encode()
    cases = [Case(on_schedule, name)]
    for claim, is_broken in claims.items():
        cases.append(Case(claim, name, "failure", reasons, "finding") if is_broken else Case(claim, name))
    return render_suite(Suite(name, cases)).encode()


def _claims(document: dict[str, Any]) -> dict[str, bool]:
    """Return each claim about the connector, and whether it is broken; a search claims only its required rate."""
    counts, compared, asked = document["counts"], document["baseline"], document["asked_per_s"]
    if asked:
        claims = {f"no late answer at {asked:g}/s": document["knee_per_s"] < asked}
    else:
        claims = {
            f"answers within {document['options']['budget_s']:g} s": bool(counts["late"]),
            "every request is answered": bool(counts["unanswered"]),
            "answers are right": bool(counts["findings"]),
        }
    if compared:
        claims["no slower than the baseline"] = bool(compared["slower"])
    return claims
