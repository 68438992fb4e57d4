"""The rules of the register that an exchange touches: by operation, status, body, time, and earlier exchanges."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, Literal, NamedTuple

from jwo_contract.errors import MalformedBody
from jwo_contract.gate import GateAction, NoAnswer, action_for
from jwo_contract.house import House
from jwo_contract.messages import Violation, message, without_nulls
from jwo_contract.operations import CREATE_PURCHASES, VERIFY_IDENTITY_KEYS, Operation, operation_named
from jwo_contract.register import register
from jwo_toolkit.json_types import Json, JsonObject
from simulator.redaction import HIDDEN

Result = Literal["kept", "broken", "touched"]
_OK, _CREATED, _BAD, _TOO_MANY, _SERVER_ERROR = 200, 201, 400, 429, 500
_SUCCESSES = range(200, 300)
_ANSWER_FAULTS = {"late_answer", "error_answer", "drop_before", "drop_after", "cut", "hang_up", "slow_body"}
"""Faults after which the answer, or its lateness, is the platform's work."""
_MOST_PROBLEMS = 50
_FAILURES = {
    NoAnswer.TIMED_OUT: "no answer within the limit",
    NoAnswer.NO_CONNECTION: "no connection to the connector",
    NoAnswer.MALFORMED_ANSWER: "the answer does not have the published form",
}


class Observed(NamedTuple):
    """An exchange: its journal entry, its request, and earlier exchanges of the same event or trip, oldest first.

    The request is the JSON value that was sent, or None if it is unknown. `is_json` is False for a body that no parser
    reads.
    """

    entry: JsonObject
    request: Json
    earlier: Sequence[JsonObject] = ()
    is_json: bool = True


class Touched(NamedTuple):
    """A rule that an exchange touches, whether the exchange keeps it, and why the rule applies."""

    id: str
    result: Result
    why: str

    def to_json(self) -> JsonObject:
        """Return the rule with its title and text."""
        row = register()[self.id]
        return {**self._asdict(), "title": row.title, "text": row.text, "level": row.level}


class _Rows(NamedTuple):
    """The ids of an operation's rules; an empty text means that the register has none."""

    late: str = ""
    repeated: str = ""
    changed: str = ""
    media_type: str = ""
    invalid: str = ""
    not_json: str = ""
    by_status: dict[int, str] = {}  # noqa: RUF012 - read only


_ROWS = {
    "Verify Identity Keys": _Rows(
        late="VIK-9",
        repeated="VIK-6",
        changed="VIK-X.3",
        media_type="VIK-X.37",
        invalid="VIK-X.36",
        not_json="VIK-X.8",
        by_status={200: "VIK-1.1", 400: "VIK-3.8", 401: "VIK-2", 429: "VIK-4", 500: "VIK-5"},
    ),
    "Create Purchases": _Rows(
        late="CP-X.11",
        repeated="CP-2",
        changed="CP-X.3",
        media_type="CP-X.49",
        invalid="CP-X.45",
        not_json="CP-X.8",
        by_status={201: "CP-1.1", 400: "CP-X.10"},
    ),
    "Shopper Authorization": _Rows(
        late="SA-X.3",
        repeated="SA-X.1",
        media_type="SA-X.4",
        invalid="SA-7a.12",
        by_status={200: "SA-7a.1", 400: "SA-7a.13", 500: "SA-7a.15", 503: "SA-7a.15"},
    ),
    "Resolve Scan": _Rows(late="RS-X.4", repeated="RS-X.3", media_type="RS-X.5", by_status={200: "RS-1.1"}),
    "Get Scan Details": _Rows(media_type="GSD-X.3", by_status={200: "GSD-X.1", 404: "GSD-X.2"}),
    "Upload Catalog": _Rows(by_status={201: "CAT-X.1", 400: "CAT-X.18", 403: "CAT-X.1", 429: "UC-8", 500: "UC-10"}),
    "Get Catalog Upload Status": _Rows(by_status={200: "CAT-X.12", 403: "CAT-X.1"}),
}
_VISITORS = {"ASSOCIATE": "VIK-1.2", "CASH_SHOPPER": "VIK-X.12"}
_TITLE = re.compile(
    r"Missing (?P<required>\S+)|Invalid (?P<invalid>\S+)|(?P<maxLength>\S+) Exceeds .*|(?P<form>\S+) Not Valid .*"
)
_FORMS = {"required": ("required",), "maxLength": ("maxLength",)}
_OTHER_FORMS = ("invalid", "form")


