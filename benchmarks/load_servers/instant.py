"""A server that answers every POST at once from one epoll loop: the smallest server in Python.

It prints its address, then serves until it is killed. It does not parse requests.
"""

from __future__ import annotations

import select
import socket

BODY = b'{"visitorDetails":{"id":"shopper-uuid-001","type":"SHOPPER"}}'
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(BODY), BODY)


def serve() -> None:
    """Accept, read and answer. It treats each read as one request, which is right for small requests."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
    listener.setblocking(False)  # noqa: FBT003 - the standard library's signature
    print(f"listening on http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
    poll = select.epoll()
    poll.register(listener, select.EPOLLIN)
    clients: dict[int, socket.socket] = {}
    while True:
        for descriptor, _ in poll.poll():
            if descriptor == listener.fileno():
                _accept(listener, poll, clients)
            else:
                _answer(clients[descriptor], poll, clients)


def _accept(listener: socket.socket, poll: select.epoll, clients: dict[int, socket.socket]) -> None:
    while True:
        try:
            client, _ = listener.accept()
        except BlockingIOError:
            return
        client.setblocking(False)  # noqa: FBT003 - as above
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        clients[client.fileno()] = client
        poll.register(client, select.EPOLLIN)


def _answer(client: socket.socket, poll: select.epoll, clients: dict[int, socket.socket]) -> None:
    try:
        request = client.recv(65536)
        if request:
            client.sendall(ANSWER * max(1, request.count(b"POST /")))
            return
    except ConnectionError:
        pass
    poll.unregister(client)
    del clients[client.fileno()]
    client.close()


if __name__ == "__main__":
    serve()
