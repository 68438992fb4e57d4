"""Faults: failures on purpose, armed by name for one exchange, several exchanges, a rate, or a span of time.

A caller arms a fault through the API, or by data: by a value such as `fault.duplicate` or `fault.delay=3` at the
beginning of a scanned text, as the SKU of a picked item, or at the beginning of a catalog item's name. Such a value
arms the fault for that one exchange, and the platform never sends it to a connector.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, NamedTuple

from jwo_contract.values import format_instant
from simulator.clock import Clock
from simulator.errors import BadCall, NotKnown
from simulator.seed import Seed
from simulator.storage.key_values import KeyValueStore

Place = Literal["exchange", "catalog", "ingestion", "notification", "payment", "intraday", "intraday_file"]


Unit = Literal["", "s", "days", "repeats", "copies", "status"]
"""The unit of an amount; `status` is an HTTP status, and an empty text means that there is no amount."""


class Kind(NamedTuple):
    """A kind of fault: what it applies to, its default amount (None: it has no amount), what it does, and its unit."""

    place: Place
    amount: float | None
    meaning: str
    unit: Unit = ""


PLACED_BY: dict[Place, tuple[str, ...]] = {
    "exchange": ("operation", "store", "gate", "trip"),
    "catalog": ("operation", "account"),
    "ingestion": ("account",),
    "notification": ("account",),
    "payment": ("operation", "account", "store", "trip"),
    "intraday": ("store", "trip"),
    "intraday_file": (),
}
"""The members of `Where` that each place supports."""
LARGEST_AMOUNT = 1_000_000.0
"""The limit of every amount: seconds, days or copies."""

KINDS = {
    "duplicate": Kind(
        "exchange", 1, "The same message is sent again, this number of times, after the first answer.", "repeats"
    ),
    "concurrent_duplicates": Kind("exchange", 3, "This number of copies is sent at the same moment.", "copies"),
    "same_request_id": Kind("exchange", 1, "The same message is sent again with the same requestId.", "repeats"),
    "reorder": Kind(
        "exchange",
        30,
        "The message waits until the store's next message overtakes it, at most this number of seconds.",
        "s",
    ),
    "delay": Kind("exchange", 5, "The message is sent this number of seconds late.", "s"),
    "late_answer": Kind("exchange", 3, "The connector's answer arrives this number of seconds late.", "s"),
    "error_answer": Kind(
        "exchange", 500, "An answer with this status arrives in place of the connector's answer.", "status"
    ),
    "drop_before": Kind("exchange", None, "The message never reaches the connector."),
    "drop_after": Kind("exchange", None, "The connector handles the message, and its answer is lost."),
    "cut": Kind("exchange", None, "The connection breaks in the middle of the body."),
    "hang_up": Kind("exchange", None, "The message arrives whole, and the connection closes before the answer."),
    "slow_body": Kind("exchange", 1, "The body arrives slowly, over this number of real seconds.", "s"),
    "unknown_attributes": Kind("exchange", None, "The message has members that the contract does not know."),
    "clock_skew": Kind("exchange", 600, "Timestamps and signature are wrong by this number of seconds.", "s"),
    "malformed": Kind("exchange", None, "The body is not JSON."),
    "old_attempt": Kind("exchange", 2, "The same message arrives again this number of days later.", "days"),
    "changed_cart": Kind("exchange", None, "The same trip arrives again with another cart."),
    "throttle": Kind("catalog", None, "The platform answers 429 with Retry-After."),
    "error_500_retry": Kind("catalog", None, "The platform answers 500, and the caller may try again."),
    "error_500_final": Kind("catalog", None, "The platform answers 500, and another try does not help."),
    "error_503": Kind("catalog", None, "The platform answers 503 with Retry-After."),
    "answer_lost": Kind("catalog", None, "The platform handles the call, and its answer breaks off."),
    "charge_declined": Kind("payment", None, "An adjustment is declined."),
    "charge_pending": Kind(
        "payment", 60, "An adjustment is pending for this number of seconds, and then approved.", "s"
    ),
    "order_split": Kind("intraday", None, "The lines of an order come in the next intra-day file."),
    "order_repeated": Kind("intraday", None, "An order comes again in a later intra-day file."),
    "file_repeated": Kind("intraday_file", None, "An intra-day file is announced twice."),
    "ingestion_fatal": Kind("ingestion", None, "The ingestion ends as FATAL."),
    "ingestion_cancelled": Kind("ingestion", None, "The ingestion ends as CANCELLED."),
    "notification_twice": Kind("notification", None, "The notification arrives twice."),
    "notification_never": Kind("notification", None, "The notification is lost."),
    "notification_late": Kind("notification", 60, "The notification arrives this number of seconds late.", "s"),
    "notification_old_link": Kind("notification", None, "The presigned link in the notification has expired."),
}
ERROR_STATUSES = range(400, 600)
"""The amounts that `error_answer` takes."""
_USED_KEPT = 20
_FAULT_TEXT = re.compile(r"fault\.([a-z0-9_]+)(?:=(\d+(?:\.\d+)?))?(?:[ :]+|$)")


@dataclass(frozen=True)
class Where:
    """The exchanges that a fault applies to; an empty text means any."""

    operation: str = ""
    store: str = ""
    gate: str = ""
    trip: str = ""
    account: str = ""

    def covers(self, other: Where) -> bool:
        """Return whether an exchange is one of these."""
        mine, its = vars(self), vars(other)
        return all(not value or value == its[name] for name, value in mine.items())


@dataclass
class Fault:
    """An armed fault. `times` None means no limit; `rate` is the share of the covered exchanges that it applies to.

    The fault spares the first `after` exchanges, which `passed` counts.
    """

    id: str
    name: str
    where: Where = field(default_factory=Where)
    amount: float = 0.0
    times: int | None = 1
    rate: float = 1.0
    since: datetime | None = None
    until: datetime | None = None
    after: int = 0
    passed: int = 0
    struck: int = 0
    """How often the fault has applied."""
    used_at: datetime | None = None
    used_on: Where = field(default_factory=Where)
    used_by: str = ""
    """When the fault applied last, where, and the name of that exchange: its request id, or a number of a call."""

    def to_json(self) -> dict[str, Any]:
        """Return the fault as JSON."""
        return {
            "id": self.id,
            "name": self.name,
            "where": {name: value for name, value in vars(self.where).items() if value},
            "amount": self.amount,
            "times": self.times,
            "rate": self.rate,
            "from": format_instant(self.since) if self.since else None,
            "until": format_instant(self.until) if self.until else None,
            "after": self.after,
            "struck": self.struck,
        }

    def to_used(self) -> dict[str, Any]:
        """Return a fault that has applied as often as it should, as JSON."""
        used = {
            "usedAt": format_instant(self.used_at) if self.used_at else None,
            "usedOn": {name: value for name, value in vars(self.used_on).items() if value},
            "usedBy": self.used_by,
        }
        return self.to_json() | used


class Faults:
    """The armed faults with their counts, and the last ones that are used up. Both are in the storage too."""

    def __init__(
        self,
        clock: Clock,
        seed: Seed,
        storage: KeyValueStore[Fault] | None = None,
        used: KeyValueStore[Fault] | None = None,
    ) -> None:
        self._clock = clock
        self._seed = seed
        self._storage = storage or KeyValueStore("fault", Fault)
        self._used_storage = used or KeyValueStore("used fault", Fault)
        self._armed = self._storage.all()
        self._used = self._used_storage.all()
        numbers = (int(fault_id.rpartition("-")[2]) for fault_id in (*self._armed, *self._used))
        self._number = max(numbers, default=0)

    def arm(self, name: str, *, where: Where | None = None, amount: float | None = None, **more: Any) -> Fault:  # noqa: ANN401 - the members of Fault
        """Arm a fault, for one exchange unless `times` says otherwise. Raises BadCall if the name is unknown."""
        kind = KINDS.get(name)
        if kind is None:
            raise BadCall(f"there is no fault {name[:40]!r}", hint=f"one of {', '.join(KINDS)}")
        if name == "error_answer" and amount is not None and amount not in ERROR_STATUSES:
            raise BadCall(f"{amount:g} is no status of an error", hint="give an amount from 400 to 599")
        self._number += 1
        chosen = (kind.amount or 0.0) if amount is None else amount
        fault = Fault(f"fault-{self._number}", name, where or Where(), chosen, **more)
        self._armed[fault.id] = fault
        self._storage.put(fault.id, fault)
        return fault

    def disarm(self, fault_id: str = "") -> None:
        """Disarm one fault, or all of them. Raises NotKnown if there is no such fault."""
        if fault_id and fault_id not in self._armed:
            raise NotKnown("fault", fault_id)
        for each in [fault_id] if fault_id else list(self._armed):
            self._drop(each)

    def to_json(self) -> list[dict[str, Any]]:
        """Return the armed faults as JSON."""
        return [fault.to_json() for fault in self._armed.values()]

    def used(self) -> list[dict[str, Any]]:
        """Return the last faults that have applied as often as they should, as JSON, the newest first."""
        return [fault.to_used() for fault in reversed(self._used.values())]

    def trigger(self, place: Place, where: Where, *key: object) -> dict[str, float]:
        """Return the faults that apply to an exchange, with their amounts, and count them; `key` names the exchange."""
        if not self._armed:
            return {}
        now, found = self._clock.now(), {}
        for fault in list(self._armed.values()):
            if self._applies(fault, place, where, now, key):
                found[fault.name] = fault.amount
                fault.used_at, fault.used_on, fault.used_by = now, where, " ".join(str(each) for each in key if each)
                self._count(fault)
        return found

    def _count(self, fault: Fault) -> None:
        fault.struck += 1
        if fault.times is not None and fault.struck >= fault.times:
            self._drop(fault.id)
            self._keep_used(fault)
        else:
            self._storage.put(fault.id, fault)

    def _keep_used(self, fault: Fault) -> None:
        self._used[fault.id] = fault
        self._used_storage.put(fault.id, fault)
        if len(self._used) > _USED_KEPT:
            oldest = next(iter(self._used))
            del self._used[oldest]
            self._used_storage.delete(oldest)

    def _drop(self, fault_id: str) -> None:
        del self._armed[fault_id]
        self._storage.delete(fault_id)

    def _applies(self, fault: Fault, place: Place, where: Where, now: datetime, key: tuple[object, ...]) -> bool:
        if KINDS[fault.name].place != place or not fault.where.covers(where):
            return False
        if (fault.since and now < fault.since) or (fault.until and now >= fault.until):
            return False
        if fault.passed < fault.after:
            fault.passed += 1
            self._storage.put(fault.id, fault)
            return False
        return fault.rate >= 1 or self._seed.draw("fault", fault.id, *key) < fault.rate


def split_faults(text: str) -> tuple[dict[str, float], str]:
    """Split a text into the faults at its beginning and the rest. Unknown names stay in the rest."""
    found: dict[str, float] = {}
    while match := _FAULT_TEXT.match(text):
        name, amount = match.groups()
        if name not in KINDS:
            break
        found[name] = min(float(amount), LARGEST_AMOUNT) if amount else KINDS[name].amount or 0.0
        text = text[match.end() :]
    return found, text


def faults_in_texts(texts: Iterable[str]) -> dict[str, float]:
    """Collect the faults at the beginnings of texts."""
    found: dict[str, float] = {}
    for text in texts:
        if text.startswith("fault."):
            found.update(split_faults(text)[0])
    return found
