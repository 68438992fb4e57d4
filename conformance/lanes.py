"""Runs scenarios side by side in processes of their own, for a connector whose answers are waited for.

Each lane takes the next group of scenarios from a shared counter, so that a long one holds nobody up. How many lanes
there are is measured, not guessed: a connector that answers one call at a time gets its calls one at a time.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import pickle
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from multiprocessing.sharedctypes import Synchronized
from multiprocessing.synchronize import Semaphore
from types import TracebackType
from typing import Any, Self
from unittest import mock

from conformance.certification import Certification, Selection
from conformance.drivers.exchange import Exchange
from conformance.drivers.http import ConnectorClient
from conformance.errors import HarnessBroke
from contract.operations import CREATE_PURCHASES, VERIFY_IDENTITY_KEYS
from contract.profile import Profile

STEPS = ("given", "when", "then", "duplicates", "wire", "entry")
"""The modules of steps; lanes read them once for all."""
MOST_LANES = 40
_FEW = 4
_QUICK_S = 0.25
"""A connector that answers within this is through sooner than lanes are set up."""
_STRETCH = 1.5
"""Calls side by side may take this much longer than one alone, or they are not answered side by side."""

Group = tuple[str, ...]
"""The ids of one scenario, sorted; its examples stay together."""


def is_worth_it(certification: Certification, client: ConnectorClient) -> bool:
    """Say whether answers are waited for and come side by side; the controls of the core are tried on the way."""
    operations = (VERIFY_IDENTITY_KEYS, CREATE_PURCHASES)
    with ThreadPoolExecutor(_FEW + len(operations)) as pool:
        controls = [pool.submit(certification.try_control, client, each) for each in operations]
        _at_once(certification, client, pool, _FEW)
        for control in controls:
            control.result()
    exchanges = certification.exchanges_since_last()
    worth_it = _in_step(exchanges) == len(exchanges) and min(each.elapsed_s for each in exchanges) > _QUICK_S
    certification.side_by_side = len(exchanges) if worth_it else 1
    return worth_it


def gates(certification: Certification, client: ConnectorClient) -> int:
    """Return how many gates a rule about time may call from at once, measuring it where nobody has."""
    if not certification.side_by_side:
        is_worth_it(certification, client)
    return certification.side_by_side


def measured(certification: Certification, client: ConnectorClient) -> int:
    """Call many times at once, and return how many calls the connector answers in the time of one."""
    with ThreadPoolExecutor(MOST_LANES) as pool:
        _at_once(certification, client, pool, MOST_LANES)
    return max(1, _in_step(certification.exchanges_since_last()))


def _at_once(certification: Certification, client: ConnectorClient, pool: ThreadPoolExecutor, count: int) -> None:
    drafts = [certification.unbroken(VERIFY_IDENTITY_KEYS) for _ in range(count)]
    list(pool.map(lambda each: client.send(each.operation, each.encoded()), drafts))


def _in_step(exchanges: Sequence[Exchange]) -> int:
    """Count the answers that took about as long as the quickest; none counts when one fails, as under a rate limit."""
    if not all(each.answer and each.answer.status in {200, 201, 400, 401} for each in exchanges):
        return 0
    quickest_s = min(each.elapsed_s for each in exchanges)
    return sum(each.elapsed_s < quickest_s * _STRETCH + _QUICK_S for each in exchanges)


@dataclass(frozen=True)
class _Share:
    """What a lane is told: the run, and the groups from which it takes the next one."""

    profile: Profile
    selection: Selection
    now: Callable[[], datetime]
    controls: dict[str, str]
    groups: Sequence[Group]


class Lanes:
    """Groups of scenarios that run in other processes while the `with` block goes on.

    The processes wait for `open`; `finish` takes their results in. Leaving the block ends what still runs.
    """

    def __init__(self, certification: Certification, groups: Sequence[Group], lanes: int) -> None:
        self._certification = certification
        self._groups = groups
        self._count = min(lanes, len(groups))
        self._open = 0
        self._pipes: list[Connection] = []
        self._processes: list[BaseProcess] = []

    def __enter__(self) -> Self:
        run = self._certification
        share = pickle.dumps(_Share(run.profile, run.selection, run.now, run.controls, self._groups))
        context = _context()
        # kept here, or they are gone before the lanes look at them
        self._following, self._doors = context.Value("i", 0), context.Semaphore(0)
        for _ in range(self._count):
            here, there = context.Pipe(duplex=False)
            process = context.Process(target=_lane, args=(share, self._doors, self._following, there), daemon=True)
            with _without_main():
                process.start()
            there.close()
            self._pipes.append(here)
            self._processes.append(process)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            process.join(5)
        for pipe in self._pipes:
            pipe.close()

    def open(self, lanes: int) -> None:
        """Let that many lanes run, or as many as there are."""
        self._open = min(lanes, self._count)
        for _ in range(self._open):
            self._doors.release()

    def finish(self) -> None:
        """Record the results as they come, until the open lanes are through; HarnessBroke when one breaks."""
        running = self._open
        while running:
            for pipe in wait(self._pipes):
                assert isinstance(pipe, Connection)
                kind, content = _heard(pipe)
                if kind == "done":
                    running -= 1
                    self._pipes.remove(pipe)
                else:
                    self._certification.record(content)


def _heard(pipe: Connection) -> tuple[str, Any]:
    try:
        kind, content = pipe.recv()
    except EOFError as error:
        raise HarnessBroke("a lane of scenarios ended without a word") from error
    if kind == "broke":
        raise HarnessBroke(content)
    return kind, content


def _context() -> Any:  # noqa: ANN401 - a context's class depends on the system
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["conformance.engine", *(f"conformance.steps.{each}" for each in STEPS)])
    return context


def _without_main() -> contextlib.AbstractContextManager[object]:
    """Keep the new process from importing the caller's main module: a lane needs none of it, and it may do work."""
    return mock.patch.multiple(sys.modules["__main__"], create=True, __spec__=None, __file__=None)


def _lane(share: bytes, doors: Semaphore, following: Synchronized[int], pipe: Connection) -> None:
    """Run groups until none is left. The main function of a lane's process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the process that started the lanes ends them
    from conformance import engine  # noqa: PLC0415 - the engine starts lanes, and a lane runs the engine

    try:
        part: _Share = pickle.loads(share)  # noqa: S301 - our own process sent it
        certification = Certification(
            part.profile,
            part.selection,
            now=part.now,
            controls=part.controls,
            side_by_side=MOST_LANES,
            relay=lambda result: pipe.send(("result", result)),
        )
        engine.run_groups(certification, _taken(part.groups, doors, following))
        pipe.send(("done", None))
    except Exception as error:  # noqa: BLE001 - whatever it is, the other side must hear of it
        pipe.send(("broke", f"a lane of scenarios broke: {type(error).__name__}: {error}"))


def _taken(groups: Sequence[Group], doors: Semaphore, following: Synchronized[int]) -> Iterator[Group]:
    doors.acquire()
    while True:
        with following.get_lock():
            index = following.value
            following.value = index + 1
        if index >= len(groups):
            return
        yield groups[index]
