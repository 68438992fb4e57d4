"""Stories: scripts keep their story, the model knows what a connector must remember, a finding plays again."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest

from conformance.core_drafts import Builder
from conformance.errors import BadStory
from conformance.mutants.gallery import connector_with
from conformance.mutants.gate import certify, profile_of
from conformance.mutants.http_app import Reply, Request, error
from conformance.mutants.serving import served
from conformance.mutants.small_connector import RESTART as RESTART_PATH
from conformance.mutants.small_connector import SmallConnector
from conformance.properties.drawn import stories, stories_with_a_restart
from conformance.properties.model import AnswerSummary, Model, Visit
from conformance.properties.search import Effort, search
from conformance.properties.story import RESTART, Act, Story, has_a_restart, read, time_in, to_script
from conformance.run.configuration import RunConfiguration, Selection
from conformance.run.session import run
from conformance.verdicts import CaseResult, Verdict
from jwo_contract.house import House

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
HOUSE = House()
PROFILE = profile_of("http://127.0.0.1:1")
FORGETFUL = (
    "forgets_on_an_empty_cart",
    "forgets_by_the_times_in_messages:scan",
    "forgets_by_the_times_in_messages:cart",
)


def played(fault: str, story: Story) -> CaseResult:
    case = "CP-X.47" if has_a_restart(story) else "CP-X.46"
    with served(connector_with(fault)) as url:
        return run(RunConfiguration(profile_of(url), Selection(only=(case,), story=story))).results[case]


def a_cart(answer: AnswerSummary | None = None, kind: str = "buy one line") -> Visit:
    return Visit(Builder(PROFILE, lambda: NOW).cart(), NOW, kind, answer)


def a_scan(answer: AnswerSummary | None = None) -> Visit:
    return Visit(Builder(PROFILE, lambda: NOW).scan("a2V5"), NOW, "scan a shopper", answer)


@pytest.mark.parametrize("drawn", [stories, stories_with_a_restart])
def test_a_drawn_story_survives_writing_and_reading(drawn: object) -> None:
    seen: list[Story] = []

    def attempt(story: Story, _until: float) -> bool:
        seen.append(story)
        assert read(to_script(story)) == story
        return True

    search(drawn(), attempt, Effort(200, 20.0))  # type: ignore[operator]  # one of the two above

    assert len(seen) > 100
    assert {has_a_restart(story) for story in seen} == {drawn is stories_with_a_restart}


@pytest.mark.parametrize(
    ("script", "named"),
    [
        ("buy one line\nbuy a horse\n", "line 2 of the story is not an act: 'buy a horse'"),
        ("repeat scan 0 with other lines", "line 1"),
        ("repeat cart x as it was", "line 1"),
        ("repeat cart 99999999 as it was", "line 1"),
        ("# nothing\n\n", "no act"),
    ],
)
def test_an_invalid_script_is_refused_with_its_line(script: str, named: str) -> None:
    with pytest.raises(BadStory, match=named):
        read(script)


def test_time_in_a_story_adds_up() -> None:
    assert time_in(read("a day passes\nbuy one line\nan hour passes\na day passes")) == timedelta(hours=49)


def test_the_model_expects_the_first_answer_again() -> None:
    model, cart = Model(HOUSE), a_cart(AnswerSummary(201, "p-1"))

    expectation = model.expect(cart, NOW + timedelta(days=400), "as it was")

    assert expectation.accepts(AnswerSummary(201, "p-1"))
    assert not expectation.accepts(AnswerSummary(201, "p-2"))
    assert not expectation.accepts(AnswerSummary(500))


def test_the_model_expects_a_new_purchase_for_each_trip() -> None:
    model, cart = Model(HOUSE), a_cart()
    model.carts += [a_cart(AnswerSummary(201, "p-1")), cart]

    assert model.expect(cart, NOW).accepts(AnswerSummary(201, "p-2"))
    assert not model.expect(cart, NOW).accepts(AnswerSummary(201, "p-1"))
    assert not model.expect(cart, NOW).accepts(AnswerSummary(201, ""))


def test_the_model_lets_a_decision_expire_after_the_configured_hours() -> None:
    model, scan = Model(HOUSE), a_scan(AnswerSummary(200, "visitor"))
    model.scans.append(scan)

    assert not model.expect(scan, NOW + timedelta(hours=47)).accepts(AnswerSummary(401))
    assert model.expect(scan, NOW + timedelta(hours=48)).accepts(AnswerSummary(401))
    assert not model.expect(scan, NOW + timedelta(hours=48)).accepts(AnswerSummary(500))


def test_the_model_expects_a_conflict_for_a_changed_cart_if_configured() -> None:
    strict = House.model_validate({"ordering": {"changed_cart": "conflict_409"}})
    cart = a_cart(AnswerSummary(201, "p-1"))

    assert Model(strict).expect(cart, NOW, "with other lines").accepts(AnswerSummary(409))
    assert Model(HOUSE).expect(cart, NOW, "with other lines").accepts(AnswerSummary(201, "p-1"))


@pytest.mark.parametrize("fault", FORGETFUL)
def test_a_finding_is_a_short_story_that_plays_again(fault: str) -> None:
    result = certify(fault, ("CP-X.46",)).results["CP-X.46"]

    assert result.verdict is Verdict.WARN
    assert len(result.story) <= 5
    again = played(fault, read("\n".join(result.story)))
    assert again.verdict is Verdict.WARN
    assert again.story == result.story
    assert played("", read("\n".join(result.story))).verdict is Verdict.PASS


def test_a_finding_after_a_restart_plays_again() -> None:
    result = certify("gives_an_id_again_after_a_restart", ("CP-X.47",)).results["CP-X.47"]

    assert RESTART in result.story
    assert played("gives_an_id_again_after_a_restart", read("\n".join(result.story))).verdict is Verdict.WARN


def test_every_act_can_be_played() -> None:
    story = tuple(
        Act(*words)
        for words in [
            ("scan a shopper",), ("scan nobody",), ("scan a shopper with a code an hour old",),
            ("scan a shopper twice at once",), ("buy one line",), ("buy two lines",), ("buy nothing",),
            ("buy one line twice at once",), ("an hour passes",), ("a day passes",),
            *(("repeat cart", number, "with other lines") for number in range(4)),
            *(("repeat scan", number, "in another order") for number in range(4)),
            ("repeat cart", 7, "under another requestId"), ("repeat cart", 0, "twice at once"), (RESTART,),
            ("repeat scan", 1, "as it was"), ("repeat cart", 2, "as it was"),
        ]
    )  # fmt: skip

    result = played("", story)

    assert result.verdict is Verdict.PASS, result
    assert len(result.exchanges) >= 22


@pytest.mark.parametrize(("kind", "may"), [("scan a shopper with a code an hour old", True), ("scan a shopper", False)])
def test_an_old_code_may_be_refused_after_its_decision_expired(kind: str, may: bool) -> None:  # noqa: FBT001 - a parameter of the test
    visit = Visit(a_scan().draft, NOW, kind, AnswerSummary(400))
    later = NOW + timedelta(hours=HOUSE.identity.remember_h)

    assert Model(HOUSE, scans=[visit]).expect(visit, later).accepts(AnswerSummary(400)) is may


def test_a_restart_has_acts_before_and_after_it() -> None:
    seen: list[Story] = []

    def attempt(story: Story, _until: float) -> bool:
        seen.append(story)
        return True

    search(stories_with_a_restart(), attempt, Effort(50, 20.0))

    assert seen
    assert all(story.index(Act(RESTART)) not in {0, len(story) - 1} for story in seen)


class WarmsUp(SmallConnector):
    """Answers 503 for half a second after a restart."""

    ready_at = 0.0

    async def answer(self, request: Request) -> Reply:
        if request.path != RESTART_PATH and time.monotonic() < self.ready_at:
            return error(503, "warming up")
        return await super().answer(request)

    def restart(self) -> None:
        self.ready_at = time.monotonic() + 0.5
        super().restart()


@pytest.mark.parametrize("story", [(Act("buy one line"), Act(RESTART)), (Act(RESTART), Act("a day passes"))])
def test_story_that_ends_with_a_restart_waits_for_its_end(story: Story) -> None:
    connector = WarmsUp()
    with served(connector) as url:
        result = run(RunConfiguration(profile_of(url), Selection(only=("CP-X.47",), story=story))).results["CP-X.47"]

    assert result.verdict is Verdict.PASS, result
    assert time.monotonic() >= connector.ready_at > 0
    assert result.exchanges[-1].answer
    assert result.exchanges[-1].answer.status == 401
