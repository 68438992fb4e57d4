"""junit.xml: one case for each thing that is asked of a run, so that a pipeline names what broke."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import Any


def junit(document: dict[str, Any]) -> bytes:
    """Return the report; an invalid run is an error, a broken claim a failure."""
    name = f"jwo-load.{document['scenario']['name']}"
    verdict, counts = document["verdict"], document["counts"]
    claims = {
        f"answers within {document['options']['budget_s']:g} s": counts["late"],
        "every request is answered": counts["unanswered"],
        "answers are right": counts["findings"],
    }
    failing = {claim: count for claim, count in claims.items() if count}
    if verdict["word"] == "fail" and not failing:
        failing = {"no slower than the baseline": 1}
    void = verdict["word"] == "invalid"
    cases = list(dict.fromkeys([*claims, *failing]))
    suite = ET.Element(
        "testsuite",
        name=name,
        tests=str(len(cases) + 1),
        failures=str(0 if void else len(failing)),
        errors=str(int(void)),
    )
    valid = ET.SubElement(suite, "testcase", classname=name, name="the generator kept the schedule")
    if void:
        ET.SubElement(valid, "error", message="; ".join(verdict["reasons"]), type="invalid")
    for claim in cases:
        case = ET.SubElement(suite, "testcase", classname=name, name=claim)
        if void:
            ET.SubElement(case, "skipped", message="the run is invalid")
        elif claim in failing:
            ET.SubElement(case, "failure", message="; ".join(verdict["reasons"]), type="finding")
    if void:
        suite.set("skipped", str(len(cases)))
    return bytes(ET.tostring(suite, encoding="utf-8", xml_declaration=True))
