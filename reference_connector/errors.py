"""The errors of the connector.

ConnectorError                  has `code` (stable) and `hint` (what a person can do)
├── CallRefused                 a request is answered with `status`
│   ├── InvalidRequest          400: the body breaks the contract
│   ├── NotAuthenticated        403: the caller is not who the settings allow
│   ├── BadgeConflict           409: a badge cannot be issued, because of the retailer files or its owner
│   ├── CartConflict            409: the same shopping trip came with another cart
│   ├── NotSignedIn             401: no shopper is signed in to the app
│   ├── NotTheirs               403: a shopper asks for codes or receipts of another one
│   ├── TooManyTries            429: too many wrong PINs
│   ├── CodeDenied              409: the app may not show a Scan Key Code for this account
│   ├── NotThere                404: no such receipt or shopper
│   ├── NotPossible             409: the payment is in a state that does not allow this
│   ├── TooLarge                400: the body is larger than the settings allow
│   ├── Busy                    429: past capacity; an early refusal is better than a late answer
│   ├── OverRate                429: more calls within a second than the rate limit allows
│   └── StillClaimed            500: another call still decides on the same event, and the time is over
├── BadRetailerData             retailer files or price lists are wrong: lists each error with file, row and remedy
├── UnreadableFile              a file that is not there, or not a text
├── StoreError
│   ├── StoreUnavailable        the database does not open, or did not store the record
│   ├── MustBeAlone             a batch changes old rows, so the store runs it again without other nodes
│   └── StoreNotOpen            the store is used before the start or after the end
├── PaymentError
│   ├── PaymentDeclined         the provider refuses, finally
│   ├── PaymentPending          the provider has not decided yet
│   ├── PaymentUnclear          no answer, or an unreadable one: the provider may have collected the amount
│   └── PaymentImpossible       the call itself is refused, so that a repetition does not help
├── FeedError
│   ├── MessageUnreadable       a message or a file is not what the platform sends: it becomes a dead letter
│   ├── FileRefused             a message names a file that S3 does not have, or denies to the connector
│   └── FeedUnavailable         SQS or S3 gives no answer, or refuses the connector: messages stay in their queue
└── PlatformClientError
    ├── ForbiddenHost           an address that the client must not call
    ├── BadRows                 rows that the platform would refuse as a whole
    ├── JournalUnusable         the journal of an upload cannot be written
    ├── PlatformRefused         the platform answered with an error
    ├── PlatformUnreachable     no answer at all
    ├── MalformedAnswer         an answer, message or report that breaks the contract
    ├── QueueUnusable           the queue cannot be read: names the settings to check
    └── UploadStopped           the upload ends, so a waiting call is not repeated
"""

from __future__ import annotations


class ConnectorError(Exception):
    """Root of all errors that the connector raises on purpose."""

    code = "connector"

    def __init__(self, message: str, *, code: str = "", hint: str = "") -> None:
        super().__init__(message)
        self.code = code or type(self).code
        self.hint = hint


class CallRefused(ConnectorError):
    """A request that gets an error status; the message is part of the answer."""

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


class BadgeConflict(CallRefused):
    """A badge that is to be issued has another owner, or the retailer files decide otherwise."""

    code = "badge_conflict"
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
    """The requested record does not exist."""

    code = "not_there"
    status = 404


class NotPossible(CallRefused):
    """A refund or a settlement that the state of the payment does not allow."""

    code = "not_possible"
    status = 409


class TooLarge(CallRefused):
    """A body over the limit."""

    code = "too_large"
    status = 400


class Busy(CallRefused):
    """The connector has as many calls in progress as it can answer in time."""

    code = "busy"
    status = 429


class OverRate(CallRefused):
    """The connector got more calls within a second than its rate limit allows."""

    code = "over_rate"
    status = 429


class StillClaimed(CallRefused):
    """A duplicate of an event that another call still decides on; the caller tries again."""

    code = "still_claimed"
    status = 500


class BadRetailerData(ConnectorError):
    """The retailer's files have errors: the message lists them with their places, `hint` is the first remedy."""

    code = "bad_retailer_data"


