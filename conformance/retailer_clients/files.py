"""The files of a job: what a client gets to do, and what it reports."""

from __future__ import annotations

import json
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, NamedTuple

from conformance.errors import NotDeclared
from conformance.match import Mismatch
from conformance.retailer_clients.addresses import Account, Addresses
from conformance.retailer_clients.command import ClientRun, values_of
from jwo_toolkit.json_types import JsonObject

_CENTS = -2


class FileInput(NamedTuple):
    """The input of a run with a job file and a file for the report; `prefix` begins the names of its variables."""

    addresses: Addresses
    account: Account
    prefix: str
    folder: Path

    @property
    def job_file(self) -> Path:
        """The file that says what to do."""
        return self.folder / "job.json"

    @property
    def result_file(self) -> Path:
        """The file that the client writes."""
        return self.folder / "result.json"

    @property
    def values(self) -> dict[str, str]:
        """The value of each `{name}` in the command and in its environment."""
        files = {"job": str(self.job_file), "result": str(self.result_file), "state": str(self.folder / "state")}
        return {**values_of(self.addresses, self.account), **files}

    @property
    def variables(self) -> dict[str, str]:
        """The environment variables of this kind of client."""
        names = ("endpoint", "job", "result", "state", "queue_url")
        return {f"{self.prefix}_{name.upper()}": f"{{{name}}}" for name in names}

    def write_job(self, job: JsonObject) -> None:
        """Write what the client has to do."""
        self.job_file.write_text(json.dumps(job, indent=1), encoding="utf-8")
        (self.folder / "state").mkdir(exist_ok=True)

    def read_result(self) -> object:
        """Return what the client has written; None without a file that is JSON."""
        try:
            return json.loads(self.result_file.read_text(encoding="utf-8"), parse_float=Decimal)
        except (OSError, ValueError):
            return None


def reported(result: object, run: ClientRun) -> JsonObject:
    """Return a client's report. Raises NotDeclared if it wrote none."""
    if not isinstance(result, dict):
        raise NotDeclared(f"the client wrote no JSON object to its result file: {run.in_short()}")
    return result


def amount_of(value: object) -> Decimal | None:
    """Read an amount of a report, a text with 2 decimals; None for anything else."""
    if not isinstance(value, str):
        return None
    try:
        amount = Decimal(value)
    except InvalidOperation:
        return None
    return amount if amount.is_finite() and amount.as_tuple().exponent == _CENTS else None


def compare_amounts(what: str, expected: dict[str, Decimal], got: Any) -> Mismatch | None:  # noqa: ANN401 - any JSON
    """Match when an object of a report has the expected names, each with its amount to the cent; others may be 0."""
    shown = {name: f"{amount:.2f}" for name, amount in expected.items()}
    given = got if isinstance(got, dict) else {}
    members = {name: value for name, value in given.items() if name in expected or amount_of(value) != 0}
    wrong = [
        f"{name} is {members.get(name)!r} instead of {shown.get(name, 'absent')!r}"
        for name in sorted({*members, *shown})
        if name not in expected or amount_of(members.get(name)) != expected[name]
    ]
    return Mismatch(f"{what}: {shown}", "; ".join(wrong[:3])) if wrong else None
