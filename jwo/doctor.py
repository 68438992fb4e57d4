"""Tries each declaration of a profile once, for `jwo doctor`, before a whole run depends on it."""

from __future__ import annotations

import shlex
import shutil

from rich.console import Console

from conformance.drivers.exchange import Exchange
from conformance.drivers.http import ConnectorClient
from conformance.errors import HarnessBroke
from conformance.requests import Requests
from conformance.run.configuration import utc_now
from contract.operations import CREATE_PURCHASES
from contract.profile import Profile
from jwo.certify import reach


def doctor(profile: Profile, console: Console) -> int:
    """Try each declaration once and print the result. Returns 1 if a declaration does not work, else 0."""
    reach(profile)
    console.print(f"ok     {profile.connector.url} accepts connections")
    requests = Requests(profile, utc_now)
    with ConnectorClient(profile, utc_now, lambda _exchange: None) as client:
        checks = [_key(requests, client, kind) for kind in ("shopper", "associate", "cash_shopper")]
        checks.append(_cart(requests, client))
    checks.append(_catalog_client(profile))
    for mark, text in checks:
        console.print(f"{mark:<6} {text}", soft_wrap=True, markup=False)
    return 1 if any(mark == "wrong" for mark, _ in checks) else 0


def _key(requests: Requests, client: ConnectorClient, kind: str) -> tuple[str, str]:
    if kind not in requests.profile.declared_keys():
        return "-", f"[keys] {kind} is not declared; cases that need it are not applicable"
    try:
        draft = requests.build.scan(requests.keys.take(kind))  # type: ignore[arg-type]  # one of the kinds
    except HarnessBroke as error:
        return "wrong", f"[keys] {kind}: {error}"
    return _outcome(client.send(draft.operation, draft.encoded()), 200, f"[keys] {kind}")


def _cart(requests: Requests, client: ConnectorClient) -> tuple[str, str]:
    if not requests.profile.catalog.skus:
        return "-", "[catalog] skus is not declared; the suite invents an item where it can"
    draft = requests.build.cart()
    return _outcome(
        client.send(CREATE_PURCHASES, draft.encoded()), 201, f"[catalog] {draft.body['cartItems'][0]['id']}"
    )


def _catalog_client(profile: Profile) -> tuple[str, str]:
    words = shlex.split(profile.catalog_client.command)
    if not words:
        return "-", "[catalog_client] command is not declared; cases of the catalog client are not applicable"
    found = shutil.which(words[0])
    if found is None:
        return (
            "wrong",
            f"[catalog_client] command: {words[0]} was not found; give its full path, or add its folder to PATH",
        )
    return "ok", f"[catalog_client] command: {found}; try it with: jwo replay CAT-X.3"


def _outcome(exchange: Exchange, wanted: int, what: str) -> tuple[str, str]:
    if exchange.answer and exchange.answer.status == wanted:
        return "ok", f"{what}: {exchange.in_short()}"
    return "wrong", f"{what}: expected {wanted}, got {exchange.in_short()}{_advice(exchange)}"


def _advice(exchange: Exchange) -> str:
    status = exchange.answer.status if exchange.answer else None
    advice = {
        400: "; check that the connector serves the store of [store] id",
        401: "; check that the connector knows this key, and that it is Base64",
        403: "; check [connector] auth and its credentials",
        404: "; check the path in [connector] url",
    }
    return advice.get(status or 0, "")
