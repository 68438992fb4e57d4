"""`jwo init` writes a profile to fill in."""

from __future__ import annotations

from pathlib import Path

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
# ca_file = "ca.pem"               # your CA's certificate, for https with a private CA; relative to this file
# restart_command = "docker compose restart connector"     # the suite checks that a restart loses nothing

[store]
id = "STORE-001"                   # a store that your connector serves
other_id = ""                      # a second store where the shopper may enter
unknown_id = "NO-SUCH-STORE"       # an id that your connector does not know

[keys]                             # Base64 identityKey values that your connector knows, by the kinds below …
shopper = "dmFsaWRfc2hvcHBlcl9rZXk="
associate = "YXNzb2NpYXRlX2tleQ=="
cash_shopper = ""
refused = ""                       # a key of a known shopper that you refuse
expired = ""                       # an expired code
used = ""                          # a code that has been used before
badge = ""                         # an issued badge of a shopper or an associate
associate_badge = ""               # an issued badge of an associate
revoked_badge = ""                 # badges that you refuse
lost_badge = ""
expired_badge = ""
declined_payment = ""              # a key of a shopper with a means of payment that is declined: you refuse it
in_debt = ""                       # a key of a shopper with an outstanding balance: you refuse it
debt_after_trip = ""               # a key that opens until the shopper's payment is declined after a trip
# command = "mint {{type}}"          # … or a command that prints a fresh key of a kind
# url = "http://127.0.0.1:8080/mint/{{type}}"   # … or an address that answers {{"identityKey": "…"}}
# minted = ["shopper", "associate"]  # the kinds that the command or address can make

[catalog]                          # items that your connector knows
skus = ["SKU-001", "SKU-002"]
scancodes = []
weighted_skus = []                 # sold by weight; the suite writes their weights in the unit of [house.simulator]

[limits]
rate_limit_per_second = 0          # 0: you enforce no limit
# idle_s = 3                       # the first call after these seconds without a call must be in time; 0: not tested
# url = "http://127.0.0.1:8081"    # where that limit holds, if not at [connector] url: a stage with the same records
# burst = 1                        # how many calls may arrive at the same moment under that limit
# run_s = 240                      # the most seconds of a run; later cases are not judged

[suite]
# edition = "2026-02"              # judge by this edition of Amazon's documentation, not by the newest
not_offered = []                   # what you do not offer, such as "associate" or "rate_limit"

[tiers]                            # calls beyond the core that your connector answers; test them with --tier core,entry
shopper_authorization = false
resolve_scan = false

# [shopper_identities]             # ids of payment methods that your connector knows, for shopper_authorization
# low_risk = ""                    # also high_risk, adjusted, invalid_card, expired_card, outstanding_balance

# [scans]                          # scanned contents as Base64, for resolve_scan
# accepted = ""                    # also rejected

# [catalog_client]                 # your catalog uploader; the suite runs it against the simulated platform
# command = "upload-catalog {{csv}}"                        # docs/testing_your_connector.md lists the variables
# environment = {{ PLATFORM = "{{endpoint}}" }}               # further variables, if your program uses other names
# tells_rejected = "exit_code"     # or "output": how it reports a rejected row
# limit_s = 60                     # time limit of one run

# [payment_client]                 # your program that charges and refunds trips, if Amazon handles the card
# command = "charge-trips {{job}} {{result}}"

# [checkout_client]                # your program that sends priced carts, if Amazon charges the shopper
# command = "send-carts {{job}} {{result}}"

# [feed_consumer]                  # your program that books the intra-day files
# command = "book-files {{state}} {{result}}"

# [house.simulator]
# weight_unit = "lb"               # or "kg", "oz", "g": the unit of weights in the carts of the suite

# [house.ordering]                 # where Amazon publishes nothing, your decision counts; see docs/spec
# duplicate_status = 200           # jwo_contract/house.py lists all settings
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
