"""The routes of own authentication."""

from __future__ import annotations

from fastapi import APIRouter

from jwo_contract.operations import CREATE_DEVICE_REGISTRATION, PROCESS_AUTH, START_AUTH
from simulator.own_authentication.sessions import OwnAuthentication
from simulator.signed_calls import SignedCalls


def own_authentication_router(own: OwnAuthentication, signed: SignedCalls) -> APIRouter:
    """Make the routes of the three calls."""
    router = APIRouter(tags=["own authentication"])
    signed.add(router, CREATE_DEVICE_REGISTRATION, own.register)
    signed.add(router, START_AUTH, own.start)
    signed.add(router, PROCESS_AUTH, own.process)
    return router
