"""Servers that stall in five ways, each with a share of late answers that can be computed in advance.

Usage: `python stalls.py SHAPE [SCALE]`; SCALE shortens every time, for tests with a smaller budget. It prints its
address, then serves until it is killed. Outside of stalls it answers at once. It checks nothing, and gives every
purchase a new id. It does not count a generator's requests before the load: a shape begins after the first pause.
"""

from __future__ import annotations

import heapq
import select
import socket
import sys
import time

SHAPES = ("freeze", "one_percent", "global_lock", "slow_ramp", "commit_then_stall")
FREEZE_S, EVERY_S, FIRST_FREEZE_S = 3.0, 20.0, 6.0
SLOW_S = 2.5
LOCK_S = 0.006
FIRST_FEW, PAUSE_S = 5, 0.03
RAMP_S, RAMP_TO_S = 20.0, 4.0
STALL_S, STALL_ONE_IN = 3.0, 20
VISITOR = b'{"visitorDetails":{"id":"shopper-uuid-001","type":"SHOPPER"}}'


def hold_s(shape: str, number: int, since_first_s: float, lock_free_at_s: float) -> float:
    """Return the delay of an answer in unscaled seconds; `number` counts requests from 1."""
    if shape == "one_percent":
        return SLOW_S if number % 100 == 0 else 0.0
    if shape == "commit_then_stall":
        return STALL_S if number % STALL_ONE_IN == 0 else 0.0
    if shape == "slow_ramp":
        return RAMP_TO_S * since_first_s / RAMP_S
    if shape == "global_lock":
        return max(lock_free_at_s - since_first_s, 0.0) + LOCK_S
    return 0.0


def true_share(shape: str, rate: float, duration_s: float, budget_s: float = 2.0) -> float:
    """Return the share of late answers to evenly spaced arrivals, computed from the shape."""
    if shape == "freeze":
        return max(FREEZE_S - budget_s, 0.0) / EVERY_S
    if shape == "one_percent":
        return 0.01
    if shape == "commit_then_stall":
        return 1 / STALL_ONE_IN
    if shape == "slow_ramp":
        return max(1 - budget_s * RAMP_S / RAMP_TO_S / duration_s, 0.0)
    backlog_s = LOCK_S - 1 / rate  # the extra wait of each arrival over the one before it
    return max(1 - (budget_s - LOCK_S) / backlog_s / (rate * duration_s), 0.0) if backlog_s > 0 else 0.0


class Stalling:
    """One epoll loop with a heap of delayed answers."""

    def __init__(self, shape: str, scale: float) -> None:
        self._shape, self._scale = shape, scale
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
        self._listener.setblocking(False)  # noqa: FBT003 - the standard library's signature
        self._poll = select.epoll()
        self._poll.register(self._listener, select.EPOLLIN)
        self._clients: dict[int, socket.socket] = {}
        self._held: list[tuple[float, int, socket.socket, bytes]] = []
        self._count = 0
        self._first_at = self._last_at = 0.0
        self._lock_free_at_s = 0.0
        self._next_freeze = time.monotonic() + FIRST_FREEZE_S * scale

    @property
    def url(self) -> str:
        """The server's address."""
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def serve(self) -> None:
        """Serve for ever."""
        while True:
            self._freeze()
            due = self._held[0][0] if self._held else time.monotonic() + 0.05
            for descriptor, _ in self._poll.poll(max(due - time.monotonic(), 0)):
                if descriptor == self._listener.fileno():
                    self._accept()
                else:
                    self._read(self._clients[descriptor])
            self._release()

    def _freeze(self) -> None:
        if self._shape == "freeze" and time.monotonic() >= self._next_freeze:
            time.sleep(max(self._next_freeze + FREEZE_S * self._scale - time.monotonic(), 0))
            self._next_freeze += EVERY_S * self._scale

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except BlockingIOError:
                return
            client.setblocking(False)  # noqa: FBT003 - as above
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._clients[client.fileno()] = client
            self._poll.register(client, select.EPOLLIN)

    def _read(self, client: socket.socket) -> None:
        try:
            request = client.recv(65536)
        except ConnectionError:
            request = b""
        if not request:
            self._drop(client)
        elif b"POST /" in request:
            self._hold(client, cart=request.startswith(b"POST /v1/order/"))

    def _hold(self, client: socket.socket, *, cart: bool) -> None:
        now = time.monotonic()
        if self._count <= FIRST_FEW and now - self._last_at > PAUSE_S:
            self._first_at, self._count, self._lock_free_at_s = now, 0, 0.0
        self._last_at = now
        self._count += 1
        since_s = (now - self._first_at) / self._scale
        held_s = hold_s(self._shape, self._count, since_s, self._lock_free_at_s)
        self._lock_free_at_s = since_s + held_s
        body = b'{"purchaseId":"purchase-%d"}' % self._count if cart else VISITOR
        head = b"HTTP/1.1 201 Created" if cart else b"HTTP/1.1 200 OK"
        answer = b"%s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (head, len(body), body)
        heapq.heappush(self._held, (now + held_s * self._scale, self._count, client, answer))

    def _release(self) -> None:
        while self._held and self._held[0][0] <= time.monotonic():
            _, _, client, answer = heapq.heappop(self._held)
            try:
                client.sendall(answer)
            except OSError:
                self._drop(client)

    def _drop(self, client: socket.socket) -> None:
        if self._clients.pop(client.fileno(), None):
            self._poll.unregister(client)
            client.close()


if __name__ == "__main__":
    server = Stalling(sys.argv[1], float(sys.argv[2]) if len(sys.argv) > 2 else 1.0)
    print(f"listening on {server.url}", flush=True)
    server.serve()
