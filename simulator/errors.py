"""What the platform refuses or cannot do.

SimulatorError               has a stable `code`, the HTTP `status` it is answered with, and a `hint`
├── BadCall                  400: the caller's request is not what this address takes
├── NotKnown                 404: no gate, trip, store, account, delivery, fault, item or entry of that name
├── NotNow                   409: the trip has ended, the gate is another store's, the delivery is not dead
├── CatalogRefusal           400: a catalog call breaks a rule of the catalog API; its text is part of the contract
├── AccessDenied             403: the signature is wrong, the account not allow-listed, or the link expired
├── PlatformFailed           500: a failure on purpose; `retry_after_s` 0 says that another try is no use
├── TooManyRequests          429: over the rate; has `retry_after_s`
├── AmazonHostRefused        400: the address is a real Amazon host
├── BrokenMemory             the database cannot be opened, or another version wrote it
└── BrokenWorld              a world file contradicts itself; names the file and the entry

StorageFailed                is outside of the family: the platform's disk fails, and no caller can help it; it is
                             answered with the same 500 as a bug
"""

from __future__ import annotations

from typing import ClassVar


class SimulatorError(Exception):
    """Root of all errors that the simulator raises on purpose; the caller may see the text."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "simulator"

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint

    def headers(self) -> dict[str, str]:
        """Return the headers that the answer carries beside its body."""
        return {}

    def body(self) -> dict[str, str]:
        """Return the JSON body of the answer."""
        return {"errorMsg": f"{self} ({self.hint})" if self.hint else str(self)}


class BadCall(SimulatorError):
    """The request is not valid for this address."""

    status = 400
    code = "bad_call"


class NotKnown(SimulatorError):
    """There is nothing with this name; `kind` is the kind of thing, such as gate."""

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
    """A catalog call is refused; the message is the published text where one is published."""

    status = 400
    code = "catalog_refusal"


class AccessDenied(SimulatorError):
    """The caller has no access; `reason` is a stable code for the journal, and the text has no secret."""

    status = 403
    code = "access_denied"

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason

    def body(self) -> dict[str, str]:
        """Return the shape of a refusal by IAM, which differs from every other error."""
        return {"message": str(self)}


class PlatformFailed(SimulatorError):
    """An armed failure: a retry may help after the kind with Retry-After, and not after the other."""

    status = 500
    code = "platform_failed"

    def __init__(self, message: str, retry_after_s: int = 0) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s

    def headers(self) -> dict[str, str]:
        """Return Retry-After, if a retry may help."""
        return {"Retry-After": str(self.retry_after_s)} if self.retry_after_s else {}


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
    """The platform simulates Amazon and never calls it."""

    status = 400
    code = "amazon_host"

    def __init__(self, host: str) -> None:
        super().__init__(f"{host} is a real Amazon host", hint="give the address of your own test set-up")
        self.host = host


class BrokenMemory(SimulatorError):
    """The database cannot be opened, is in use, or holds what this version cannot read."""

    code = "broken_memory"

    def __init__(self, message: str) -> None:
        super().__init__(message, hint="JWO_PLATFORM_DATABASE_PATH names its files; move them away to start afresh")


class BrokenWorld(SimulatorError):
    """A world cannot be used; `where` names the file and the entry."""

    code = "broken_world"

    def __init__(self, where: str, message: str) -> None:
        super().__init__(f"{where}: {message}")
        self.where = where


class StorageFailed(Exception):
    """The platform's database could not be read or written; another try may succeed."""
