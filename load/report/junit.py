"""junit.xml: one case for each thing that is asked of a run, so that a pipeline names what broke."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import Any


def junit(document: dict[str, Any]) -> bytes:
    """Return the report; an invalid run is an error, a broken claim a failure."""
    name = f"jwo-load.{document['scenario']['name']}"
    verdict = document["verdict"]
    claims = _claims(document)
    broken = [claim for claim, is_broken in claims.items() if is_broken]
    void = verdict["word"] == "invalid"
    suite = ET.Element(
        "testsuite",
        name=name,
        tests=str(len(claims) + 1),
        failures=str(0 if void else len(broken)),
        errors=str(int(void)),
    )
    valid = ET.SubElement(suite, "testcase", classname=name, name="the generator kept the schedule")
    if void:
        suite.set("skipped", str(len(claims)))
        ET.SubElement(valid, "error", message="; ".join(verdict["reasons"]), type="invalid")
    for claim in claims:
        case = ET.SubElement(suite, "testcase", classname=name, name=claim)
        if void:
            ET.SubElement(case, "skipped", message="the run is invalid")
        elif claim in broken:
            ET.SubElement(case, "failure", message="; ".join(verdict["reasons"]), type="finding")
    return bytes(ET.tostring(suite, encoding="utf-8", xml_declaration=True))


def _claims(document: dict[str, Any]) -> dict[str, bool]:
    """Return what is asked, and whether it is broken; a search for the knee asks for one rate and nothing else."""
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
