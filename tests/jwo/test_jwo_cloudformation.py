"""The CloudFormation templates: cfn-lint accepts them, and their stacks work against a simulated AWS and platform."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

import jwo.queue_policy  # noqa: F401 - the import adds a resource to moto
from jwo.aws import CONNECTIVITY_TEMPLATE, QUEUE_TEMPLATE, REGION, RetailerAws, template_file
from jwo.demo.connectivity import run_caller
from jwo_contract.operations import ARCHIVE_CATALOG, GET_CATALOG_UPLOAD_STATUS, UPLOAD_CATALOG
from jwo_contract.sigv4 import verify

TEMPLATES = sorted(template_file(QUEUE_TEMPLATE).parent.glob("*.yaml"))
TOPIC = "arn:aws:sns:us-east-1:123456789012:jwo-catalog-notifications"


@pytest.fixture(scope="module")
def aws_url() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(scope="module")
def retailer(aws_url: str) -> RetailerAws:
    return RetailerAws(aws_url)


@pytest.mark.slow
@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.stem)
def test_cfn_lint_accepts_the_template(template: Path) -> None:
    import cfnlint.api  # noqa: PLC0415 - it takes long, and each process of a parallel run imports this module
    from cfnlint.config import ManualArgs  # noqa: PLC0415 - as above

    assert cfnlint.api.lint(template.read_text("utf-8"), config=ManualArgs(regions=[REGION])) == []


def test_each_kind_of_template_is_there() -> None:
    assert {path.stem for path in TEMPLATES} == {"ConnectivityTestTemplate", "ConnectorTemplate", "SQSSetupTemplate"}


def read(template: Path) -> dict[str, Any]:
    import cfnlint.decode  # noqa: PLC0415 - it takes long, and each process of a parallel run imports this module

    text, problems = cfnlint.decode.decode(str(template))
    assert problems == []
    return text


def policies(template: Path) -> dict[str, list[str]]:
    """Return what each inline role policy of a template allows to call."""
    text = read(template)
    found: dict[str, list[str]] = {}
    for resource in text["Resources"].values():
        own = resource.get("Properties", {})
        for policy in [*own.get("Policies", []), *([own] if "PolicyName" in own else [])]:
            for statement in policy["PolicyDocument"]["Statement"]:
                wanted = statement["Resource"]
                found[policy["PolicyName"]] = wanted if isinstance(wanted, list) else [wanted]
    return found


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.stem)
def test_no_role_may_call_everything(template: Path) -> None:
    for allowed in policies(template).values():
        assert "*" not in allowed


def test_connector_template_authorizes_both_core_calls_and_has_alarms() -> None:
    text = read(template_file("ConnectorTemplate"))
    resources = list(text["Resources"].values())
    methods = [one["Properties"] for one in resources if one["Type"] == "AWS::ApiGateway::Method"]
    alarms = [one["Properties"] for one in resources if one["Type"] == "AWS::CloudWatch::Alarm"]
    assert {method["AuthorizationType"] for method in methods} == {"AWS_IAM"}
    assert len(methods) == 2
    watched = {(alarm["MetricName"], alarm["Dimensions"][2]["Value"]) for alarm in alarms}
    paths = ("/v1/identity/identity-keys", "/v1/order/purchases")
    assert watched == {(metric, path) for metric in ("Latency", "5XXError") for path in paths}


def test_catalog_role_may_make_the_two_catalog_calls(aws_url: str, retailer: RetailerAws) -> None:
    deployed = retailer.deploy_results_queue(TOPIC)
    iam = boto3.client(
        "iam", endpoint_url=aws_url, region_name=REGION, aws_access_key_id="r", aws_secret_access_key="r"
    )
    found: Any = iam.get_role_policy(RoleName="jwo-catalog-caller", PolicyName="invoke-catalog-api")["PolicyDocument"]
    document = ast.literal_eval(found) if isinstance(found, str) else found  # moto's answer is the text of a dict
    paths = [arn.partition("/POST")[2] for arn in document["Statement"][0]["Resource"]]
    assert paths == [UPLOAD_CATALOG.path, GET_CATALOG_UPLOAD_STATUS.path]
    assert ARCHIVE_CATALOG.path not in str(document)
    assert deployed.queue_arn == "arn:aws:sqs:us-east-1:123456789012:jwo-catalog-results"
    assert deployed.key.session_token


def test_deployed_caller_signs_its_call_with_its_role(retailer: RetailerAws, serve: Callable[[Any], str]) -> None:
    seen: list[dict[str, Any]] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            for kind in ("startup", "shutdown"):
                await receive()
                await send({"type": f"lifespan.{kind}.complete"})
            return
        body = (await receive())["body"]
        seen.append({**scope, "body": body})
        status = 403 if len(seen) > 1 else 200
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": b'{"connectivityStatus": "Success"}'})

    caller = retailer.deploy_connectivity_test(serve(app))
    assert run_caller(caller) == {"status": 200, "body": {"connectivityStatus": "Success"}}
    assert run_caller(caller)["status"] == 403
    headers = {name.decode(): value.decode() for name, value in seen[0]["headers"]}
    found = verify(
        "POST",
        seen[0]["path"],
        headers,
        seen[0]["body"],
        find_key=lambda key_id: caller.key if key_id == caller.key.access_key_id else None,
        region=REGION,
        now=datetime.now(UTC),
    )
    assert found == caller.key
    assert policies(template_file(CONNECTIVITY_TEMPLATE))["invoke-connectivity-test"] != ["*"]