def event_id(operation: str, request: Json) -> str:
    """Return the id by which an operation is idempotent: of the event, the scan or the trip; "" if there is none."""
    if not isinstance(request, dict):
        return ""
    found: Any = {
        VERIFY_IDENTITY_KEYS.name: lambda: request["authEvent"]["id"],
        CREATE_PURCHASES.name: lambda: request["idempotentShoppingTripId"],
        "Shopper Authorization": lambda: request["shopperInteraction"]["gateAuthenticationEvent"]["id"],
    }.get(operation, str)
    try:
        value = found()
    except (KeyError, TypeError):
        return ""
    return value if isinstance(value, str) else ""


def limit_ms(operation: Operation, house: House) -> int | None:
    """Return the time limit of a whole answer in milliseconds; None if no case judges the time."""
    limit_s = operation.answer_budget_s(house)
    return None if math.isinf(limit_s) else round(limit_s * 1000)


def problems(name: str, body: Json, house: House) -> list[Violation]:
    """Return where a body breaks the schema of a message; hidden values are not judged."""
    try:
        content = without_nulls(body)
    except MalformedBody as error:
        return [Violation("", "deep", str(error))]
    hidden = set(_hidden_places(content))
    found = message(name, house).violations(content)
    return [each for each in found if each.path not in hidden][:_MOST_PROBLEMS]


def rules_of(observed: Observed, house: House) -> list[Touched]:
    """Return the rules that an exchange touches, broken ones first."""
    operation = operation_named(str(observed.entry.get("operation")))
    if operation is None or operation.name not in _ROWS:
        return []
    rows = _ROWS[operation.name]
    found = [
        *_by_request(observed, operation, rows, house),
        *_by_answer(observed, operation, rows, house),
        *_by_time(observed, operation, rows, house),
        *_by_earlier(observed, rows),
    ]
    first = {each.id: each for each in sorted(found, key=_rank, reverse=True)}
    return sorted(first.values(), key=_rank)


def _rank(touched: Touched) -> int:
    return ("broken", "touched", "kept").index(touched.result)


def _status(entry: JsonObject) -> int | None:
    return (entry.get("response") or {}).get("status")


def _answer(entry: JsonObject) -> Json:
    return (entry.get("response") or {}).get("body")


def _is_by_fault(entry: JsonObject) -> str:
    """Return the faults of the platform that made the answer or its lateness; "" if there is none."""
    return ", ".join(sorted(_ANSWER_FAULTS.intersection(entry.get("faults", ()))))


def _by_request(observed: Observed, operation: Operation, rows: _Rows, house: House) -> Iterator[Touched]:
    """Yield the rules that an invalid request touches: it must be refused with 400."""
    status = _status(observed.entry)
    if operation.called_by == "retailer" or status is None or _is_by_fault(observed.entry):
        return
    result: Result = "kept" if status == _BAD else "touched" if status in {_TOO_MANY, _SERVER_ERROR} else "broken"
    if not observed.is_json and rows.not_json:
        yield Touched(rows.not_json, result, f"the body is not JSON, and the answer is {status}")
    elif observed.request is not None:
        for each in problems(operation.request, observed.request, house):
            id_ = _row_of(operation.name, each.path, each.keyword) or rows.invalid
            if id_:
                yield Touched(id_, result, f"{each.message}, and the answer is {status}")


