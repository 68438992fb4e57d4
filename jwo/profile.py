"""`jwo init` writes a profile to fill in. `jwo doctor` tries each declaration of a profile, before a certification."""

from __future__ import annotations

import shlex
import shutil
from pathlib import Path

from rich.console import Console

from conformance.certification import Certification
from conformance.drivers.exchange import Exchange
from conformance.drivers.http import ConnectorClient
from conformance.errors import HarnessBroke
from contract.operations import CREATE_PURCHASES
from contract.profile import Profile
from jwo.certify import reach
from jwo.errors import Usage

TEMPLATE = """\
# What the suite must know about your connector. An empty value is not declared: the report shows cases that need it
# as not applicable. A value "env:NAME" is read from the environment.

[connector]
url = "{url}"
auth = "none"                      # none | headers | sigv4
# headers = {{ x-api-key = "env:CONNECTOR_KEY" }}           # for auth = "headers"
# access_key_id = "env:AWS_ACCESS_KEY_ID"                  # for auth = "sigv4", with the next three
# secret_access_key = "env:AWS_SECRET_ACCESS_KEY"
# session_token = "env:AWS_SESSION_TOKEN"
# region = "us-east-1"
# restart_command = "docker compose restart connector"     # the suite checks that a restart loses nothing

[store]
id = "STORE-001"                   # a store that your connector serves
other_id = ""                      # a second store where the shopper may enter
unknown_id = "NO-SUCH-STORE"       # an id that your connector does not know

[keys]                             # Base64 identityKey values that your connector knows …
shopper = "dmFsaWRfc2hvcHBlcl9rZXk="
associate = "YXNzb2NpYXRlX2tleQ=="
cash_shopper = ""
refused = ""                       # a key of a known shopper that you refuse
expired = ""                       # an expired code
used = ""                          # a code that has been used before
# command = "mint {{type}}"          # … or a command that prints a fresh key of a kind
# url = "http://127.0.0.1:8080/mint/{{type}}"   # … or an address that answers {{"identityKey": "…"}}
# minted = ["shopper", "associate"]  # the kinds that the command or address can make

[catalog]                          # items that your connector knows
skus = ["SKU-001", "SKU-002"]
scancodes = []
weighted_skus = []

[limits]
rate_limit_per_second = 0          # 0: you enforce no limit

[tiers]                            # calls beyond the core that your connector answers; test them with --tier core,entry
shopper_authorization = false
resolve_scan = false

# [shopper_identities]             # ids of means of payment that your connector knows, for shopper_authorization
# low_risk = ""                    # also high_risk, adjusted, invalid_card, expired_card, outstanding_balance

# [scans]                          # scanned contents as Base64, for resolve_scan
# accepted = ""                    # also rejected

# [catalog_client]                 # your catalog uploader; the suite runs it against the simulated platform
# command = "upload-catalog {{csv}}"                        # docs/testing_your_connector.md lists the variables
# environment = {{ PLATFORM = "{{endpoint}}" }}               # further variables, if your program uses other names
# tells_rejected = "exit_code"     # or "output": how it reports a rejected row
# limit_s = 60                     # time limit of one run

# [house.ordering]                 # where Amazon publishes nothing, your decision counts; see docs/spec
# duplicate_status = 200           # contract/house.py lists all settings
"""


def write_template(path: Path, url: str) -> None:
    """Write a profile to fill in. Raises Usage if the file exists or cannot be written."""
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(TEMPLATE.format(url=url))
    except FileExistsError as error:
        raise Usage(f"{path} already exists; delete it, or name another file with --profile") from error
    except OSError as error:
        raise Usage(f"cannot write {path}: {error.strerror}; name another file with --profile") from error


def doctor(profile: Profile, console: Console) -> int:
    """Try each declaration once and print the result. Returns 1 if a declaration does not work, else 0."""
    reach(profile)
    console.print(f"ok     {profile.connector.url} accepts connections")
    certification = Certification(profile)
    with certification.client() as client:
        checks = [_key(certification, client, kind) for kind in ("shopper", "associate", "cash_shopper")]
        checks.append(_cart(certification, client))
    checks.append(_catalog_client(profile))
    for mark, text in checks:
        console.print(f"{mark:<6} {text}", soft_wrap=True, markup=False)
    return 1 if any(mark == "wrong" for mark, _ in checks) else 0


def _key(certification: Certification, client: ConnectorClient, kind: str) -> tuple[str, str]:
    if kind not in certification.profile.declared_keys():
        return "-", f"[keys] {kind} is not declared; cases that need it are not applicable"
    try:
        draft = certification.build.scan(certification.keys.take(kind))  # type: ignore[arg-type]  # one of the kinds
    except HarnessBroke as error:
        return "wrong", f"[keys] {kind}: {error}"
    return _outcome(client.send(draft.operation, draft.encoded()), 200, f"[keys] {kind}")


def _cart(certification: Certification, client: ConnectorClient) -> tuple[str, str]:
    if not certification.profile.catalog.skus:
        return "-", "[catalog] skus is not declared; the suite uses an invented item where possible"
    draft = certification.build.cart()
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
