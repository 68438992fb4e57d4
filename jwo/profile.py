"""`jwo init` writes a profile to fill in; `jwo doctor` tries what a profile declares, before anything is judged."""

from __future__ import annotations

import shlex
import shutil
from pathlib import Path

from rich.console import Console

from conformance.drivers.exchange import Exchange
from conformance.drivers.http import ConnectorClient
from conformance.errors import HarnessBroke
from conformance.requests import Requests
from conformance.run.configuration import utc_now
from contract.operations import CREATE_PURCHASES
from contract.profile import Profile
from jwo.certify import reach
from jwo.errors import Usage

TEMPLATE = """\
# All that the suite must know of your connector. What is left empty is not declared: its cases are reported as
# not applicable. A value "env:NAME" is taken from the environment.

[connector]
url = "{url}"
auth = "none"                      # none | headers | sigv4
# headers = {{ x-api-key = "env:CONNECTOR_KEY" }}           # for auth = "headers"
# access_key_id = "env:AWS_ACCESS_KEY_ID"                  # for auth = "sigv4", with the three below
# secret_access_key = "env:AWS_SECRET_ACCESS_KEY"
# session_token = "env:AWS_SESSION_TOKEN"
# region = "us-east-1"
# restart_command = "docker compose restart connector"     # proves that nothing is forgotten over a restart

[store]
id = "STORE-001"                   # a store that your connector serves
other_id = ""                      # another store, where the shopper may enter as well
unknown_id = "NO-SUCH-STORE"       # an id that it does not know

[keys]                             # Base64 identityKey values that your connector knows …
shopper = "dmFsaWRfc2hvcHBlcl9rZXk="
associate = "YXNzb2NpYXRlX2tleQ=="
cash_shopper = ""
refused = ""                       # a known shopper who may not enter
expired = ""                       # a code that is too old
used = ""                          # a code that was used before
# command = "mint {{type}}"          # … or a command that prints a fresh key of a kind
# url = "http://127.0.0.1:8080/mint/{{type}}"   # … or an address that answers {{"identityKey": "…"}}
# minted = ["shopper", "associate"]  # the kinds that the command or address can make

[catalog]                          # items that your connector knows
skus = ["SKU-001", "SKU-002"]
scancodes = []
weighted_skus = []

[limits]
rate_limit_per_second = 0          # 0: you enforce none

[tiers]                            # calls beyond the core that you answer; run them with --tier core,entry
shopper_authorization = false
resolve_scan = false

# [shopper_identities]             # ids of means of payment that you know, for shopper_authorization
# low_risk = ""                    # also high_risk, adjusted, invalid_card, expired_card, outstanding_balance

# [scans]                          # scanned contents as Base64, for resolve_scan
# accepted = ""                    # also rejected

# [catalog_client]                 # your own program that uploads a catalog, run against the simulated platform
# command = "upload-catalog {{csv}}"                        # docs/testing_your_connector.md says what it is told
# environment = {{ PLATFORM = "{{endpoint}}" }}               # further variables, where yours have names of their own
# tells_rejected = "exit_code"     # or "output": how it tells of a row that was rejected
# limit_s = 60                     # how long a run may take

# [house.ordering]                 # where nothing is published and you decided otherwise, you are judged by your way
# duplicate_status = 200           # contract/house.py names every such setting
"""


def write_template(path: Path, url: str) -> None:
    """Write a profile to fill in; Usage when there is one already."""
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(TEMPLATE.format(url=url))
    except FileExistsError as error:
        raise Usage(f"{path} is there already; delete it, or name another with --profile") from error
    except OSError as error:
        raise Usage(f"{path} cannot be written: {error.strerror}") from error


def doctor(profile: Profile, console: Console) -> int:
    """Try each declaration once and say what came; 1 when something declared does not work."""
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
        return "-", f"[keys] {kind} is not declared; its cases will be not applicable"
    try:
        draft = requests.build.scan(requests.keys.take(kind))  # type: ignore[arg-type]  # one of the kinds
    except HarnessBroke as error:
        return "wrong", f"[keys] {kind}: {error}"
    return _outcome(client.send(draft.operation, draft.encoded()), 200, f"[keys] {kind}")


def _cart(requests: Requests, client: ConnectorClient) -> tuple[str, str]:
    if not requests.profile.catalog.skus:
        return "-", "[catalog] skus is not declared; a made-up item is used where that is enough"
    draft = requests.build.cart()
    return _outcome(
        client.send(CREATE_PURCHASES, draft.encoded()), 201, f"[catalog] {draft.body['cartItems'][0]['id']}"
    )


def _catalog_client(profile: Profile) -> tuple[str, str]:
    words = shlex.split(profile.catalog_client.command)
    if not words:
        return "-", "[catalog_client] command is not declared; the cases of the catalog client will be not applicable"
    found = shutil.which(words[0])
    if found is None:
        return "wrong", f"[catalog_client] command: {words[0]} is not there; name it by its path, or put it on PATH"
    return "ok", f"[catalog_client] command: {found}; try it with: jwo replay CAT-X.3"


def _outcome(exchange: Exchange, wanted: int, what: str) -> tuple[str, str]:
    if exchange.answer and exchange.answer.status == wanted:
        return "ok", f"{what}: {exchange.in_short()}"
    return "wrong", f"{what}: wanted {wanted}, got {exchange.in_short()}{_advice(exchange)}"


def _advice(exchange: Exchange) -> str:
    status = exchange.answer.status if exchange.answer else None
    advice = {
        400: "; is [store] id a store that it serves?",
        401: "; is the key one that it knows, as Base64?",
        403: "; check [connector] auth and its credentials",
        404: "; does [connector] url hold a path that does not belong there?",
    }
    return advice.get(status or 0, "")