def _by_answer(observed: Observed, operation: Operation, rows: _Rows, house: House) -> Iterator[Touched]:
    entry, status = observed.entry, _status(observed.entry)
    if operation == VERIFY_IDENTITY_KEYS:
        yield from _gate_row(entry, status, house)
    if status is None:
        return
    if fault := _is_by_fault(entry):
        yield from _if_known(rows.by_status.get(status, ""), "touched", f"the fault {fault} of the platform")
        return
    if operation.called_by == "retailer":
        result: Result = "kept" if status in _SUCCESSES else "broken" if status in {_BAD, 403} else "touched"
        yield from _if_known(rows.by_status.get(status, ""), result, f"the platform answers {status}")
        return
    if status not in _SUCCESSES:
        is_explained = status == _BAD and (not observed.is_json or _is_invalid(observed, operation, house))
        if not is_explained:
            yield from _if_known(rows.by_status.get(status, ""), "touched", _refusal_in_words(status))
        return
    wrong = _wrong_in_success(operation, status, _answer(entry), house)
    for id_ in _successes(operation, rows, observed):
        yield from _if_known(
            id_, "broken" if wrong else "kept", wrong or f"the answer is {status}, valid by its schema"
        )
    media_type = _header(entry, "content-type")
    says_json = media_type.partition(";")[0].strip().lower() == "application/json"
    yield from _if_known(rows.media_type, "kept" if says_json else "broken", f"Content-Type: {media_type or 'missing'}")


def _wrong_in_success(operation: Operation, status: int, body: Json, house: House) -> str:
    """Return what is wrong with a success in words; "" if nothing is."""
    if status != operation.success:
        return f"the answer is {status}, not {operation.success}"
    if not isinstance(body, dict):
        return "the answer is not a JSON object"
    return "; ".join(each.message for each in problems(operation.response, body, house)[:3])


def _is_invalid(observed: Observed, operation: Operation, house: House) -> bool:
    return observed.request is not None and bool(problems(operation.request, observed.request, house))


def _refusal_in_words(status: int) -> str:
    if status == _BAD:
        return "the request is valid by its schema, so the connector refuses one of its values, such as the store"
    return f"the answer is {status}"


def _if_known(id_: str, result: Result, why: str) -> Iterator[Touched]:
    if id_:
        yield Touched(id_, result, why)


def _gate_row(entry: JsonObject, status: int | None, house: House) -> Iterator[Touched]:
    failure = entry.get("failure") or (NoAnswer.MALFORMED_ANSWER if _is_malformed(entry, status, house) else None)
    if status is None and failure is None:
        return
    outcome = NoAnswer(failure) if failure else status
    action = action_for(outcome or _SERVER_ERROR)
    words = {
        GateAction.OPEN: "the gate opens",
        GateAction.STAY_CLOSED: "the gate stays closed",
        GateAction.STORE_DEFAULT: "the gate follows the store default",
    }
    cause = _FAILURES[NoAnswer(failure)] if failure else f"the answer is {status}"
    yield Touched("VIK-8", "touched", f"{cause}: {words[action]}")


def _is_malformed(entry: JsonObject, status: int | None, house: House) -> bool:
    return status == _OK and bool(_wrong_in_success(VERIFY_IDENTITY_KEYS, status, _answer(entry), house))


def _successes(operation: Operation, rows: _Rows, observed: Observed) -> list[str]:
    """Return the rules that a success answers."""
    usual = rows.by_status.get(operation.success, "")
    if operation == VERIFY_IDENTITY_KEYS:
        details = _member(_answer(observed.entry), "visitorDetails")
        return [_VISITORS.get(str(_member(details, "type")), usual)]
    if operation == CREATE_PURCHASES:
        return _cart_rows(_member(observed.request, "cartItems"))
    return [usual]


def _cart_rows(items: Json) -> list[str]:
    if not isinstance(items, list) or not items:
        return ["CP-1.7"]
    by_kind = {"CP-1.4": any(_member(item, "type") == "SCANCODE" for item in items)}
    by_kind["CP-1.3"] = any(_member(_member(item, "quantity"), "unit") not in {"unit", None} for item in items)
    return ["CP-1.1" if len(items) == 1 else "CP-1.2", *(id_ for id_, applies in by_kind.items() if applies)]


