"""The errors of the contract package.

ContractError
├── MalformedBody        a body that is not JSON, or not an object
├── BadValue             a text in the wrong form for its field (instant, Scan Key Code)
├── SignatureRejected    a SigV4 signature that is missing, stale or wrong; has a stable code
├── BadProfile           a jwo.toml that is not valid; the user can fix it
├── UnknownEdition       an edition of the documentation that the kit does not have; the user can fix it
├── BadSettings          an environment variable with an unknown name or a wrong value; the user can fix it
└── BrokenContractFile   a schema or register file of the kit is wrong
"""

from __future__ import annotations


class ContractError(Exception):
    """Base class of all errors that this package raises."""


class MalformedBody(ContractError):
    """The bytes are not a JSON object. The message says where parsing stopped."""


class BadValue(ContractError):
    """A text has the right JSON type but the wrong form."""


class SignatureRejected(ContractError):
    """The signature of a request is missing or not valid.

    `code` is one of `missing`, `malformed`, `unknown_key`, `wrong_scope`, `stale`, `unsigned_header`,
    `wrong_token`, `mismatch`. The message never contains a secret.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class BrokenContractFile(ContractError):
    """A file of the contract is wrong: a bug in the kit, found when the file is loaded."""


class BadProfile(ContractError):
    """A profile is missing, unreadable or not valid. The message says what to do."""


class UnknownEdition(ContractError):
    """No edition of the documentation has this name. The message lists the known ones."""


class BadSettings(ContractError):
    """Settings are not valid. The message names each variable, and for a misspelt one the nearest known name."""
