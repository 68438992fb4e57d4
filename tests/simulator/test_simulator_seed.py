"""The seed decides which catalog calls a fault applies to."""

from __future__ import annotations

from typing import Any


def struck(platform: Any, queue: Any) -> list[int]:
    """Make thirty status calls with a fault at a rate of about one in two; returns their statuses."""
    platform.set_up_store(None)
    platform.allow_list(queue.arn)
    platform.http.post("/faults", json={"name": "error_500_final", "rate": 0.5})
    asked = "/v1/catalog/getCatalogUploadStatus", {"ingestionId": "no-such"}
    return [platform.signed(*asked).status_code for _ in range(30)]


def test_same_seed_applies_faults_to_the_same_catalog_calls(start_platform: Any, queue: Any) -> None:
    unhurried = {"catalog": {"rate_per_s": 1000, "burst": 1000}}
    first, again, other = (struck(start_platform(seed=seed, **unhurried), queue) for seed in (7, 7, 8))
    assert first == again
    assert first != other
    assert {first.count(400), first.count(500)} != {0, 30}