def _by_time(observed: Observed, operation: Operation, rows: _Rows, house: House) -> Iterator[Touched]:
    limit, entry = limit_ms(operation, house), observed.entry
    elapsed = entry.get("elapsedMs")
    if not rows.late or limit is None or elapsed is None or operation.called_by == "retailer":
        return
    is_late = entry.get("failure") == NoAnswer.TIMED_OUT or elapsed > limit
    if not is_late and _status(entry) is None:
        return
    fault = _is_by_fault(entry)
    result: Result = "kept" if not is_late else "touched" if fault else "broken"
    cause = f", by the fault {fault} of the platform" if is_late and fault else ""
    yield Touched(rows.late, result, f"{elapsed} ms of {limit} ms{cause}")


def _by_earlier(observed: Observed, rows: _Rows) -> Iterator[Touched]:
    """Yield the rules of a repetition: it gets the first answer, whatever else has changed."""
    first = next((each for each in observed.earlier if _is_remembered(_status(each))), None)
    if not observed.earlier or not rows.repeated:
        return
    seq = (first or observed.earlier[0])["seq"]
    is_changed = first is not None and _content(first) != _content(observed.entry)
    id_ = rows.changed if is_changed and rows.changed else rows.repeated
    status = _status(observed.entry)
    if first is None or status is None or _is_by_fault(observed.entry) or status in {_TOO_MANY, _SERVER_ERROR}:
        yield Touched(id_, "touched", f"entry {seq} has the same id")
        return
    same = (_status(first), _decision(first)) == (status, _decision(observed.entry))
    yield Touched(id_, "kept" if same else "broken", f"{'the same' if same else 'another'} answer as in entry {seq}")


def _is_remembered(status: int | None) -> bool:
    return status is not None and (status in _SUCCESSES or status == 401)  # noqa: PLR2004 - a decision, not an error


def _decision(entry: JsonObject) -> Json:
    answer = _answer(entry)
    named = ("visitorDetails", "purchaseId", "shopperAuthorized", "resolution")
    return {name: answer[name] for name in named if name in answer} if isinstance(answer, dict) else answer


def _content(entry: JsonObject) -> Json:
    body = (entry.get("request") or {}).get("body")
    return {name: value for name, value in body.items() if name != "requestId"} if isinstance(body, dict) else body


def _header(entry: JsonObject, name: str) -> str:
    headers = (entry.get("response") or {}).get("headers") or {}
    return next((str(value) for each, value in headers.items() if each.lower() == name), "")


def _member(value: Json, name: str) -> Json:
    return value.get(name) if isinstance(value, dict) else None


def _row_of(api: str, path: str, keyword: str) -> str:
    """Return the published row of a broken member by its title, such as "Missing authEvent.id"; "" if there is none."""
    place = re.sub(r"\[\d*\]", "", path).replace("authEvents.", "authEvent.")
    kinds = _FORMS.get(keyword, _OTHER_FORMS)
    published = _published(api).items()
    fitting = [(len(named), id_) for (kind, named), id_ in published if kind in kinds and _ends(place, named)]
    return max(fitting, default=(0, ""))[1]


def _ends(place: str, named: str) -> bool:
    return place == named or place.endswith(f".{named}")


@lru_cache(maxsize=16)
def _published(api: str) -> dict[tuple[str, str], str]:
    """Return the ids of an operation's validation rows by the kind of problem and the member that their titles name."""
    found: dict[tuple[str, str], str] = {}
    for row in register().values():
        match = _TITLE.fullmatch(row.title.removesuffix(" Format").removesuffix(" Value"))
        if row.api == api and row.provenance in {"published", "title"} and match and match.lastgroup:
            found.setdefault((match.lastgroup, match[match.lastgroup].replace("[]", "")), row.id)
    return found


def _hidden_places(value: Json, place: str = "") -> Iterator[str]:
    """Yield the places that hold a hidden value, in the notation of violations."""
    if isinstance(value, dict):
        for name, member in value.items():
            yield from _hidden_places(member, f"{place}.{name}".lstrip("."))
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from _hidden_places(item, f"{place}[{number}]")
    elif isinstance(value, str) and HIDDEN in value:
        yield place
