"""The mobile app's back end: codes, symbols, receipts, test keys."""

from __future__ import annotations

import io
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4
from xml.etree import ElementTree as ET

import pytest
import zxingcpp
from PIL import Image
from pydantic import ValidationError

from jwo_contract.house import ScanKeyRules
from jwo_contract.scan_key import decode, to_identity_key
from reference_connector.mobile_app import qr
from reference_connector.settings import SAMPLE_RETAILER, ConnectorSettings
from tests.reference_connector.conftest import both_databases


def test_code_has_the_layout_of_the_contract_and_its_lifetime(direct: Any) -> None:
    direct.sign_in()
    answer = direct.http.post("/app/shoppers/ada/scan-key")
    assert answer.status_code == 201
    assert set(answer.json()) == {"code", "expiresInS"}
    assert answer.json()["expiresInS"] == 90
    key = decode(answer.json()["code"], ScanKeyRules())
    assert (key.issued_at, len(key.token), key.custom_info) == (direct.clock.now, 21, "")


def test_prefix_and_age_of_codes_are_settings_within_published_limits(start: Callable[..., Any], a_scan: Any) -> None:
    connector = start(scan_key={"prefix": "CORNER1", "max_age_s": 30})
    connector.sign_in()
    code = connector.http.post("/app/shoppers/ada/scan-key").json()
    assert (code["code"][:7], code["expiresInS"]) == ("CORNER1", 30)
    usual = to_identity_key("JWOIMAG" + code["code"][7:])
    assert connector.identify(a_scan(identityKey=usual, event_id=str(uuid4()))).status_code == 401
    late = a_scan(identityKey=to_identity_key(code["code"]), event_timestamp="2026-02-09T12:00:31Z")
    assert connector.identify(late).status_code == 401
    in_time = a_scan(identityKey=late["identityKey"], event_id=str(uuid4()), event_timestamp="2026-02-09T12:00:30Z")
    assert connector.identify(in_time).status_code == 200
    for age in (29, 91):
        with pytest.raises(ValidationError):
            ConnectorSettings.model_validate({"scan_key": {"max_age_s": age}})


def test_every_code_is_different(direct: Any) -> None:
    direct.sign_in()
    codes = {direct.http.post("/app/shoppers/ada/scan-key").json()["code"] for _ in range(5)}
    assert len(codes) == 5


def test_scanned_symbol_opens_the_gate(direct: Any, a_scan: Any) -> None:
    direct.sign_in()
    answer = direct.http.post("/app/shoppers/ada/scan-key.png")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png")
    symbol = zxingcpp.read_barcode(Image.open(io.BytesIO(answer.content)))
    assert symbol is not None
    key = to_identity_key(symbol.text)
    assert direct.identify(a_scan(identityKey=key)).json()["visitorDetails"]["id"] == "ada"


def test_drawn_code_has_a_white_background_and_a_quiet_zone_of_four_modules() -> None:
    for text in ("JWOIMAG18bc0554d045a48b29afa9e2aaac14ae", "A", "x" * 300):
        for picture, module in ((Image.open(io.BytesIO(qr.png(text))), 10), (_drawn(qr.svg(text)), 4)):
            side, grey = picture.width, picture.convert("L")
            assert grey.getextrema() == (0, 255)
            ink = grey.point(lambda value: 255 - value).getbbox()
            assert ink == (4 * module, 4 * module, side - 4 * module, side - 4 * module)
            for behind in ("white", "black", "magenta"):
                page = Image.new("RGB", (side + 80, side + 80), behind)
                page.paste(picture, (40, 40), picture if picture.mode == "RGBA" else None)
                [found] = zxingcpp.read_barcodes(page)
                assert found.text == text


def _drawn(svg: bytes) -> Image.Image:
    """Draw the rectangle and the squares of a symbol's SVG on nothing, with 4 pixels a module."""
    root, scale = ET.fromstring(svg), 4  # noqa: S314 - our own SVG
    left, top, width, height = map(int, root.attrib["viewBox"].split())
    assert (left, top, width) == (0, 0, height)
    image = Image.new("RGBA", (width * scale, height * scale), (0, 0, 0, 0))
    for shape in root:
        if shape.tag.endswith("rect"):
            assert [shape.attrib[name] for name in ("x", "y", "width", "height")] == ["0", "0", "100%", "100%"]
            image.paste(shape.attrib["fill"], (0, 0, *image.size))
        for square in re.findall(r"M(\d+),(\d+)H(\d+)V(\d+)", shape.attrib.get("d", "")):
            image.paste(shape.attrib["fill"], tuple(int(each) * scale for each in square))
    return image


