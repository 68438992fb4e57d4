"""When and Then of the properties: a search for a request or a story that the connector gets wrong."""

from __future__ import annotations

from collections.abc import Callable

from pytest_bdd import parsers, then, when

from conformance import match
from conformance.certification import Certification
from conformance.drafts import Draft
from conformance.drivers.http import ConnectorClient
from conformance.errors import NotDeclared
from conformance.properties.messages import Change, broken_steps, valid_members
from conformance.properties.search import DEEP, ONE_STEP, USUAL, search
from conformance.properties.visits import Store, stories
from conformance.variants import with_own_ids
from conformance.verify import must
from contract.messages import message
from contract.operations import VERIFY_IDENTITY_KEYS


@when("valid ones like it are drawn", target_fixture="tried")
def search_valid(draft: Draft, connector: ConnectorClient, run: Certification) -> int:
    """Look for a valid request that is not taken."""
    house = run.profile.house
    wanted = 201
    if draft.operation is VERIFY_IDENTITY_KEYS:
        wanted = 200 if run.keys.has("shopper") else 401

    def attempt(changes: list[Change]) -> None:
        changed = run.unbroken(draft.operation)
        for change in changes:
            changed = change.of(changed)
        if not message(draft.operation.request, house).violations(changed.body):
            label = ", ".join(change.path for change in changes)
            must(match.status(connector.send(changed.operation, changed.encoded(), label=label), [wanted]))

    return search(valid_members(draft, house), attempt, DEEP if run.selection.deep else USUAL)


@when("ones that break a single rule are drawn", target_fixture="tried")
def search_invalid(draft: Draft, connector: ConnectorClient, run: Certification) -> int:
    """Look for a request that is taken, or fails, though it breaks its schema."""
    house = run.profile.house

    def attempt(change: Change) -> None:
        changed = change.of(with_own_ids(draft))
        if message(draft.operation.request, house).violations(changed.body):
            must(match.status(connector.send(changed.operation, changed.encoded(), label=change.path), [400]))

    return search(broken_steps(draft, house), attempt, DEEP if run.selection.deep else ONE_STEP)


@when("stories of visits are played to it and to a model", target_fixture="tried")
def search_stories(connector: ConnectorClient, run: Certification) -> int:
    """Look for a story after which the connector answers otherwise than the model."""
    if not run.keys.has("shopper"):
        raise NotDeclared("[keys] shopper is not declared in the profile")
    effort = DEEP if run.selection.deep else USUAL
    return search(stories(), lambda story: Store(run, connector).play(story), effort)


@then(parsers.parse("none is found that the connector gets wrong"))
def nothing_found(tried: int, note: Callable[[str], None]) -> None:
    """Say how many were tried; a search that finds something ends before this."""
    note(f"none in {tried} tried")
