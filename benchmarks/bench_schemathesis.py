"""Counts the faulty connectors that a general fuzzer (Schemathesis) and the suite find, by kind of fault.

Run: python benchmarks/bench_schemathesis.py [--every N] [--cases N]
Schemathesis gets an OpenAPI document that helps it most: optional members may be null, as the contract allows, the
store is the one that the connector serves, and each call has an example with a valid key. Failures that it also reports
on the correct connector form its baseline and do not count. A late answer counts as found for both sides. Exit 1 if
the suite misses a fault, or if Schemathesis cannot run.
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
from conformance.end_to_end.platform import Platform, starting
from conformance.mutants.gallery import GALLERY, connector_with
from conformance.mutants.gate import profile_of, run_fault
from conformance.mutants.registry import Fault
from conformance.mutants.serving import served
from conformance.mutants.small_connector import SmallConnector
from conformance.requests import REGISTRY, Requests
from conformance.run.configuration import utc_now
from jwo_contract.gate import ANSWER_WITHIN_S
from jwo_contract.openapi import load

_FUZZER = Path(sys.executable).with_name("schemathesis")
_AT_MOST_S = 90.0
_WORKERS = 2
"""Processes per core: one fuzzes while the other waits for a late answer."""
_NOWHERE = "http://127.0.0.1:9"


class Found(NamedTuple):
    """A fault and the sides that found it. `words` are Schemathesis's failure titles, or a note that it timed out."""

    fault: Fault
    by_suite: bool
    by_fuzzer: bool
    words: str


class Fuzzed(NamedTuple):
    """Schemathesis's result for one connector: the number of cases it ran, and the titles of new failures."""

    cases: int
    failures: tuple[str, ...]
    in_time: bool


def document() -> dict[str, Any]:
    """Return the connector's OpenAPI document, plus what a retailer could add for a fuzzer."""
    whole, requests = load("connector"), Requests(profile_of(_NOWHERE), utc_now)
    for operation in REGISTRY:
        if operation.path in whole["paths"]:
            content = whole["paths"][operation.path]["post"]["requestBody"]["content"]["application/json"]
            body = requests.valid_request(operation).body
            content["example"] = body
            content["schema"] = nullable(content["schema"])
            content["schema"]["properties"]["storeId"]["enum"] = [body["storeId"]]
    return whole


def nullable(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a copy of a schema in which optional members may be null: null counts as absent."""
    changed = dict(schema)
    if "items" in changed:
        changed["items"] = nullable(changed["items"])
    members = {name: nullable(member) for name, member in changed.get("properties", {}).items()}
    for name, member in members.items():
        if name not in changed.get("required", []):
            members[name] = {"anyOf": [member, {"type": "null"}]}
    return {**changed, "properties": members} if members else changed


def fuzz(url: str, folder: Path, cases: int, *more: str) -> Fuzzed:
    """Run Schemathesis on a connector until its first new failure or its end."""
    report = folder / f"{os.getpid()}.json"
    report.unlink(missing_ok=True)
    words = [str(_FUZZER), "run", str(folder / "document.json"), "--url", url, "--baseline", str(folder / "known.json")]
    words += ["--max-examples", str(cases), "--phases", "examples,coverage,fuzzing", "--seed", "1", "--no-shrink"]
    words += ["--max-response-time", str(ANSWER_WITHIN_S), "--suppress-health-check", "all", "--no-color", *more]
    words += ["--report-json-path", str(report)]
    try:
        subprocess.run(words, capture_output=True, timeout=_AT_MOST_S, check=False, cwd=folder)  # noqa: S603 - a dev dependency of this kit
    except subprocess.TimeoutExpired:
        return Fuzzed(0, (), in_time=False)
    if not report.is_file():
        return Fuzzed(0, (), in_time=True)
    result: dict[str, Any] = json.loads(report.read_text("utf-8"))
    return Fuzzed(result["test_cases"]["generated"], tuple(each["title"] for each in result["failures"]), in_time=True)


def compare(fault: Fault, folder: Path, cases: int, platform: Platform) -> Found:
    """Test a connector that has a fault with both sides."""
    with served(connector_with(fault.name)) as url:
        fuzzed = fuzz(url, folder, cases, "--max-failures", "1")
    words = ", ".join(fuzzed.failures) or ("" if fuzzed.in_time else "timed out")
    return Found(fault, run_fault(fault, platform).killed, bool(fuzzed.failures), words)


def print_row(found: Found) -> Found:
    """Print a fault's line of the table and return it."""
    sides = f"{'found' if found.by_suite else 'MISSED':<8}{'found' if found.by_fuzzer else '-':<8}"
    print(f"  {found.fault.name:<52}{sides}{found.words[:60]}", flush=True)
    return found


def kind_of(fault: Fault) -> str:
    """Return a fault's kind: the name of the feature file that must find it."""
    files = {each: entry.file for entry in scenario_entries() for each in entry.ids}
    folder, _, feature = files[fault.found_by[0]].partition("/")
    call = "entry tier" if folder in {"resolve_scan", "shopper_authorization"} else "core"
    return f"{call}: {feature.removesuffix('.feature').replace('_', ' ')}"


def baseline(folder: Path, cases: int) -> Fuzzed:
    """Record Schemathesis's failures on the correct connector as baseline, and return the result of a second run."""
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
    parser.add_argument("--every", type=int, default=1, metavar="N", help="test only every Nth fault (default 1)")
    parser.add_argument(
        "--cases", type=int, default=10, metavar="N", help="examples per call in the fuzzing phase (default 10)"
    )
    given, start = parser.parse_args(), time.perf_counter()
    gallery = GALLERY[:: max(1, given.every)]
    if not _FUZZER.is_file():
        print(f"NOT MEASURED: {_FUZZER} does not exist; install the dev dependencies")
        return 1
    print(f"load average before the run: {os.getloadavg()[0]:.1f}", flush=True)
    with tempfile.TemporaryDirectory(prefix="jwo-") as name, starting(profile_of(_NOWHERE)) as platform:
        folder = Path(name)
        (folder / "document.json").write_text(json.dumps(document()), encoding="utf-8")
        correct = baseline(folder, given.cases)
        if not correct.cases or correct.failures:
            print(f"NOT MEASURED: Schemathesis on the correct connector: {correct}")
            return 1
        print(f"Schemathesis runs {correct.cases} cases on each connector; baseline written", flush=True)
        print(f"  {'fault':<52}{'suite':<8}{'Schemathesis':<8}")
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(_WORKERS * (os.cpu_count() or 1), mp_context=context) as pool:
            task = partial(compare, folder=folder, cases=given.cases, platform=platform)
            found = [print_row(each) for each in pool.map(task, gallery)]
    print()
    show(found)
    print(f"\n{len(found)} of {len(GALLERY)} faults in {time.perf_counter() - start:.0f} s")
    return int(not all(each.by_suite for each in found))


if __name__ == "__main__":
    sys.exit(main())
