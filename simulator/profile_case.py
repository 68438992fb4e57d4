"""Writes an exchange as a case of the profile: ids, times and hidden keys become placeholders that the suite fills."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any
from uuid import UUID

from pydantic import ValidationError

from jwo_contract.errors import BadValue
from jwo_contract.own_cases import OwnCase, to_toml
from jwo_contract.values import parse_instant
from jwo_toolkit.json_types import Json, JsonObject
from simulator.errors import BadCall, NotNow
from simulator.journal import Entry
from simulator.redaction import HIDDEN

_KEY_OF = {"SHOPPER": "shopper", "ASSOCIATE": "associate", "CASH_SHOPPER": "cash_shopper"}
_UUIDS = {"requestId", "idempotentShoppingTripId"}
_TIMES = {"timestamp", "startTime", "endTime"}
_REFUSED = 401
_UUID_LENGTH = 36


def case_of(entry: Entry, name: str, status: int | None, expected: JsonObject) -> OwnCase:
    """Return the case of an exchange; without `status`, it expects the status of the exchange's answer.

    Raises BadCall if the exchange is no call to a connector, has no whole body, or the name or status is not valid.
    """
    body = (entry.get("request") or {}).get("body")
    if body is None or (isinstance(body, dict) and "cut" in body and "sha256" in body):
        raise BadCall("the journal has no whole body of this entry", hint="choose an exchange with its body")
    answer = (entry.get("response") or {}).get("status")
    wanted = status if status is not None else answer
    if wanted is None:
        raise BadCall("the exchange has no answer", hint="give the status that you expect")
    text = body if isinstance(body, str) else json.dumps(_general(body, _key_of(entry)), indent=2, ensure_ascii=False)
    try:
        return OwnCase(name=name, operation=str(entry.get("operation")), status=wanted, body=text, expected=expected)
    except ValidationError as error:
        raise BadCall("; ".join(str(each["msg"]).removeprefix("Value error, ") for each in error.errors())) from error


class ProfileFile:
    """The profile that the starter of this platform named, to which cases are added at the end."""

    def __init__(self, path: Path | None) -> None:
        self._path = path

    @property
    def name(self) -> str | None:
        """Return the name of the file; None if the platform has none."""
        return self._path.name if self._path else None

    def append(self, case: OwnCase) -> None:
        """Add a case at the end. Nothing else in the file changes.

        Raises NotNow if there is no file, it cannot be written, or it has a case of this name.
        """
        if self._path is None:
            raise NotNow("this platform was started without a profile", hint="start it with: jwo play --profile FILE")
        table = to_toml(case)
        try:
            before = self._path.read_text("utf-8")
            if _has(before, case.name):
                raise NotNow(f"the profile has a case {case.name!r}", hint="give the case another name")
            with self._path.open("a", encoding="utf-8") as file:
                file.write(("" if before.endswith("\n") or not before else "\n") + "\n" + table)
        except (OSError, UnicodeDecodeError) as error:
            raise NotNow(f"the profile {self._path.name} cannot be changed: {error}") from error


def _has(text: str, name: str) -> bool:
    """Return whether a profile has a case of a name. Raises NotNow if the profile is not valid TOML."""
    try:
        cases = tomllib.loads(text).get("case", [])
    except tomllib.TOMLDecodeError as error:
        raise NotNow(f"the profile is not valid TOML: {error}", hint="fix the file first") from error
    names = [str(each.get("name")).casefold() for each in cases if isinstance(each, dict)]
    return name.casefold() in names


def _key_of(entry: Entry) -> str:
    """Return the placeholder for the hidden key, by the visitor that the answer names."""
    answer = entry.get("response") or {}
    body = answer.get("body")
    details = body.get("visitorDetails") if isinstance(body, dict) else None
    if answer.get("status") == _REFUSED:
        return "{key.unknown}"
    kind = _KEY_OF.get(str(details.get("type")), "shopper") if isinstance(details, dict) else "shopper"
    return f"{{key.{kind}}}"


def _general(value: Json, key: str, name: str = "", inside: str = "") -> Any:  # noqa: ANN401 - any JSON
    """Return a body with placeholders. A value that is not valid stays: it may be what the case is about."""
    if isinstance(value, dict):
        return {each: _general(member, key, each, name) for each, member in value.items()}
    if isinstance(value, list):
        return [_general(item, key, name, name) for item in value]
    if name == "identityKey" and value == HIDDEN:
        return key
    is_id = name in _UUIDS or (name == "id" and inside in {"authEvent", "authEvents"})
    if is_id and isinstance(value, str) and _is_uuid(value):
        return "{uuid}"
    return "{now}" if name in _TIMES and _is_instant(value) else value


def _is_uuid(text: str) -> bool:
    try:
        return len(text) == _UUID_LENGTH and str(UUID(text)) == text
    except ValueError:
        return False


def _is_instant(value: Json) -> bool:
    try:
        parse_instant(value)
    except BadValue:
        return False
    return True
