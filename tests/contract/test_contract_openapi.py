from __future__ import annotations

from importlib import resources
from typing import Any

import pytest
import yaml
from openapi_spec_validator import OpenAPIV31SpecValidator

from jwo_contract import messages, openapi
from jwo_contract.errors import BrokenContractFile
from jwo_contract.house import House, Identity
from jwo_contract.openapi import Side, load
from jwo_contract.operations import OPERATIONS, Operation

SIDES: dict[str, Side] = {"platform": "connector", "retailer": "platform"}
STATUSES = {
    "verifyIdentityKeys": {"200", "400", "401", "403", "429", "500"},
    "createPurchases": {"201", "400", "403", "409", "429", "500"},
    "authorizeShopper": {"200", "400", "403", "429", "500"},
    "resolveScan": {"200", "400", "403", "429", "500"},
    "getScanDetails": {"200", "400", "403", "404", "429", "500"},
    "uploadCatalog": {"201", "400", "403", "429", "500"},
    "getCatalogUploadStatus": {"200", "400", "403", "429", "500"},
    "archiveCatalog": {"201", "400", "403", "429", "500"},
    "adjustCharge": {"200", "400", "403", "429", "500", "503"},
    "captureCharge": {"200", "400", "403", "429", "500", "503"},
    "cancelCharge": {"200", "400", "403", "429", "500", "503"},
    "refundCharge": {"200", "400", "403", "429", "500", "503"},
    "getTransactionalData": {"200", "400", "403", "429", "500", "503"},
    "reportPaymentStatus": {"200", "400", "403", "429", "500", "503"},
    "checkoutCart": {"201", "400", "403", "429", "500", "503"},
    "getShopperIdentity": {"200", "400", "403", "429", "500", "503"},
    "createDeviceRegistration": {"200", "400", "403", "429", "500", "503"},
    "startAuth": {"200", "400", "403", "429", "500", "503"},
    "processAuth": {"200", "400", "403", "429", "500", "503"},
}


def as_written(side: Side) -> Any:
    return yaml.safe_load((resources.files("jwo_contract") / f"{side}.openapi.yaml").read_text("utf-8"))


def schema_of(part: Any) -> Any:
    return part["content"]["application/json"]["schema"]


@pytest.mark.parametrize("side", SIDES.values())
def test_the_document_is_valid_openapi(side: Side) -> None:
    document = load(side)
    assert list(OpenAPIV31SpecValidator(document).iter_errors()) == []
    assert "$ref" not in repr(document)


@pytest.mark.parametrize("side", SIDES.values())
def test_the_paths_are_the_calls_to_that_side(side: Side) -> None:
    paths = {operation.path for operation in OPERATIONS if SIDES[operation.called_by] == side}
    assert load(side)["paths"].keys() == paths


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_a_call_refers_to_its_own_messages(operation: Operation) -> None:
    call = as_written(SIDES[operation.called_by])["paths"][operation.path]["post"]
    assert call["summary"] == operation.name
    assert schema_of(call["requestBody"]) == {"$ref": f"schemas/{operation.request}.json"}
    assert schema_of(call["responses"][str(operation.success)]) == {"$ref": f"schemas/{operation.response}.json"}
    assert call["responses"].keys() == STATUSES[call["operationId"]]
    for status in call["responses"].keys() - {str(operation.success)}:
        name = "access_denied" if status == "403" else "error"
        assert schema_of(call["responses"][status]) == {"$ref": f"schemas/{name}.json"}


def test_the_loaded_shape_is_the_schema_file() -> None:
    call = load("connector")["paths"]["/v1/identity/identity-keys"]["post"]
    assert schema_of(call["requestBody"]) == messages.self_contained("verify_identity_keys.request")


def test_a_house_rule_reaches_the_document() -> None:
    call = load("connector", House(identity=Identity(locations=("ENTRY", "EXIT"))))
    schema = schema_of(call["paths"]["/v1/identity/identity-keys"]["post"]["requestBody"])
    assert schema["properties"]["authEvent"]["properties"]["location"]["enum"] == ["ENTRY", "EXIT"]


def test_reference_without_a_target_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openapi, "names", list)
    with pytest.raises(BrokenContractFile, match=r"schemas/.*\.json is not one of the schemas"):
        load("platform")