class UnreadableFile(ConnectorError):
    """A file that cannot be read as text; the message has no path, and `hint` is what to do."""

    code = "unreadable_file"

    def __init__(self, problem: str, fix: str) -> None:
        super().__init__(problem, hint=fix)


class StoreError(ConnectorError):
    """Root of the errors of the database."""

    code = "store"


class StoreUnavailable(StoreError):
    """The database does not open, is busy for too long, or did not store the record."""

    code = "store_unavailable"


class MustBeAlone(StoreError):
    """A change of a row that another node may change at the same moment. The store raises it and catches it."""

    code = "must_be_alone"


class StoreNotOpen(StoreError):
    """The store is used before the start or after the end."""

    code = "store_not_open"


class PaymentError(ConnectorError):
    """Root of the errors of the payment provider."""

    code = "payment"


class PaymentDeclined(PaymentError):
    """The provider refuses the charge; the shopper owes the amount."""

    code = "payment_declined"


class PaymentPending(PaymentError):
    """The provider has not decided yet. Repeat the call with the same key, and it returns its present decision."""

    code = "payment_pending"


class PaymentUnclear(PaymentError):
    """The result of a call is unknown. Repeat the call with the same key, and the provider returns its result."""

    code = "payment_unclear"
    retry_after_s = 0.0
    """The pause before the next call that the provider asks for."""


class PaymentImpossible(PaymentError):
    """The provider refuses the call itself, so a repetition would get the same answer. An operator must look."""

    code = "payment_impossible"


class FeedError(ConnectorError):
    """Root of the errors of the platform's feeds."""

    code = "feed"


class MessageUnreadable(FeedError):
    """A message, a file or a row is not what the platform sends. It is kept, and other messages are read."""

    code = "message_unreadable"


class FileRefused(FeedError):
    """A message names a file that S3 does not have, or denies to the connector."""

    code = "file_refused"


class FeedUnavailable(FeedError):
    """SQS or S3 gives no answer, or refuses the connector; `hint` names the settings to check."""

    code = "feed_unavailable"


class PlatformClientError(ConnectorError):
    """Root of the errors of calls to the platform's APIs."""

    code = "platform_client"
    may_pass = False
    """Whether the same call may succeed later."""
    retry_after_s: float | None = None
    """The pause before the next attempt that the platform asks for."""
    attempts = 1

    def __str__(self) -> str:
        text = super().__str__()
        return text if self.attempts == 1 else f"{text} ({self.attempts} attempts)"


class ForbiddenHost(PlatformClientError):
    """An address outside the set platform, or a real Amazon host while the settings block those."""

    code = "forbidden_host"


class BadRows(PlatformClientError):
    """Catalog rows that are not readable, or that the platform would refuse as a whole."""

    code = "bad_rows"


class JournalUnusable(PlatformClientError):
    """The journal of an upload cannot be written, so an upload could not be resumed."""

    code = "journal_unusable"


class PlatformRefused(PlatformClientError):
    """The platform answered with an error; `status` is the HTTP status, the message is the platform's text."""

    code = "platform_refused"

    def __init__(
        self, status: int, message: str, *, may_pass: bool = False, retry_after_s: float | None = None, hint: str = ""
    ) -> None:
        super().__init__(f"the platform answered {status}: {message}", hint=hint)
        self.status = status
        self.reason = message
        self.may_pass = may_pass
        self.retry_after_s = retry_after_s


class PlatformUnreachable(PlatformClientError):
    """The platform gave no answer, or only a part of one."""

    code = "platform_unreachable"

    def __init__(self, message: str, *, may_pass: bool = True, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.may_pass = may_pass


class MalformedAnswer(PlatformClientError):
    """An answer, a message or a report of the platform breaks the contract."""

    code = "malformed_answer"

    def __init__(self, message: str, *, may_pass: bool = False, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.may_pass = may_pass


class QueueUnusable(PlatformClientError):
    """The queue does not exist, refuses the caller, or gives no answer."""

    code = "queue_unusable"


class UploadStopped(PlatformClientError):
    """The upload ends because of another failure or a signal, so this call is not repeated."""

    code = "upload_stopped"
