"""A connector that answers at once from one epoll loop: it accepts scans, and gives carts a purchase id.

It prints its address, then serves until it is killed.
"""

from __future__ import annotations

import select
import socket

VISITOR = b'{"visitorDetails":{"id":"shopper-uuid-001","type":"SHOPPER"}}'
PURCHASE = b'{"purchaseId":"purchase-001"}'
EMPTY = b'{"purchaseId":""}'
_LENGTH = b"content-length: "


def answer_to(request: bytes) -> bytes | None:
    """Return the answer to a request; None while the request is incomplete."""
    head, end, body = request.partition(b"\r\n\r\n")
    if not end:
        return None
    at = head.lower().index(_LENGTH) + len(_LENGTH)
    if len(body) < int(head[at:].split(b"\r\n", 1)[0]):
        return None
    if head.startswith(b"POST /v1/identity"):
        return _whole(b"200 OK", VISITOR)
    return _whole(b"201 Created", EMPTY if b'"cartItems":[]' in body else PURCHASE)


def _whole(status: bytes, body: bytes) -> bytes:
    return b"HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (status, len(body), body)


def serve() -> None:
    """Accept, read and answer."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
    listener.setblocking(False)  # noqa: FBT003 - the standard library's signature
    print(f"listening on http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
    poll = select.epoll()
    poll.register(listener, select.EPOLLIN)
    clients: dict[int, tuple[socket.socket, bytearray]] = {}
    while True:
        for descriptor, _ in poll.poll():
            if descriptor == listener.fileno():
                _accept(listener, poll, clients)
            else:
                _read(descriptor, poll, clients)


def _accept(listener: socket.socket, poll: select.epoll, clients: dict[int, tuple[socket.socket, bytearray]]) -> None:
    while True:
        try:
            client, _ = listener.accept()
        except BlockingIOError:
            return
        client.setblocking(False)  # noqa: FBT003 - as above
        clients[client.fileno()] = (client, bytearray())
        poll.register(client, select.EPOLLIN)


def _read(descriptor: int, poll: select.epoll, clients: dict[int, tuple[socket.socket, bytearray]]) -> None:
    client, read = clients[descriptor]
    try:
        piece = client.recv(262_144)
        read += piece
        if piece and (answer := answer_to(bytes(read))):
            client.sendall(answer)
            read.clear()
        if piece:
            return
    except ConnectionError:
        pass
    poll.unregister(client)
    del clients[descriptor]
    client.close()


if __name__ == "__main__":
    serve()
