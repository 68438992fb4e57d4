"""The connectivity test: one signed call that changes no catalog, and a clear error for each failure."""

from __future__ import annotations

from typing import Any

import pytest

from jwo_contract.errors import BadSettings
from jwo_contract.settings import read
from reference_connector.catalog_client.settings import CatalogClientSettings
from reference_connector.errors import MalformedAnswer, PlatformRefused
from tests.reference_connector.small_platform import SmallPlatform


def test_connectivity_is_one_signed_call(platform: SmallPlatform, open_client: Any) -> None:
    assert open_client().test_connectivity() == {"connectivityStatus": "Success"}
    assert platform.calls == [("connectivity", {})]


def test_connectivity_repeats_what_may_pass(platform: SmallPlatform, open_client: Any) -> None:
    platform.answers = [(429, {"errorMsg": "Too Many Requests"}, {}), (503, {}, {}), (200, {}, {})]
    assert open_client().test_connectivity() == {}
    assert len(platform.calls) == 3


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (
            (403, {"message": "not allow-listed"}, {}),
            ["403: not allow-listed", "JWO_CATALOG_SECRET_ACCESS_KEY", "role"],
        ),
        ((404, {}, {}), ["404", "JWO_CATALOG_ENDPOINT", "JWO_CATALOG_CONNECTIVITY_PATH"]),
        ((201, {}, {}), ["not 200", "JWO_CATALOG_CONNECTIVITY_PATH"]),
        ((302, {}, {"location": "https://elsewhere.example"}), ["a redirect to https://elsewhere.example"]),
    ],
)
def test_refusal_names_the_settings(platform: SmallPlatform, open_client: Any, answer: Any, words: list[str]) -> None:
    platform.answers = [answer]
    with pytest.raises(PlatformRefused) as refused:
        open_client().test_connectivity()
    for word in words:
        assert word in f"{refused.value}; {refused.value.hint}"


def test_answer_that_is_no_object_is_an_error(platform: SmallPlatform, open_client: Any) -> None:
    platform.answers = [(200, ["x"], {})]
    with pytest.raises(MalformedAnswer, match="the connectivity test: "):
        open_client().test_connectivity()


@pytest.mark.parametrize("path", ["", "portal", "/a b", "/a?b", "/a#b"])
def test_path_that_is_no_path_is_refused(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"ENDPOINT": "http://x", "ACCESS_KEY_ID": "a", "SECRET_ACCESS_KEY": "b"}.items():
        monkeypatch.setenv(f"JWO_CATALOG_{name}", value)
    monkeypatch.setenv("JWO_CATALOG_CONNECTIVITY_PATH", path)
    with pytest.raises(BadSettings, match="JWO_CATALOG_CONNECTIVITY_PATH"):
        read(CatalogClientSettings)
