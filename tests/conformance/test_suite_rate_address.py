"""A rate limit may hold at another address, which only the cases about the rate call."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from conformance.mutants.gate import profile_of
from conformance.mutants.http_app import Reply, Request, error
from conformance.mutants.small_connector import SmallConnector
from conformance.run.configuration import RunConfiguration, Selection
from conformance.run.session import run
from conformance.verdicts import Verdict
from jwo_contract.errors import BadProfile
from jwo_contract.profile import LimitsTable, Profile, for_url, load

Serve = Callable[[Any], str]
RATE = 10


class _Counts(SmallConnector):
    """Counts its calls; with a rate, it answers 429 to those beyond it within a second."""

    def __init__(self, rate: int = 0) -> None:
        super().__init__()
        self.rate, self.calls = rate, 0
        self.admitted_s: list[float] = []

    async def answer(self, request: Request) -> Reply:
        self.calls += 1
        now_s = time.monotonic()
        self.admitted_s = [each for each in self.admitted_s if now_s - each < 1]
        if self.rate and len(self.admitted_s) >= self.rate:
            return error(429, "too many")
        self.admitted_s.append(now_s)
        return await super().answer(request)


def _with_limits(profile: Profile, **limits: Any) -> Profile:
    return profile.model_copy(update={"limits": LimitsTable(**limits)})


def test_only_cases_about_the_rate_call_its_address(serve: Serve) -> None:
    usual, limited = _Counts(), _Counts(RATE)
    profile = _with_limits(
        profile_of(serve(usual)), rate_limit_per_second=RATE, burst=RATE, url=serve(limited), idle_s=0
    )

    usual_only = run(RunConfiguration(profile, Selection(only=("VIK-2", "CP-2"))))
    assert (usual.calls > 0, limited.calls) == (True, 0)
    before = usual.calls
    of_rate = run(RunConfiguration(profile, Selection(only=("VIK-4",))))

    verdicts = {each: result.verdict for each, result in {**usual_only.results, **of_rate.results}.items()}
    assert verdicts == dict.fromkeys(("VIK-2", "CP-2", "VIK-4"), Verdict.PASS)
    assert limited.calls > 2 * RATE
    assert usual.calls - before <= 2, "the usual address gets no call of the case about the rate"


def test_profiles_of_the_two_addresses() -> None:
    profile = _with_limits(for_url("http://127.0.0.1:1"), rate_limit_per_second=5, burst=3, url="http://127.0.0.1:2/")

    usual, limited = profile.at_usual_address, profile.at_rate_limit
    assert (usual.connector.url, usual.limits.rate_limit_per_second) == ("http://127.0.0.1:1", 0)
    assert (limited.connector.url, limited.limits.rate_limit_per_second) == ("http://127.0.0.1:2", 5)
    assert limited.limits.burst == 3
    assert usual.at_rate_limit is usual
    assert limited.at_usual_address is limited


@pytest.mark.parametrize(
    ("limits", "problem"),
    [
        ('url = "http://127.0.0.1:2"', "limits: url needs rate_limit_per_second; set the rate"),
        ('rate_limit_per_second = 5\nurl = "127.0.0.1:2"', "limits.url: '127.0.0.1:2' is not an http://"),
        ('rate_limit_per_second = 5\nurl = "http://a:b@127.0.0.1:2"', "limits.url: the address has credentials"),
        (
            'rate_limit_per_second = 5\nurl = "https://api.amazonphysicalstores.com"',
            "amazonphysicalstores.com is Amazon's",
        ),
    ],
)
def test_address_of_the_rate_limit_is_checked(tmp_path: Any, limits: str, problem: str) -> None:
    path = tmp_path / "jwo.toml"
    path.write_text(f'[connector]\nurl = "http://127.0.0.1:1"\n[limits]\n{limits}\n', "utf-8")

    with pytest.raises(BadProfile) as caught:
        load(path)

    assert problem in str(caught.value)
