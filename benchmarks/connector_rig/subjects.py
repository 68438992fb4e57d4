"""The servers that the connector is compared with: a bare ASGI app, a plain FastAPI handler, and a naive connector.

`python subjects.py NAME PORT` serves one of them, with the uvicorn settings of the connector.
"""

from __future__ import annotations

import os
import socket
import sqlite3
import sys
import uuid
from pathlib import Path
from typing import Any, Literal

import orjson
import uvicorn
from fastapi import FastAPI, HTTPException
from pydantic import BaseModel, Field
from sqlalchemy import ForeignKey, String, create_engine, event, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, sessionmaker
from starlette.types import Receive, Scope, Send

_SCAN = orjson.dumps({"visitorDetails": {"id": "shopper-uuid-001", "type": "SHOPPER"}})
_CART = orjson.dumps({"purchaseId": "11111111-2222-3333-4444-555555555555"})


async def bare(scope: Scope, receive: Receive, send: Send) -> None:
    """Parse the JSON, and answer with a constant."""
    if scope["type"] != "http":
        return
    message = await receive()
    body = message.get("body", b"")
    while message.get("more_body"):
        message = await receive()
        body += message.get("body", b"")
    order = scope["path"].endswith("purchases")
    if body:
        orjson.loads(body)
    answer = _CART if order else _SCAN
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(answer)).encode())]
    await send({"type": "http.response.start", "status": 201 if order else 200, "headers": headers})
    await send({"type": "http.response.body", "body": answer})


class AuthEvent(BaseModel):
    """The authEvent of a scan."""

    id: str = Field(pattern="^[0-9a-f-]{36}$")
    timestamp: str
    location: Literal["ENTRY"]


class Scan(BaseModel):
    """A Verify Identity Keys request."""

    requestId: str = Field(pattern="^[0-9a-f-]{36}$")  # noqa: N815 - the wire's name
    identityKey: str = Field(max_length=1000)  # noqa: N815 - as above
    storeId: str = Field(max_length=255)  # noqa: N815 - as above
    authEvent: AuthEvent  # noqa: N815 - as above
    keyChannel: Literal["OPTICAL"] | None = None  # noqa: N815 - as above


class Quantity(BaseModel):
    """The quantity of a line."""

    value: str = Field(max_length=10)
    unit: str


class Item(BaseModel):
    """A line of the cart."""

    id: str = Field(max_length=255)
    type: Literal["SKU", "SCANCODE"]
    quantity: Quantity
    lineItemId: str | None = None  # noqa: N815 - the wire's name


class Cart(BaseModel):
    """A Create Purchases request."""

    requestId: str = Field(pattern="^[0-9a-f-]{36}$")  # noqa: N815 - the wire's name
    idempotentShoppingTripId: str = Field(max_length=255)  # noqa: N815 - as above
    storeId: str = Field(max_length=255)  # noqa: N815 - as above
    shoppingTrip: dict[str, Any]  # noqa: N815 - as above
    cartItems: list[Item]  # noqa: N815 - as above


def with_fastapi() -> FastAPI:
    """Return an app with FastAPI and pydantic, without storage."""
    app = FastAPI()

    @app.get("/healthz")
    async def health() -> dict[str, str]:
        return {"status": "ok"}

    @app.post("/v1/identity/identity-keys")
    async def verify(scan: Scan) -> dict[str, Any]:
        if scan.storeId != "STORE-001":
            raise HTTPException(400)
        return {"visitorDetails": {"id": "shopper-uuid-001", "type": "SHOPPER"}}

    @app.post("/v1/order/purchases", status_code=201)
    async def purchases(cart: Cart) -> dict[str, str]:
        if cart.storeId != "STORE-001":
            raise HTTPException(400)
        return {"purchaseId": str(uuid.uuid4())}

    return app


class Base(DeclarativeBase):
    """Base class of the naive tables."""


class Event(Base):
    """An answered authEvent."""

    __tablename__ = "event"
    id: Mapped[str] = mapped_column(String, primary_key=True)
    visitor: Mapped[str]


class Purchase(Base):
    """A purchase."""

    __tablename__ = "purchase"
    trip: Mapped[str] = mapped_column(String, primary_key=True)
    id: Mapped[str]


class Line(Base):
    """A line of a purchase."""

    __tablename__ = "line"
    id: Mapped[int] = mapped_column(primary_key=True)
    trip: Mapped[str] = mapped_column(ForeignKey("purchase.trip"))
    sku: Mapped[str]
    quantity: Mapped[str]


def naive() -> FastAPI:
    """Return a naive connector: FastAPI, and for each request a SQLAlchemy session and a synced SQLite commit."""
    engine = create_engine(f"sqlite:///{os.environ['NAIVE_PATH']}", connect_args={"timeout": 30})

    @event.listens_for(engine, "connect")
    def _durable(connection: sqlite3.Connection, _record: object) -> None:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")

    Base.metadata.create_all(engine)
    sessions = sessionmaker(engine)
    app = with_fastapi()
    app.router.routes = [route for route in app.router.routes if not getattr(route, "path", "").startswith("/v1")]

    @app.post("/v1/identity/identity-keys")
    def verify(scan: Scan) -> dict[str, Any]:
        with sessions() as session:
            _claim(session, scan)
            session.commit()
        return {"visitorDetails": {"id": "shopper-uuid-001", "type": "SHOPPER"}}

    @app.post("/v1/order/purchases", status_code=201)
    def purchases(cart: Cart) -> dict[str, str]:
        with sessions() as session:
            known = session.scalar(select(Purchase).where(Purchase.trip == cart.idempotentShoppingTripId))
            purchase = known or Purchase(trip=cart.idempotentShoppingTripId, id=str(uuid.uuid4()))
            if known is None:
                session.add(purchase)
                session.flush()
                session.add_all(
                    Line(trip=purchase.trip, sku=item.id, quantity=item.quantity.value) for item in cart.cartItems
                )
            session.commit()
            return {"purchaseId": purchase.id}

    return app


def _claim(session: Session, scan: Scan) -> None:
    if session.scalar(select(Event).where(Event.id == scan.authEvent.id)) is None:
        session.add(Event(id=scan.authEvent.id, visitor="shopper-uuid-001"))


def main() -> None:
    """Serve the named app."""
    name, port = sys.argv[1], int(sys.argv[2])
    listener = socket.create_server(("127.0.0.1", port), backlog=2048)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    app: Any = {"bare": lambda: bare, "fastapi": with_fastapi, "naive": naive}[name]()
    config = uvicorn.Config(app, log_level="warning", access_log=False, server_header=False, lifespan="off")
    uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))
    main()
