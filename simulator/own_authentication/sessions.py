"""The readers of retailers and their authentications.

Amazon publishes the members of the requests, but only parts of the answers, so the answers are ours.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from jwo_contract.house_retailer_calls import OwnAuth
from jwo_toolkit.json_types import JsonObject
from simulator.clock import Clock
from simulator.errors import CallRefused
from simulator.gates import Gates, Person
from simulator.journal import Journal
from simulator.portal.accounts import Account
from simulator.portal.stores import Stores
from simulator.reader_locks import ReaderLocks
from simulator.seed import Seed
from simulator.storage.key_values import KeyValueStore

INVALID = "InvalidRequestException"
_KEPT = timedelta(hours=1)
"""How long a finished authentication is known after its time-out."""


class Device(NamedTuple):
    """A registered reader; its lane is one gate of the store."""

    id: str
    store_id: str
    type: str
    gate: str


class Session(NamedTuple):
    """One authentication, from startAuth to processAuth or its time-out; `request` is the processed request."""

    id: str
    device_id: str
    gate: str
    trip_id: str
    until: datetime
    request: JsonObject | None = None
    answer: JsonObject | None = None


class OwnAuthentication:
    """Answers the three calls of own authentication. Each raises CallRefused for a request that a retry cannot fix."""

    def __init__(  # noqa: PLR0913 - the composition root hands in each part by name
        self,
        *,
        stores: Stores,
        gates: Gates,
        locks: ReaderLocks,
        devices: KeyValueStore[Device],
        sessions: KeyValueStore[Session],
        rules: OwnAuth,
        clock: Clock,
        seed: Seed,
        journal: Journal,
    ) -> None:
        self._stores = stores
        self._gates = gates
        self._locks = locks
        self._device_storage = devices
        self._session_storage = sessions
        self._rules = rules
        self._clock = clock
        self._seed = seed
        self._journal = journal
        self._devices = devices.all()
        self._sessions = sessions.all()
        self._started: Counter[str] = Counter()

    async def register(self, account: Account, message: JsonObject) -> JsonObject:
        """Answer createDeviceRegistration. The same registration may come again; a device never changes its store."""
        store_id, lane = message["storeId"], message["laneId"]
        self._check_store(store_id, account)
        if lane not in self._stores.get(store_id).gates:
            raise CallRefused(INVALID, f"laneId {lane} is not a gate of store {store_id}")
        device = Device(message["deviceId"], store_id, message["deviceType"], lane)
        before = self._devices.get(device.id)
        if before and before.store_id != store_id:
            raise CallRefused(INVALID, f"deviceId {device.id} is registered in another store")
        self._device_storage.put(device.id, device)
        self._devices[device.id] = device
        return {"deviceId": device.id, "registered": True}

    async def start(self, account: Account, message: JsonObject) -> JsonObject:
        """Answer startAuth: lock the gate for the caller until `authTimeout`, unless another reader has it."""
        device, now = self._device(account, message), self._clock.now()
        timeout_ms: Decimal = message["authTimeout"]
        if timeout_ms > self._rules.longest_timeout_ms:
            raise CallRefused(INVALID, f"authTimeout {timeout_ms} is above {self._rules.longest_timeout_ms} ms")
        if self._locks.is_locked(device.gate, now):
            return {"authStarted": False, "reason": "GATE_IN_USE"}
        self._forget_old(now)
        self._started[device.gate] += 1
        event_id = self._seed.id("own authentication", device.gate, self._started[device.gate])
        until = now + timedelta(milliseconds=float(timeout_ms))
        self._keep(Session(event_id, device.id, device.gate, self._seed.id("trip", event_id), until))
        self._locks.lock(device.gate, until)
        self._note(device, event_id, "started")
        return {"authStarted": True, "authEventId": event_id}

    async def process(self, account: Account, message: JsonObject) -> JsonObject:
        """Answer processAuth: open the gate for an accepted person, and unlock it for other readers."""
        device = self._device(account, message)
        session = self._sessions.get(message["authEventId"])
        if session is None or session.device_id != device.id:
            raise CallRefused(INVALID, f"authEventId {message['authEventId']} is not an authentication of {device.id}")
        person = _person(message)
        request = {name: message.get(name) for name in ("authResult", "personId", "personType")}
        if session.request is not None and session.answer is not None:
            return session.answer if request == session.request else self._failed("ALREADY_PROCESSED")
        if self._clock.now() >= session.until:
            return self._failed("AUTH_TIMED_OUT")
        answer = await self._decide(device, session, message["authResult"], person)
        self._locks.unlock(session.gate)
        self._keep(session._replace(request=request, answer=answer))
        self._note(device, session.id, message["authResult"].lower())
        return answer

    async def _decide(self, device: Device, session: Session, result: str, person: Person | None) -> JsonObject:
        store = self._stores.get(device.store_id)
        if result == "DENIED":
            self._gates.refuse_person(store, session.gate, session.id)
        if result != "ACCEPTED" or person is None:
            return {"success": True}
        await self._gates.admit_person(store, session.gate, person, event_id=session.id, trip_id=session.trip_id)
        return {"success": True, "shoppingTripId": session.trip_id}

    def _failed(self, reason: str) -> JsonObject:
        if self._rules.failure == "refuse_400":
            raise CallRefused(INVALID, reason)
        return {"success": False, "reason": reason}

    def _check_store(self, store_id: str, account: Account) -> None:
        if store_id not in self._stores.of_retailer(account.retailer):
            raise CallRefused(INVALID, f"storeId {store_id} is not a store of {account.retailer}")

    def _device(self, account: Account, message: JsonObject) -> Device:
        self._check_store(message["storeId"], account)
        device = self._devices.get(message["deviceId"])
        if device is None or device.store_id != message["storeId"]:
            raise CallRefused(
                INVALID, f"deviceId {message['deviceId']} is not registered in store {message['storeId']}"
            )
        if device.gate not in self._stores.get(device.store_id).gates:
            raise CallRefused(INVALID, f"the lane {device.gate} of {device.id} is no longer a gate; register it again")
        return device

    def _keep(self, session: Session) -> None:
        self._session_storage.put(session.id, session)
        self._sessions[session.id] = session

    def _forget_old(self, now: datetime) -> None:
        old = [one.id for one in self._sessions.values() if one.until + _KEPT < now]
        self._session_storage.delete(*old)
        for session_id in old:
            del self._sessions[session_id]

    def _note(self, device: Device, event_id: str, outcome: str) -> None:
        entry = {"storeId": device.store_id, "gate": device.gate, "deviceId": device.id, "authEventId": event_id}
        self._journal.add("own_authentication", {**entry, "outcome": outcome})


def _person(message: JsonObject) -> Person | None:
    """Return the identified person. Raises CallRefused if an accepted authentication has none."""
    person_id, kind = message.get("personId"), message.get("personType")
    if person_id and kind:
        return Person(person_id, is_shopper=kind == "SHOPPER")
    if message["authResult"] == "ACCEPTED":
        raise CallRefused(INVALID, "an ACCEPTED authResult needs personId and personType")
    return None
