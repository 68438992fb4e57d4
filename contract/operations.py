"""The calls of the contract: name, path, who calls whom, and the messages that travel."""

from __future__ import annotations

from typing import Literal, NamedTuple


class Operation(NamedTuple):
    """One call; all of them are POST with JSON both ways."""

    name: str
    path: str
    called_by: Literal["platform", "retailer"]
    request: str
    response: str
    success: int
    tier: Literal["core", "entry", "catalog"] = "core"


VERIFY_IDENTITY_KEYS = Operation(
    "Verify Identity Keys",
    "/v1/identity/identity-keys",
    "platform",
    "verify_identity_keys.request",
    "verify_identity_keys.response",
    200,
)
CREATE_PURCHASES = Operation(
    "Create Purchases",
    "/v1/order/purchases",
    "platform",
    "create_purchases.request",
    "create_purchases.response",
    201,
)
SHOPPER_AUTHORIZATION = Operation(
    "Shopper Authorization",
    "/v1/fraudandabuse/shopperauthorization",
    "platform",
    "shopper_authorization.request",
    "shopper_authorization.response",
    200,
    "entry",
)
RESOLVE_SCAN = Operation(
    "Resolve Scan",
    "/v1/identity/scan",
    "platform",
    "resolve_scan.request",
    "resolve_scan.response",
    200,
    "entry",
)
GET_SCAN_DETAILS = Operation(
    "Get Scan Details",
    "/v1/identity/scan/details",
    "platform",
    "get_scan_details.request",
    "get_scan_details.response",
    200,
    "entry",
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

OPERATIONS = (
    VERIFY_IDENTITY_KEYS,
    CREATE_PURCHASES,
    SHOPPER_AUTHORIZATION,
    RESOLVE_SCAN,
    GET_SCAN_DETAILS,
    UPLOAD_CATALOG,
    GET_CATALOG_UPLOAD_STATUS,
    ARCHIVE_CATALOG,
)
