"""What the contract refuses.

ContractError
├── MalformedBody        a body that is not JSON, or not an object
├── BadValue             a text that is not what its field's name promises (instant, Scan Key Code)
├── SignatureRejected    a SigV4 signature that is absent, stale or wrong; carries a stable code
├── BadProfile           a jwo.toml that cannot be used: the user's to mend
├── BadSettings          an environment variable that is no setting, or has a wrong value: the user's to mend
└── BrokenContractFile   one of our own schema or register files is wrong
"""

from __future__ import annotations


class ContractError(Exception):
    """Root of everything that this package raises on purpose."""


class MalformedBody(ContractError):
    """The bytes are not a JSON object; the message says where reading stopped."""


class BadValue(ContractError):
    """A text has the right JSON type and the wrong form."""


class SignatureRejected(ContractError):
    """A request is not signed as it must be.

    `code` is one of `missing`, `malformed`, `unknown_key`, `wrong_scope`, `stale`, `unsigned_header`,
    `wrong_token`, `mismatch`; the message never holds a secret.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class BrokenContractFile(ContractError):
    """A file of the contract contradicts itself: our fault, found when it is loaded."""


class BadProfile(ContractError):
    """A profile is missing, unreadable or says something that cannot be; the message says what to do."""


class BadSettings(ContractError):
    """Settings that cannot be; the message names each variable, and the nearest known name of a misspelt one."""