@pytest.mark.parametrize(
    ("shopper", "why"),
    [
        ("cleo", "the payment card is expired; ask the store to change it"),
        ("dora", "this account cannot enter now; ask the store"),
    ],
)
def test_an_account_that_fails_a_check_gets_no_code(direct: Any, shopper: str, why: str) -> None:
    direct.sign_in(shopper)
    for path in ("scan-key", "scan-key.png", "scan-key.svg"):
        answer = direct.http.post(f"/app/shoppers/{shopper}/{path}")
        assert (answer.status_code, answer.json()) == (409, {"errorMsg": why})


def test_an_account_without_a_payment_method_gets_no_code(start: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "more.toml").write_text('[[shopper]]\nid = "hal"\npin = "1"\npayment_method = ""\n', "utf-8")
    http = start(retailer_files=[SAMPLE_RETAILER, tmp_path / "more.toml"]).http
    assert http.post("/app/session", json={"shopper": "hal", "pin": "1"}).status_code == 204
    answer = http.post("/app/shoppers/hal/scan-key")
    assert (answer.status_code, answer.json()) == (
        409,
        {"errorMsg": "the account has no means of payment; ask the store to add one"},
    )


@pytest.mark.parametrize(("score", "status"), [(70, 201), (71, 409)])
def test_the_fraud_threshold_is_the_retailers_own(
    start: Callable[..., Any], tmp_path: Path, score: int, status: int
) -> None:
    (tmp_path / "more.toml").write_text(f'[[shopper]]\nid = "hal"\npin = "1"\nfraud_score = {score}\n', "utf-8")
    http = start(retailer_files=[SAMPLE_RETAILER, tmp_path / "more.toml"]).http
    http.post("/app/session", json={"shopper": "hal", "pin": "1"})
    assert http.post("/app/shoppers/hal/scan-key").status_code == status


def test_card_is_valid_until_the_end_of_its_month(direct: Any) -> None:
    direct.clock.now = direct.clock.now.replace(year=2031, month=12, day=31, hour=22)
    direct.sign_in()
    assert direct.http.post("/app/shoppers/ada/scan-key").status_code == 201
    direct.clock.advance(hours=2)
    assert direct.http.post("/app/shoppers/ada/scan-key").status_code == 409


def test_a_flagged_account_gets_a_code(direct: Any) -> None:
    direct.sign_in("ben")
    assert direct.http.post("/app/shoppers/ben/scan-key").status_code == 201


def test_backdated_code_is_made_with_the_setting(direct: Any) -> None:
    direct.sign_in()
    answer = direct.http.post("/app/shoppers/ada/scan-key", json={"issuedAt": "2020-01-01T00:00:00Z"})
    assert decode(answer.json()["code"], ScanKeyRules()).issued_at.year == 2020


def test_backdated_code_is_refused_without_the_setting(start: Callable[..., Any]) -> None:
    connector = start()
    connector.sign_in()
    http = connector.http
    assert http.post("/app/shoppers/ada/scan-key", json={"issuedAt": "2020-01-01T00:00:00Z"}).status_code == 400
    assert http.post("/app/shoppers/ada/scan-key", json={}).status_code == 201


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"issuedAt": "soon"}', b'{"issuedAt": 5}'])
def test_malformed_time_of_issue_is_400(direct: Any, body: bytes) -> None:
    direct.sign_in()
    assert direct.http.post("/app/shoppers/ada/scan-key", content=body).status_code == 400


@both_databases
def test_receipts_are_the_shoppers_own_with_the_newest_first(direct: Any, a_cart: Any, a_line: Any) -> None:
    direct.purchase(a_cart(trip="trip-1"))
    direct.clock.advance(minutes=1)
    direct.purchase(a_cart(trip="trip-2", cartItems=[a_line("SKU-002")]))
    direct.sign_in()
    receipts = direct.http.get("/app/shoppers/ada/receipts").json()["receipts"]
    assert [receipt["shoppingTripId"] for receipt in receipts] == ["trip-2", "trip-1"]
    payment = receipts[0].pop("payment")
    assert (receipts[0].pop("madeAt"), receipts[0].pop("timeZone")) == ("2026-02-09T12:01:00Z", "UTC")
    assert (payment["state"] in {"open", "paid"}, payment["owed"], payment["refunded"]) == (True, "0.00", "0.00")
    assert receipts[0] == direct.receipt("trip-2")
    direct.sign_in("ben")
    assert direct.http.get("/app/shoppers/ben/receipts").json() == {"receipts": []}


