"""The bodies of the calls about badges, read strictly: an error says what is wrong and what to do."""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.requests import Request

from jwo_contract.errors import ContractError
from jwo_contract.invalid import describe
from jwo_contract.messages import parse_object
from reference_connector.dispatch import CallerGone, read_body
from reference_connector.errors import InvalidRequest, TooLarge
from reference_connector.retailer_rows import BadgeKey, Code, Expiry, Name
from reference_connector.store import Badge

_BODY_BYTES = 8192


class _Form(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class IssueForm(_Form):
    """The body that issues a badge."""

    id: BadgeKey
    owner: Code
    expires: Expiry = None
    credential: Name | None = None

    def badge(self) -> Badge:
        """Return the badge."""
        return Badge(self.id, self.owner, "issued", self.expires, self.credential or "")


class BadgeForm(_Form):
    """The body that names a badge."""

    id: str


Form = TypeVar("Form", bound=_Form)


async def read_form(request: Request, kind: type[Form]) -> Form:
    """Read a body as a form. Raises InvalidRequest that says what is wrong, and TooLarge."""
    try:
        body = await read_body(request.receive, _BODY_BYTES)
    except CallerGone as error:
        raise InvalidRequest("the body is incomplete") from error
    if len(body) > _BODY_BYTES:
        raise TooLarge(f"the body is larger than {_BODY_BYTES} bytes")
    try:
        return kind.model_validate(parse_object(body))
    except ContractError as error:
        raise InvalidRequest(str(error)) from error
    except ValidationError as error:
        raise InvalidRequest("; ".join(_problem(kind, each) for each in error.errors())) from error


def _problem(kind: type[BaseModel], error: Any) -> str:  # noqa: ANN401 - pydantic's own type is for checkers alone
    fix = error.get("ctx", {}).get("fix", "")
    return f"{'.'.join(map(str, error['loc']))}: {describe(kind, error)}" + (f". {fix}" if fix else "")
