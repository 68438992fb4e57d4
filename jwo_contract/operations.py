"""The calls of the contract: name, path, caller, messages, and the time limit of an answer."""

from __future__ import annotations

import math
from typing import Literal, NamedTuple, cast

from jwo_contract.gate import ANSWER_WITHIN_S
from jwo_contract.house import House


class Operation(NamedTuple):
    """One call and its data. All calls are POST, with JSON in both directions."""

    name: str
    path: str
    called_by: Literal["platform", "retailer"]
    request: str
    response: str
    success: int
    tier: Literal["core", "entry", "catalog", "outer"] = "core"
    declared_by: str = ""
    """The name in the profile's [tiers] that declares the call; empty if every connector must answer it."""
    budget_setting: str = ""
    """The house setting, as `group.name`, that limits the time of a whole answer; empty if no case judges the time."""
    published_budget_s: float = math.inf
    """The published limit, which a house setting can only make stricter."""

    def answer_budget_s(self, house: House) -> float:
        """Return the time limit of a whole answer in seconds; infinite if no case judges the time."""
        own_s = cast("float", house.value(self.budget_setting)) if self.budget_setting else math.inf
        return min(self.published_budget_s, own_s)


VERIFY_IDENTITY_KEYS = Operation(
    "Verify Identity Keys",
    "/v1/identity/identity-keys",
    "platform",
    "verify_identity_keys.request",
    "verify_identity_keys.response",
    200,
    budget_setting="gate.timeout_s",
    published_budget_s=ANSWER_WITHIN_S,
)
CREATE_PURCHASES = Operation(
    "Create Purchases",
    "/v1/order/purchases",
    "platform",
    "create_purchases.request",
    "create_purchases.response",
    201,
    budget_setting="ordering.answer_budget_s",
)
SHOPPER_AUTHORIZATION = Operation(
    "Shopper Authorization",
    "/v1/fraudandabuse/shopperauthorization",
    "platform",
    "shopper_authorization.request",
    "shopper_authorization.response",
    200,
    "entry",
    budget_setting="shopper_auth.answer_budget_s",
    declared_by="shopper_authorization",
)
RESOLVE_SCAN = Operation(
    "Resolve Scan",
    "/v1/identity/scan",
    "platform",
    "resolve_scan.request",
    "resolve_scan.response",
    200,
    "entry",
    budget_setting="resolve_scan.answer_budget_s",
    declared_by="resolve_scan",
)
GET_SCAN_DETAILS = Operation(
    "Get Scan Details",
    "/v1/identity/scan/details",
    "platform",
    "get_scan_details.request",
    "get_scan_details.response",
    200,
    "entry",
    declared_by="resolve_scan",
)
UPLOAD_CATALOG = Operation(
    "Upload Catalog",
    "/v1/catalog/upload",
    "retailer",
    "upload_catalog.request",
    "upload_catalog.response",
    201,
)
GET_CATALOG_UPLOAD_STATUS = Operation(
    "Get Catalog Upload Status",
    "/v1/catalog/getCatalogUploadStatus",
    "retailer",
    "get_catalog_upload_status.request",
    "get_catalog_upload_status.response",
    200,
)
ARCHIVE_CATALOG = Operation(
    "Archive Catalog",
    "/v1/catalog/archive",
    "retailer",
    "archive_catalog.request",
    "archive_catalog.response",
    201,
    "catalog",
)


def _outer(name: str, path: str, messages: str, success: int = 200, answer: str = "") -> Operation:
    """Return a call of the outer tier, which the retailer makes; `messages` begins the names of its messages."""
    return Operation(name, path, "retailer", f"{messages}.request", answer or f"{messages}.response", success, "outer")


ADJUST_CHARGE = _outer("Adjust Charge", "/v1/adjust/charge", "adjust_charge")
CAPTURE_CHARGE = _outer("Capture Charge", "/v1/capture/charge", "capture_charge", answer="empty.response")
CANCEL_CHARGE = _outer("Cancel Charge", "/v1/cancel/charge", "cancel_charge", answer="empty.response")
REFUND_CHARGE = _outer("Refund Charge", "/v1/refund", "refund_charge")
GET_TRANSACTIONAL_DATA = _outer("Get Transactional Data", "/v1/payment/transactional-data", "get_transactional_data")
REPORT_PAYMENT_STATUS = _outer("Report Payment Status", "/v1/feedback/payment-status", "report_payment_status")
CHECKOUT_CART = _outer("Checkout Cart", "/v1/checkout/carts", "checkout_cart", 201)
GET_SHOPPER_IDENTITY = _outer("Get Shopper Identity", "/v1/identity/shopper", "get_shopper_identity")
CREATE_DEVICE_REGISTRATION = _outer(
    "Create Device Registration", "/auth/v2/createDeviceRegistration", "create_device_registration"
)
START_AUTH = _outer("Start Auth", "/auth/v2/startAuth", "start_auth")
PROCESS_AUTH = _outer("Process Auth", "/auth/v2/processAuth", "process_auth")

OPERATIONS = (
    VERIFY_IDENTITY_KEYS,
    CREATE_PURCHASES,
    SHOPPER_AUTHORIZATION,
    RESOLVE_SCAN,
    GET_SCAN_DETAILS,
    UPLOAD_CATALOG,
    GET_CATALOG_UPLOAD_STATUS,
    ARCHIVE_CATALOG,
    ADJUST_CHARGE,
    CAPTURE_CHARGE,
    CANCEL_CHARGE,
    REFUND_CHARGE,
    GET_TRANSACTIONAL_DATA,
    REPORT_PAYMENT_STATUS,
    CHECKOUT_CART,
    GET_SHOPPER_IDENTITY,
    CREATE_DEVICE_REGISTRATION,
    START_AUTH,
    PROCESS_AUTH,
)


def operation_named(name: str) -> Operation | None:
    """Return the operation of a name, in the spelling of the register's `api`; None if there is no such call."""
    return next((operation for operation in OPERATIONS if operation.name == name), None)
