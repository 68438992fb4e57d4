"""What the connector refuses or cannot do.

ConnectorError                  carries `code` (stable) and `hint` (what a person can do)
├── CallRefused                 a request is answered with `status`
│   ├── InvalidRequest          400: the body breaks the contract
│   ├── NotAuthenticated        403: the caller is not who the settings allow
│   ├── CartConflict            409: the same shopping trip came with another cart
│   ├── NotSignedIn             401: the app does not know who asks
│   ├── NotTheirs               403: a shopper asks for what is another's
│   ├── TooManyTries            429: too many wrong PINs
│   ├── CodeDenied              409: the app may not show a Scan Key Code for this account
│   ├── NotThere                404: no such receipt or shopper
│   ├── TooLarge                400: the body is larger than the settings allow
│   ├── Busy                    429: past capacity; better refused early than answered late
│   └── StillClaimed            500: the same event is being handled still, and the budget is over
├── BadRetailerData             a retailer file or price list is wrong: names file, row and remedy
├── StoreError
│   ├── StoreUnavailable        the database cannot be opened or did not take the record
│   ├── MustBeAlone             a batch has more to do than it may beside other nodes; the store runs it again
│   └── StoreNotOpen            a record was wanted before the start or after the end
├── PaymentError
│   ├── PaymentDeclined         the provider's final no
│   └── PaymentUnclear          no answer, or none that can be read: the money may or may not have moved
└── CatalogClientError
    ├── ForbiddenHost           an address that must not be called
    ├── BadRows                 rows that the platform would refuse as a whole
    ├── PlatformRefused         the platform answered with an error that is not worth a retry
    ├── PlatformUnreachable     no answer at all
    └── MalformedAnswer         an answer, message or report that breaks the contract
"""

from __future__ import annotations


class ConnectorError(Exception):
    """Root of everything that this room raises on purpose."""

    code = "connector"

    def __init__(self, message: str, *, code: str = "", hint: str = "") -> None:
        super().__init__(message)
        self.code = code or type(self).code
        self.hint = hint


class CallRefused(ConnectorError):
    """A request that is answered with an error status; the message goes into the answer."""

    code = "refused"
    status = 400


class InvalidRequest(CallRefused):
    """The body is malformed, breaks the schema, or contradicts itself."""

    code = "invalid_request"

    def __init__(self, message: str, *, code: str = "", status: int = 400) -> None:
        super().__init__(message, code=code)
        self.status = status


class NotAuthenticated(CallRefused):
    """The call is not signed, or lacks the agreed headers."""

    code = "not_authenticated"
    status = 403


class CartConflict(CallRefused):
    """A shopping trip that already has a purchase came again with another cart."""

    code = "cart_conflict"
    status = 409


class NotSignedIn(CallRefused):
    """There is no session of the app, or the PIN was wrong."""

    code = "not_signed_in"
    status = 401


class NotTheirs(CallRefused):
    """A shopper who is signed in asks for another shopper's codes or receipts."""

    code = "not_theirs"
    status = 403


class TooManyTries(CallRefused):
    """An account pauses after several wrong PINs."""

    code = "too_many_tries"
    status = 429


class CodeDenied(CallRefused):
    """The checks before a Scan Key Code is shown were not passed."""

    code = "code_denied"
    status = 409


class NotThere(CallRefused):
    """What was asked for does not exist."""

    code = "not_there"
    status = 404


class TooLarge(CallRefused):
    """A body over the limit."""

    code = "too_large"
    status = 400


class Busy(CallRefused):
    """The connector has as much in hand as it can answer in time."""

    code = "busy"
    status = 429


class StillClaimed(CallRefused):
    """A duplicate whose first is not decided yet; the caller tries again."""

    code = "still_claimed"
    status = 500


class BadRetailerData(ConnectorError):
    """One wrong row; `file` and `row` say which, `hint` what to do."""

    code = "bad_retailer_data"

    def __init__(self, file: str, row: str, problem: str, hint: str) -> None:
        super().__init__(f"{file}: {row}: {problem}. {hint}", hint=hint)
        self.file = file
        self.row = row


class StoreError(ConnectorError):
    """Root of the trouble with the database."""

    code = "store"


class StoreUnavailable(StoreError):
    """The database cannot be opened, is busy for too long, or did not take the record."""

    code = "store_unavailable"


class MustBeAlone(StoreError):
    """Raised and caught within the store: what is to be changed may be under another node's hands."""

    code = "must_be_alone"


class StoreNotOpen(StoreError):
    """The connector has not started yet, or is ending."""

    code = "store_not_open"


class PaymentError(ConnectorError):
    """Root of the trouble with the payment provider."""

    code = "payment"


class PaymentDeclined(PaymentError):
    """The provider will not pay; the shopper owes the amount."""

    code = "payment_declined"


class PaymentUnclear(PaymentError):
    """Ask again, with the same key: only the provider knows what became of the call."""

    code = "payment_unclear"


class CatalogClientError(ConnectorError):
    """Root of the trouble with the platform's catalog API."""

    code = "catalog_client"


class ForbiddenHost(CatalogClientError):
    """An address outside the set platform, or a real Amazon host while those are blocked."""

    code = "forbidden_host"


class BadRows(CatalogClientError):
    """Catalog rows that cannot be read, or that the platform would refuse as a whole."""

    code = "bad_rows"


class PlatformRefused(CatalogClientError):
    """The platform's final word; `status` is its status, the message its text."""

    code = "platform_refused"

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"the platform answered {status}: {message}")
        self.status = status


class PlatformUnreachable(CatalogClientError):
    """There was no answer to look at."""

    code = "platform_unreachable"


class MalformedAnswer(CatalogClientError):
    """What came from the platform is not what the contract says."""

    code = "malformed_answer"
