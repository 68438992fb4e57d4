"""`jwo init` writes a profile to fill in."""

from __future__ import annotations

from pathlib import Path

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
