"""When and Then of the properties: a search for a request or a story that the connector gets wrong."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import strategies as st
from pytest_bdd import parsers, then, when

from conformance import match
from conformance.drafts import Draft
from conformance.drivers.exchange import Exchange
from conformance.drivers.http import ConnectorClient
from conformance.errors import NotDeclared
from conformance.properties.drawn import stories, stories_with_a_restart
from conformance.properties.messages import Change, broken_steps, valid_members
from conformance.properties.playing import Player
from conformance.properties.search import DEEP, DEEP_RESTARTS, ONE_STEP, RESTARTS, STORIES, USUAL, Effort, search
from conformance.properties.story import Story
from conformance.requests import Requests
from conformance.restarting import needs_command
from conformance.run.configuration import Selection
from conformance.run.controls import ControlCalls
from conformance.single_fault import KEY_IS_UNKNOWN, may_be_about_the_key
from conformance.variants import with_own_ids
from conformance.verify import must
from jwo_contract.messages import message
from jwo_contract.operations import VERIFY_IDENTITY_KEYS
from jwo_contract.profile import Profile

Play = Callable[[st.SearchStrategy[Story], Effort], int]


@when("valid ones like it are drawn", target_fixture="tried")
def search_valid(
    draft: Draft, connector: ConnectorClient, requests: Requests, profile: Profile, selection: Selection
) -> int:
    """Search for a valid request that the connector does not accept."""
    house = profile.house
    expected = 201
    if draft.operation is VERIFY_IDENTITY_KEYS:
        expected = 200 if requests.keys.has("shopper") else 401

    def attempt(changes: list[Change], _until: float) -> bool:
        changed = requests.valid_request(draft.operation)
        for change in changes:
            changed = change.apply_to(changed)
        if not message(draft.operation.request, house).violations(changed.body):
            label = ", ".join(change.path for change in changes)
            must(match.status(connector.send(changed.operation, changed.encoded(), label=label), [expected]))
        return True

    return search(valid_members(draft, house), attempt, DEEP if selection.deep else USUAL)


@when("ones that break a single rule are drawn", target_fixture="tried")
def search_invalid(
    draft: Draft, connector: ConnectorClient, requests: Requests, profile: Profile, selection: Selection
) -> int:
    """Search for a request that breaks its schema and gets another answer than 400.

    Raises NotDeclared if an answer may be about the unknown key, and all others are right.
    """
    house, unclear = profile.house, list[Exchange]()

    def attempt(change: Change, _until: float) -> bool:
        changed = change.apply_to(with_own_ids(draft))
        if message(draft.operation.request, house).violations(changed.body):
            exchange = connector.send(changed.operation, changed.encoded(), label=change.path)
            if may_be_about_the_key(exchange, draft, requests):
                unclear.append(exchange)
            else:
                must(match.status(exchange, [400]))
        return True

    tried = search(broken_steps(draft, house), attempt, DEEP if selection.deep else ONE_STEP)
    if unclear:
        raise NotDeclared(KEY_IS_UNKNOWN)
    return tried


@pytest.fixture
def play(requests: Requests, controls: ControlCalls, selection: Selection, connector: ConnectorClient) -> Play:
    """Return a function that plays drawn stories, or only the story of `--story`, and returns how many it played."""

    def search_among(drawn: st.SearchStrategy[Story], effort: Effort) -> int:
        if not requests.keys.has("shopper"):
            raise NotDeclared("[keys] shopper is not declared in the profile")
        controls.needs_understanding(VERIFY_IDENTITY_KEYS)
        if selection.story:
            return int(Player(requests, connector).play(selection.story))
        return search(drawn, lambda story, until: Player(requests, connector).play(story, until), effort)

    return search_among


@when("stories of visits are played to it and to a model", target_fixture="tried")
def search_stories(play: Play, selection: Selection) -> int:
    """Search for a story in which the connector and the model give different answers."""
    return play(stories(), DEEP if selection.deep else STORIES)


@when("stories with a restart are played to it and to a model", target_fixture="tried")
def search_restarts(play: Play, profile: Profile, selection: Selection) -> int:
    """Search for a story with a restart in which the connector and the model give different answers."""
    needs_command(profile)
    return play(stories_with_a_restart(), DEEP_RESTARTS if selection.deep else RESTARTS)


@then(parsers.parse("none is found that the connector gets wrong"))
def nothing_found(tried: int, note: Callable[[str], None]) -> None:
    """Note how many examples passed; a finding ends the scenario earlier. Raises NotDeclared if none was tried."""
    if not tried:
        raise NotDeclared("the connector is too slow: the time limit was over before it had answered a single example")
    note(f"none in {tried} tried")
