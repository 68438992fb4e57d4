"""junit.xml: one case for each thing that is asked of a run, so that a pipeline names what broke."""

from __future__ import annotations

from typing import Any

from jwo_toolkit.junit import Case, Suite, render_suite


def junit(document: dict[str, Any]) -> bytes:
    """Return the report; an invalid run is an error, a broken claim a failure."""
    name = f"jwo-load.{document['scenario']['name']}"
    verdict, claims = document["verdict"], _claims(document)
    reasons = "; ".join(verdict["reasons"])
    kept = "the generator kept the schedule"
    if verdict["word"] == "invalid":
        cases = [Case(kept, name, "error", reasons, "invalid")]
        cases += [Case(claim, name, "skipped", "the run is invalid") for claim in claims]
        return render_suite(Suite(name, cases)).encode()
    cases = [Case(kept, name)]
    for claim, is_broken in claims.items():
        cases.append(Case(claim, name, "failure", reasons, "finding") if is_broken else Case(claim, name))
    return render_suite(Suite(name, cases)).encode()


def _claims(document: dict[str, Any]) -> dict[str, bool]:
    """Return what is asked, and whether it is broken; a search asks for one rate and nothing else."""
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