def test_a_receipt_has_exactly_the_agreed_members(direct: Any, a_cart: Any) -> None:
    direct.purchase(a_cart())
    receipt = direct.receipt("trip-1")
    head = ["shoppingTripId", "purchaseId", "storeId", "currency", "status", "payer"]
    assert list(receipt) == [*head, "lines", "subtotal", "promotions", "tax", "total"]
    assert list(receipt["lines"][0]) == ["sku", "name", "quantity", "unit", "unitPrice", "promotion", "tax", "total"]


def test_a_trip_without_purchase_has_no_receipt(direct: Any) -> None:
    answer = direct.operator_get("/ops/receipts/no-such-trip")
    assert (answer.status_code, set(answer.json())) == (404, {"errorMsg"})


def _mint(direct: Any, kind: str) -> str:
    return str(direct.http.get(f"/app/mint/{kind}").json()["identityKey"])


@pytest.mark.parametrize("timestamp", ["2026-02-09T12:00:30Z", "2008-01-01T00:00:00Z"])
@pytest.mark.parametrize(
    ("kind", "status", "type_"),
    [
        ("shopper", 200, "SHOPPER"),
        ("associate", 200, "ASSOCIATE"),
        ("cash_shopper", 200, "CASH_SHOPPER"),
        ("refused", 401, None),
        ("expired", 401, None),
        ("used", 401, None),
        ("unknown", 401, None),
    ],
)
def test_a_minted_key_is_of_its_kind_whatever_the_scans_date(
    direct: Any, a_scan: Any, kind: str, status: int, type_: str | None, timestamp: str
) -> None:
    answer = direct.identify(a_scan(identityKey=_mint(direct, kind), event_timestamp=timestamp))
    assert answer.status_code == status
    assert answer.json().get("visitorDetails", {}).get("type") == type_


def test_each_minted_key_is_fresh(direct: Any, a_scan: Any) -> None:
    for _ in range(3):
        scan = a_scan(identityKey=_mint(direct, "shopper"), event_id=str(uuid4()))
        assert direct.identify(scan).status_code == 200


def test_minted_keys_are_refused_for_their_reasons(direct: Any, a_scan: Any) -> None:
    for kind in ("refused", "expired", "used", "unknown"):
        direct.identify(a_scan(identityKey=_mint(direct, kind), event_id=str(uuid4())))
    reasons = [event["refusal"] for event in direct.events("identity_answered", 4)]
    assert reasons == ["flagged_account", "expired_code", "replayed_code", "unknown_key"]


def test_no_test_keys_unless_the_setting_is_on(start: Callable[..., Any]) -> None:
    assert start().http.get("/app/mint/shopper").status_code == 404


def test_healthz_is_ok(direct: Any) -> None:
    assert direct.http.get("/healthz").json() == {"status": "ok"}


_PAYERS = """
[[shopper]]
id = "olga"
open_balance = "120.00"

[[shopper]]
id = "rene"
payment_method = "tok_declined_at_capture"
"""


def test_minted_keys_of_the_payment_side_show_declines_and_debts(
    start: Callable[..., Any], a_scan: Any, a_cart: Any, tmp_path: Path
) -> None:
    (tmp_path / "payers.toml").write_text(_PAYERS, "utf-8")
    files = [SAMPLE_RETAILER, tmp_path / "payers.toml"]
    direct = start(app_test_keys=True, retailer_files=files, payments={"poll_s": 0.02})

    def enter(kind: str, event: str) -> int:
        return int(direct.identify(a_scan(identityKey=_mint(direct, kind), event_id=event)).status_code)

    assert [enter(kind, str(uuid4())) for kind in ("declined_payment", "in_debt")] == [401, 401]
    later = _mint(direct, "debt_after_trip")
    event = str(uuid4())
    assert enter("debt_after_trip", event) == 200
    cart = a_cart()
    cart["shoppingTrip"]["authEvents"][0] |= {"id": event, "scanResult": {"id": "rene", "type": "SHOPPER"}}
    assert direct.purchase(cart).status_code == 201
    end = time.monotonic() + 5
    while not direct.operator_get("/ops/charges/declined").json()["charges"]:
        assert time.monotonic() < end, "the charge is not declined"
        time.sleep(0.02)
    assert direct.identify(a_scan(identityKey=later, event_id=str(uuid4()))).status_code == 401
    assert enter("debt_after_trip", str(uuid4())) == 200
