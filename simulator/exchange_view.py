"""The control calls about one exchange of the journal: the entry, the rules that it touches, and its curl command."""

from __future__ import annotations

from typing import Annotated, NamedTuple

import orjson
from fastapi import APIRouter, Query
from fastapi.responses import PlainTextResponse
from pydantic import BaseModel, ConfigDict, Field

from jwo_contract.house import House
from jwo_contract.operations import OPERATIONS, operation_named
from jwo_contract.own_cases import to_toml
from jwo_toolkit.json_types import Json, JsonObject
from simulator.journal import Entry, Journal, Sent, as_curl
from simulator.profile_case import ProfileFile, case_of
from simulator.touched_rules import Observed, event_id, limit_ms, problems, rules_of

_MOST_EARLIER = 20
_MOST_JUDGED = 200
_JUDGED_AMONG = 2_000
"""So that one call takes a few hundredths of a second, however long the journal is."""


class CaseWish(BaseModel):
    """A case of the profile to make from an exchange."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(max_length=200)
    status: int | None = Field(default=None, description="The expected status; absent: that of the exchange's answer.")
    expected: JsonObject = Field(default={}, description="Members that the answer must have.")
    append: bool = Field(default=False, description="Whether to add it to the platform's profile.")


class ExchangeView(NamedTuple):
    """The services behind the calls about one exchange."""

    journal: Journal
    house: House
    profile: ProfileFile

    def make_case(self, seq: int, wish: CaseWish) -> JsonObject:
        """Return an exchange as a table of the profile, and add it to the profile's file if the caller asks for it."""
        case = case_of(self.journal.find(seq)[0], wish.name, wish.status, wish.expected)
        if wish.append:
            self.profile.append(case)
        return {"toml": to_toml(case), "profile": self.profile.name, "appended": wish.append}

    def operations(self) -> list[JsonObject]:
        """Return the calls of the contract with the status of a success and the time limit of an answer."""
        return [
            {
                "name": one.name,
                "path": one.path,
                "calledBy": one.called_by,
                "success": one.success,
                "limitMs": limit_ms(one, self.house),
            }
            for one in OPERATIONS
        ]

    def rules(self, seq: int) -> JsonObject:
        """Return the rules that an exchange touches, the schema problems of its bodies, and earlier ones of its id."""
        entry, sent = self.journal.find(seq)
        observed = self._observed(entry, sent)
        operation = operation_named(str(entry.get("operation")))
        return {
            "seq": seq,
            "operation": entry.get("operation"),
            "limitMs": limit_ms(operation, self.house) if operation else None,
            "rules": [each.to_json() for each in rules_of(observed, self.house)],
            "problems": self._problems(observed),
            "earlier": [_reference(each) for each in observed.earlier[-_MOST_EARLIER:]],
        }

    def broken(self, seqs: list[int]) -> JsonObject:
        """Return the ids of the rules that exchanges break, by number, for those among the newest entries.

        Only earlier entries among the newest count as the first answer of a repetition.
        """
        wanted, found = set(seqs), JsonObject()
        by_event: dict[tuple[str, str], list[Entry]] = {}
        for entry, sent in self.journal.newest(_JUDGED_AMONG):
            same = by_event.setdefault((str(entry.get("operation")), _id_of(entry)), [])
            if entry["seq"] in wanted:
                request, is_json = _request(entry, sent)
                rules = rules_of(Observed(entry, request, list(same), is_json), self.house)
                found[str(entry["seq"])] = [each.id for each in rules if each.result == "broken"]
            if _id_of(entry):
                same.append(entry)
        return {"broken": found}

    def _observed(self, entry: Entry, sent: Sent | None) -> Observed:
        request, is_json = _request(entry, sent)
        id_ = event_id(str(entry.get("operation")), request)
        same = self.journal.before(entry["seq"], id_) if id_ else []
        earlier = [one for one in same if one.get("operation") == entry.get("operation") and _id_of(one) == id_]
        return Observed(entry, request, earlier, is_json)

    def _problems(self, observed: Observed) -> JsonObject:
        """Return the schema problems of "request" and "response"; an error answer has its own schema."""
        operation = operation_named(str(observed.entry.get("operation")))
        if operation is None:
            return {"request": [], "response": []}
        answer = observed.entry.get("response") or {}
        is_success = (answer.get("status") or 0) < 300  # noqa: PLR2004 - where successes end in HTTP
        body = answer.get("body")
        named = operation.response if is_success else "error"
        wrong = problems(named, body, self.house) if isinstance(body, dict) and not _is_cut(body) else []
        asked = problems(operation.request, observed.request, self.house) if observed.request is not None else []
        return {"request": [one._asdict() for one in asked], "response": [one._asdict() for one in wrong]}


def exchange_router(view: ExchangeView) -> APIRouter:
    """Make the routes about one exchange."""
    router = APIRouter(tags=["control"])

    @router.get("/operations", summary="List the calls of the contract, with the time limit of an answer")
    async def operations() -> list[JsonObject]:
        return view.operations()

    @router.get("/journal/broken-rules", summary="List the rules that exchanges break, by number")
    async def broken(
        seq: Annotated[list[int], Query(max_length=_MOST_JUDGED, description="Numbers of exchanges.")],
    ) -> JsonObject:
        return view.broken(seq)

    @router.get("/journal/{seq}", summary="Show an entry of the journal")
    async def show(seq: int) -> JsonObject:
        return view.journal.find(seq)[0]

    @router.get("/journal/{seq}/rules", summary="List the rules that an exchange touches, and its schema problems")
    async def rules(seq: int) -> JsonObject:
        return view.rules(seq)

    @router.get("/journal/{seq}/curl", summary="Show an exchange as a curl command", response_class=PlainTextResponse)
    async def curl(seq: int) -> str:
        return "".join(as_curl([view.journal.find(seq)[0]]))

    @router.post("/journal/{seq}/case", summary="Write an exchange as a case of the profile")
    async def case(seq: int, wish: CaseWish) -> JsonObject:
        return view.make_case(seq, wish)

    return router


def _request(entry: Entry, sent: Sent | None) -> tuple[Json, bool]:
    """Return the request that was sent, and whether it is JSON."""
    return _parsed(sent.body) if sent else (_given(entry), True)


def _given(entry: Entry) -> Json:
    """Return the request's body as the journal shows it, if it is whole."""
    body = (entry.get("request") or {}).get("body")
    return None if not isinstance(body, dict) or _is_cut(body) else body


def _is_cut(body: JsonObject) -> bool:
    return "cut" in body and "sha256" in body


def _parsed(body: bytes) -> tuple[Json, bool]:
    try:
        return orjson.loads(body), True
    except orjson.JSONDecodeError:
        return None, False


def _id_of(entry: Entry) -> str:
    return event_id(str(entry.get("operation")), _given(entry))


def _reference(entry: Entry) -> JsonObject:
    return {"seq": entry["seq"], "at": entry["at"], "status": (entry.get("response") or {}).get("status")}
