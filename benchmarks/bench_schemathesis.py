"""How many of the faulty connectors a general fuzzer finds, beside how many the suite finds, by kind of fault.

Run: python benchmarks/bench_schemathesis.py [--every N] [--cases N]
Schemathesis gets the connector's OpenAPI document at its best for it: optional members may be null, as the contract
lets them, the store is the one that is served, and each call has an example with a valid key. What it reports on the
correct connector as well is its baseline and counts for nothing. A late answer counts as found by either side. Exit 1
when the suite misses a fault, or when Schemathesis cannot tell anything.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).parents[1]))

from conformance.catalogue import scenario_entries
from conformance.certification import Certification
from conformance.end_to_end.platform import Platform, starting
from conformance.mutants.gallery import GALLERY, connector_with
from conformance.mutants.gate import profile_of, run_fault
from conformance.mutants.registry import Fault
from conformance.mutants.serving import served
from conformance.mutants.small_connector import SmallConnector
from contract.gate import ANSWER_WITHIN_S
from contract.openapi import load
from contract.operations import OPERATIONS

_FUZZER = Path(sys.executable).with_name("schemathesis")
_AT_MOST_S = 90.0
_WORKERS = 2
"""Processes for each core: one fuzzes while the other waits for a late answer."""
_NOWHERE = "http://127.0.0.1:9"


class Found(NamedTuple):
    """A fault, and who found it; `words` are what Schemathesis reports, or that its time was up."""

    fault: Fault
    by_suite: bool
    by_fuzzer: bool
    words: str


class Fuzzed(NamedTuple):
    """What Schemathesis said of one connector: how many cases it tried, and the titles of new failures."""

    cases: int
    failures: tuple[str, ...]
    in_time: bool


def document() -> dict[str, Any]:
    """Return the connector's OpenAPI document, with what a retailer could tell a fuzzer beyond the contract."""
    whole, builder = load("connector"), Certification(profile_of(_NOWHERE))
    for operation in OPERATIONS:
        if operation.path in whole["paths"]:
            content = whole["paths"][operation.path]["post"]["requestBody"]["content"]["application/json"]
            body = builder.unbroken(operation).body
            content["example"] = body
            content["schema"] = nullable(content["schema"])
            content["schema"]["properties"]["storeId"]["enum"] = [body["storeId"]]
    return whole


def nullable(schema: dict[str, Any]) -> dict[str, Any]:
    """Copy a schema whose optional members may be null: null counts as absent."""
    changed = dict(schema)
    if "items" in changed:
        changed["items"] = nullable(changed["items"])
    members = {name: nullable(member) for name, member in changed.get("properties", {}).items()}
    for name, member in members.items():
        if name not in changed.get("required", []):
            members[name] = {"anyOf": [member, {"type": "null"}]}
    return {**changed, "properties": members} if members else changed


def fuzz(url: str, folder: Path, cases: int, *more: str) -> Fuzzed:
    """Run Schemathesis on a connector until its first new failure, or to its end."""
    report = folder / f"{os.getpid()}.json"
    report.unlink(missing_ok=True)
    words = [str(_FUZZER), "run", str(folder / "document.json"), "--url", url, "--baseline", str(folder / "known.json")]
    words += ["--max-examples", str(cases), "--phases", "examples,coverage,fuzzing", "--seed", "1", "--no-shrink"]
    words += ["--max-response-time", str(ANSWER_WITHIN_S), "--suppress-health-check", "all", "--no-color", *more]
    words += ["--report-json-path", str(report)]
    try:
        subprocess.run(words, capture_output=True, timeout=_AT_MOST_S, check=False, cwd=folder)  # noqa: S603 - a dev dependency of ours
    except subprocess.TimeoutExpired:
        return Fuzzed(0, (), in_time=False)
    if not report.is_file():
        return Fuzzed(0, (), in_time=True)
    told: dict[str, Any] = json.loads(report.read_text("utf-8"))
    return Fuzzed(told["test_cases"]["generated"], tuple(each["title"] for each in told["failures"]), in_time=True)


