"""Runs the cases of the profile: requests that the profile's owner wrote, each with the answer that it expects."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING
from uuid import uuid4

from conformance.drivers.exchange import Exchange
from conformance.errors import NotDeclared, OutOfTime, ProfileBroke
from conformance.verdicts import CaseResult, Verdict
from jwo_contract.operations import Operation, operation_named
from jwo_contract.own_cases import OwnCase, filled
from jwo_contract.values import format_instant
from jwo_toolkit.json_types import Json

if TYPE_CHECKING:
    from conformance.requests import Requests
    from conformance.run.bridge import Equipment


def run_own_cases(equipment: Equipment, cases: Iterable[OwnCase]) -> tuple[CaseResult, ...]:
    """Send the request of each case, and return a result with the exchange for each."""
    return tuple(_run(equipment, case) for case in cases)


def _run(equipment: Equipment, case: OwnCase) -> CaseResult:
    result, started = CaseResult(case.id, expected=_in_words(case)), time.perf_counter()
    equipment.recorder.take_exchanges()
    try:
        _judge(case, result, equipment.connector.send(_operation(case), _body(case, equipment.requests)))
    except NotDeclared as error:
        result.verdict, result.reason = Verdict.NOT_APPLICABLE, str(error)
    except OutOfTime:
        result.verdict, result.reason = Verdict.NOT_APPLICABLE, "the time of the run was over; raise [limits] run_s"
    except ProfileBroke as error:
        result.verdict, result.reason = Verdict.ERROR, f"{ProfileBroke.__name__}: {error}"
    result.exchanges = equipment.recorder.take_exchanges()
    result.duration_s = time.perf_counter() - started
    return result


def _judge(case: OwnCase, result: CaseResult, exchange: Exchange) -> None:
    status = exchange.answer.status if exchange.answer else None
    wrong = list(_differences(case.expected, exchange.answer.json() if exchange.answer else None))
    result.verdict = Verdict.PASS if status == case.status and not wrong else Verdict.FAIL
    result.got = exchange.in_short() if status != case.status else "; ".join(wrong)


def _in_words(case: OwnCase) -> str:
    members = f" with {json.dumps(case.expected, ensure_ascii=False)}" if case.expected else ""
    return f"the answer is {case.status}{members}"


def _differences(expected: Mapping[str, Json], got: Json, place: str = "") -> Iterator[str]:
    """Yield a sentence for each expected member that the answer lacks, or has with another value."""
    for name, value in expected.items():
        path = f"{place}{name}"
        if not isinstance(got, dict) or name not in got:
            yield f"{path} is missing"
        elif isinstance(value, dict):
            yield from _differences(value, got[name], f"{path}.")
        elif got[name] != value or isinstance(got[name], bool) is not isinstance(value, bool):
            yield f"{path} is {json.dumps(got[name], ensure_ascii=False)}"


def _operation(case: OwnCase) -> Operation:
    operation = operation_named(case.operation)
    assert operation is not None, "the profile has checked the name"
    return operation


def _body(case: OwnCase, requests: Requests) -> bytes:
    """Return the body. Raises NotDeclared if the profile lacks a value, and ProfileBroke if the source of one fails."""
    if case.body:
        text = case.body
    else:
        valid = requests.valid_request(_operation(case)).body
        text = json.dumps(_merged(valid, case.members), ensure_ascii=False)
    return filled(text, lambda name: _value(name, requests)).encode()


def _merged(valid: Mapping[str, Json], members: Mapping[str, Json]) -> dict[str, Json]:
    """Return a request with other members; an object changes only the members that it names."""
    changed = dict(valid)
    for name, value in members.items():
        known = valid.get(name)
        changed[name] = _merged(known, value) if isinstance(known, dict) and isinstance(value, dict) else value
    return changed


def _value(name: str, requests: Requests) -> str:
    """Return the value of a placeholder."""
    if name == "uuid":
        return str(uuid4())
    if name == "now":
        return format_instant(requests.now())
    if name == "store":
        return _store(requests)
    if name == "key.unknown":
        return requests.keys.unknown()
    return requests.keys.take(name.removeprefix("key."))  # type: ignore[arg-type]  # the profile has checked the kind


def _store(requests: Requests) -> str:
    if not requests.profile.store.id:
        raise NotDeclared("[store] id is not declared in the profile")
    return requests.profile.store.id
