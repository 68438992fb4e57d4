"""The platform's errors.

SimulatorError               has a stable `code`, the HTTP `status` of its answer, and a `hint`
├── BadCall                  400: the request does not fit this address
├── NotKnown                 404: there is no gate, trip, store, account, delivery, fault, item or entry of that name
├── NotNow                   409: the trip has ended, the gate is another store's, the delivery is not a dead letter
├── CatalogRefusal           400: a catalog call breaks a rule of the catalog API; its text is part of the contract
├── CallRefused              400: a payment, checkout or similar call breaks a rule; `reason` is for the journal only
├── AccessDenied             403: the signature is wrong, the account not allow-listed, or the link expired
├── NotSignedIn              401: the portal has users, and the call has no token of one
├── NotPermitted             403: the user of the portal lacks a permission, or belongs to another merchant
├── PlatformFailed           500: an armed fault; `retry_after_s` 0 means that another try will fail too
├── ServiceUnavailable       503: an armed fault; carries `retry_after_s`
├── TooManyRequests          429: over the rate; carries `retry_after_s`
├── AmazonHostRefused        400: the address is a real Amazon host
├── SampleFailed             502: no code of a sample visitor could be made; the text names the source of the codes
├── AwsFailed                503: SNS, SQS or S3 does not answer, or refuses the platform; names the settings
├── StorageUnreadable             the database cannot be opened, or another version wrote it
└── BrokenWorld              a world file contradicts itself; names the file and the entry

StorageFailed                is not a SimulatorError: the platform's disk fails, and no caller can fix that; the answer
                             is the same 500 as for a bug
"""

from __future__ import annotations

from typing import ClassVar


class SimulatorError(Exception):
    """Base class of the errors that the simulator raises on purpose; the caller may see the text."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "simulator"

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint

    def headers(self) -> dict[str, str]:
        """Return the additional headers of the answer."""
        return {}

    def body(self) -> dict[str, str]:
        """Return the JSON body of the answer."""
        return {"errorMsg": f"{self} ({self.hint})" if self.hint else str(self)}


class BadCall(SimulatorError):
    """The request does not fit this address."""

    status = 400
    code = "bad_call"


class NotKnown(SimulatorError):
    """There is no object of that name; `kind` is the kind of object, such as gate."""

    status = 404
    code = "not_known"

    def __init__(self, kind: str, name: str, *, hint: str = "") -> None:
        super().__init__(f"there is no {kind} {name}", hint=hint)
        self.kind = kind
        self.name = name


class NotNow(SimulatorError):
    """The request is valid, but the current state forbids it."""

    status = 409
    code = "not_now"


class CatalogRefusal(SimulatorError):
    """The platform refuses a catalog call; the message is the published text, where there is one."""

    status = 400
    code = "catalog_refusal"


class CallRefused(SimulatorError):
    """The platform refuses a payment, checkout, identity or authentication call; the message is the published text.

    `reason` says what is wrong and where. The journal shows it, because the published text does not say it.
    """

    status = 400
    code = "call_refused"

    def __init__(self, message: str, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


class AccessDenied(SimulatorError):
    """The caller has no permission. `reason` is a stable code for the journal; the text contains no secret."""

    status = 403
    code = "access_denied"

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason

    def body(self) -> dict[str, str]:
        """Return the body in the format of IAM, which differs from all other errors."""
        return {"message": str(self)}


class NotSignedIn(SimulatorError):
    """The portal has users, and the call has no token of one."""

    status = 401
    code = "not_signed_in"

    def __init__(self, message: str) -> None:
        super().__init__(message, hint="send Authorization: Bearer TOKEN, with the token of PUT /portal/users/{userId}")

    def headers(self) -> dict[str, str]:
        """Return the scheme of authentication."""
        return {"WWW-Authenticate": "Bearer"}


class NotPermitted(SimulatorError):
    """A user of the portal lacks a permission, or belongs to another merchant."""

    status = 403
    code = "not_permitted"


class PlatformFailed(SimulatorError):
    """An armed failure: with Retry-After, another try may succeed; without it, another try fails too."""

    status = 500
    code = "platform_failed"

    def __init__(self, message: str, retry_after_s: int = 0) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s

    def headers(self) -> dict[str, str]:
        """Return Retry-After, if the caller should try again."""
        return {"Retry-After": str(self.retry_after_s)} if self.retry_after_s else {}


class ServiceUnavailable(SimulatorError):
    """An armed outage of the service; a later try may succeed."""

    status = 503
    code = "service_unavailable"

    def __init__(self, retry_after_s: int) -> None:
        super().__init__("Service Unavailable")
        self.retry_after_s = retry_after_s

    def headers(self) -> dict[str, str]:
        """Return Retry-After."""
        return {"Retry-After": str(self.retry_after_s)}


class TooManyRequests(SimulatorError):
    """The account is over its rate for this API."""

    status = 429
    code = "too_many_requests"

    def __init__(self, retry_after_s: int) -> None:
        super().__init__("Too Many Requests")
        self.retry_after_s = retry_after_s

    def headers(self) -> dict[str, str]:
        """Return Retry-After."""
        return {"Retry-After": str(self.retry_after_s)}


class AmazonHostRefused(SimulatorError):
    """The address is Amazon's. The platform simulates Amazon, and never calls it."""

    status = 400
    code = "amazon_host"

    def __init__(self, host: str) -> None:
        super().__init__(f"{host} is a real Amazon host", hint="give the address of your own test set-up")
        self.host = host


class SampleFailed(SimulatorError):
    """No code of a sample visitor could be made, because its source failed."""

    status = 502
    code = "sample"


class AwsFailed(SimulatorError):
    """SNS, SQS or S3 does not answer, or refuses the platform. `hint` names the settings."""

    status = 503
    code = "aws"

    def headers(self) -> dict[str, str]:
        """Return Retry-After: the services may answer later."""
        return {"Retry-After": "1"}


class StorageUnreadable(SimulatorError):
    """The database cannot be opened, another platform uses it, or this version cannot read its content."""

    code = "storage_unreadable"

    def __init__(self, message: str, *, hint: str = "") -> None:
        default = "JWO_PLATFORM_DATABASE_PATH names the files; move them away to start empty"
        super().__init__(message, hint=hint or default)


class BrokenWorld(SimulatorError):
    """A world file is not valid; `where` names the file and the entry."""

    code = "broken_world"

    def __init__(self, where: str, message: str) -> None:
        super().__init__(f"{where}: {message}")
        self.where = where


class StorageFailed(Exception):
    """A file of the platform could not be read or written; another try may succeed."""

    hint = "look at the disk of JWO_PLATFORM_DATABASE_PATH: it may be full or read-only"
