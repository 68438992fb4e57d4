"""Runs scenarios side by side in processes of their own, for a connector whose answers are waited for.

Each lane takes the next group of scenarios from a shared counter, so that a long one holds nobody up. How many lanes
there are is measured, not guessed: a connector that answers one call at a time gets its calls one at a time.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import pickle
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from multiprocessing.connection import Connection, wait
from multiprocessing.sharedctypes import Synchronized
from types import TracebackType
from typing import Any, Self
from unittest import mock

from conformance.certification import Certification, Selection
from conformance.drivers.exchange import Exchange
from conformance.drivers.http import ConnectorClient
from conformance.end_to_end.platform import Platform
from conformance.errors import HarnessBroke
from conformance.properties.search import warm_up
from contract.operations import CREATE_PURCHASES, VERIFY_IDENTITY_KEYS
from contract.profile import Profile

STEPS = (
    "given",
    "when",
    "then",
    "duplicates",
    "wire",
    "entry",
    "properties",
    "privacy",
    "end_to_end",
    "catalog_client",
)
"""The modules of steps; lanes read them once for all."""
MOST_LANES = 40
_CAN_DIVIDE = hasattr(os, "fork")
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
    platform: Platform | None
    groups: Sequence[Group]


class Lanes:
    """Groups of scenarios that run in other processes while the `with` block goes on.

    One process reads the features and then waits for `open`, which makes it divide itself into lanes; `finish` takes
    their results in. Leaving the block ends what still runs.
    """

    def __init__(self, certification: Certification, groups: Sequence[Group], lanes: int) -> None:
        self._certification = certification
        self._groups = groups
        self._count = min(lanes, len(groups)) if _CAN_DIVIDE else 1
        self._pipes: list[Connection] = []

    def __enter__(self) -> Self:
        run = self._certification
        share = pickle.dumps(_Share(run.profile, run.selection, run.now, run.controls, run.platform, self._groups))
        context = _context()
        self._following = context.Value("i", 0)  # kept here, or it is gone before the lanes look at it
        told, self._tell = context.Pipe(duplex=False)
        pipes = [context.Pipe(duplex=False) for _ in range(self._count)]
        self._pipes = [here for here, _ in pipes]
        there = [pipe for _, pipe in pipes]
        self._process = context.Process(target=_lanes, args=(share, told, self._following, there), daemon=True)
        with _without_main():
            self._process.start()
        for pipe in (told, *there):
            pipe.close()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(OSError):  # they may all have ended
            os.killpg(self._process.pid, signal.SIGTERM) if _CAN_DIVIDE else self._process.terminate()
        self._process.terminate()
        self._process.join(5)
        for pipe in (self._tell, *self._pipes):
            pipe.close()

    def open(self, lanes: int) -> None:
        """Let that many lanes run, or as many as there can be."""
        lanes = min(lanes, self._count)
        for unused in self._pipes[lanes:]:
            unused.close()
        del self._pipes[lanes:]
        self._tell.send(lanes)

    def finish(self) -> None:
        """Record the results as they come, until all lanes are through; HarnessBroke when one breaks."""
        running = list(self._pipes)
        while running:
            for pipe in wait(running):
                assert isinstance(pipe, Connection)
                kind, content = _heard(pipe)
                if kind == "done":
                    running.remove(pipe)
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


def _lanes(share: bytes, told: Connection, following: Synchronized[int], pipes: list[Connection]) -> None:
    """Read the features once, divide into lanes, and run groups until none is left. A process's main function."""
    if _CAN_DIVIDE:
        os.setsid()  # one group of processes, which the process that started them ends
    from conformance import engine  # noqa: PLC0415 - the engine starts lanes, and a lane runs the engine

    first, lane = os.getpid(), [pipes[0]]

    def groups() -> Iterator[Group]:
        lanes = told.recv()
        if lanes > 1:
            warm_up()  # before they part, so that it is done for all
        lane[0] = _divided(pipes, lanes)
        yield from _taken(part.groups, following)

    try:
        part: _Share = pickle.loads(share)  # noqa: S301 - our own process sent it
        certification = Certification(
            part.profile,
            part.selection,
            now=part.now,
            controls=part.controls,
            platform=part.platform,
            side_by_side=MOST_LANES,
            relay=lambda result: lane[0].send(("result", result)),
        )
        engine.run_groups(certification, groups())
        lane[0].send(("done", None))
    except Exception as error:  # noqa: BLE001 - whatever it is, the other side must hear of it
        lane[0].send(("broke", f"a lane of scenarios broke: {type(error).__name__}: {error}"))
    if os.getpid() != first:
        os._exit(0)


def _divided(pipes: list[Connection], lanes: int) -> Connection:
    """Divide this process into so many, and return the pipe of the one that it is now."""
    mine = 0
    for number in range(1, lanes):
        if not os.fork():
            mine = number
            break
    for number, pipe in enumerate(pipes):
        if number != mine:
            pipe.close()
    return pipes[mine]


def _taken(groups: Sequence[Group], following: Synchronized[int]) -> Iterator[Group]:
    while True:
        with following.get_lock():
            index = following.value
            following.value = index + 1
        if index >= len(groups):
            return
        yield groups[index]