def meet(fault: Fault, folder: Path, cases: int, platform: Platform) -> Found:
    """Show a fault to both."""
    with served(connector_with(fault.name)) as url:
        fuzzed = fuzz(url, folder, cases, "--max-failures", "1")
    words = ", ".join(fuzzed.failures) or ("" if fuzzed.in_time else "time was up")
    return Found(fault, run_fault(fault, platform).killed, bool(fuzzed.failures), words)


def told(found: Found) -> Found:
    """Print a line for a fault as soon as both have met it."""
    sides = f"{'found' if found.by_suite else 'MISSED':<8}{'found' if found.by_fuzzer else '-':<8}"
    print(f"  {found.fault.name:<52}{sides}{found.words[:60]}", flush=True)
    return found


def kind_of(fault: Fault) -> str:
    """Name a fault's kind after the feature whose scenario must find it."""
    files = {each: entry.file for entry in scenario_entries() for each in entry.ids}
    folder, _, feature = files[fault.found_by[0]].partition("/")
    call = "entry tier" if folder in {"resolve_scan", "shopper_authorization"} else "core"
    return f"{call}: {feature.removesuffix('.feature').replace('_', ' ')}"


def knows_the_correct_one(folder: Path, cases: int) -> Fuzzed:
    """Let Schemathesis write down what it reports on the correct connector, and run it again: now it is silent."""
    with served(SmallConnector()) as url:
        fuzz(url, folder, cases, "--continue-on-failure", "--baseline-update")
        return fuzz(url, folder, cases, "--continue-on-failure")


def show(found: Sequence[Found]) -> None:
    """Print the table of kinds."""
    kinds = sorted({kind_of(each.fault) for each in found})
    count = Counter((kind_of(each.fault), side) for each in found for side in _sides(each))
    print(f"{'kind of fault':<32}{'faults':>8}{'suite':>8}{'Schemathesis':>14}")
    for kind in kinds:
        row = [count[kind, side] for side in ("all", "suite", "fuzzer")]
        print(f"{kind:<32}{row[0]:>8}{row[1]:>8}{row[2]:>14}")
    totals = [sum(count[kind, side] for kind in kinds) for side in ("all", "suite", "fuzzer")]
    print(f"{'all':<32}{totals[0]:>8}{totals[1]:>8}{totals[2]:>14}")


def _sides(found: Found) -> list[str]:
    return ["all", *(["suite"] if found.by_suite else []), *(["fuzzer"] if found.by_fuzzer else [])]


def main() -> int:
    """Run the comparison and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--every", type=int, default=1, metavar="N", help="only each Nth fault")
    parser.add_argument("--cases", type=int, default=10, metavar="N", help="examples a call in the fuzzing phase")
    given, start = parser.parse_args(), time.perf_counter()
    gallery = GALLERY[:: max(1, given.every)]
    if not _FUZZER.is_file():
        print(f"NOT MEASURED: there is no {_FUZZER}; it comes with the dev dependencies")
        return 1
    print(f"load of the machine before: {os.getloadavg()[0]:.1f}", flush=True)
    with tempfile.TemporaryDirectory(prefix="jwo-") as name, starting(profile_of(_NOWHERE)) as platform:
        folder = Path(name)
        (folder / "document.json").write_text(json.dumps(document()), encoding="utf-8")
        correct = knows_the_correct_one(folder, given.cases)
        if not correct.cases or correct.failures:
            print(f"NOT MEASURED: Schemathesis on the correct connector: {correct}")
            return 1
        print(f"Schemathesis tries {correct.cases} cases on a connector; baseline written", flush=True)
        print(f"  {'fault':<52}{'suite':<8}{'Schemathesis':<8}")
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(_WORKERS * (os.cpu_count() or 1), mp_context=context) as pool:
            task = partial(meet, folder=folder, cases=given.cases, platform=platform)
            found = [told(each) for each in pool.map(task, gallery)]
    print()
    show(found)
    print(f"\n{len(found)} of {len(GALLERY)} faults in {time.perf_counter() - start:.0f} s")
    return int(not all(each.by_suite for each in found))


if __name__ == "__main__":
    sys.exit(main())
