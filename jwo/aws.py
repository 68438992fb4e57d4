"""Deploys the retailer's stacks in the simulated AWS of `jwo aws`, with the ordinary boto3 calls."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import boto3
import yaml
from botocore.config import Config

from jwo.errors import Broken
from jwo_contract.sigv4 import Key

REGION = "us-east-1"
QUEUE_TEMPLATE = "SQSSetupTemplate"
"""The name of Amazon's own template for the queue."""
CONNECTIVITY_TEMPLATE = "ConnectivityTestTemplate"
_FOLDERS = (
    Path(__file__).resolve().parent / "cloudformation",
    Path(__file__).resolve().parent.parent / "deploy" / "cloudformation",
)
_QUICK = Config(retries={"max_attempts": 2}, connect_timeout=5, read_timeout=20)


class Deployed(NamedTuple):
    """The queue that the retailer's stack created, and temporary credentials of its calling role."""

    queue_url: str
    queue_arn: str
    account_id: str
    key: Key


class Queue(NamedTuple):
    """A queue of the retailer."""

    url: str
    arn: str


class DeployedCaller(NamedTuple):
    """The function of the connectivity test as it is deployed, and temporary credentials of its role."""

    code: str
    handler: str
    variables: dict[str, str]
    key: Key


class RetailerAws:
    """The retailer's account in a simulated AWS: deploys stacks, and assumes their roles."""

    def __init__(self, aws_url: str) -> None:
        self._url = aws_url
        self._session = boto3.Session("retailer", "retailer", region_name=REGION)
        self._cloudformation = self._session.client("cloudformation", endpoint_url=aws_url, config=_QUICK)

    def deploy_results_queue(self, topic_arn: str) -> Deployed:
        """Deploy queue, policy and calling role, and assume the role. Raises Broken if the policy is wrong."""
        outputs = self._deploy(QUEUE_TEMPLATE, {"TopicArn": topic_arn})
        sqs = self._session.client("sqs", endpoint_url=self._url, config=_QUICK)
        owner, name = outputs["QueueArn"].split(":")[4:6]
        queue_url = f"{self._url}/{owner}/{name}"
        attributes = sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["Policy"])["Attributes"]
        if topic_arn not in attributes.get("Policy", ""):
            raise Broken("the queue's policy does not allow the platform's SNS topic to send")
        return Deployed(queue_url, outputs["QueueArn"], owner, self._assume(outputs["RoleArn"], "jwo-catalog-client"))

    def make_queue(self, name: str) -> Queue:
        """Make a queue without a stack, such as that of the event feed."""
        sqs = self._session.client("sqs", endpoint_url=self._url, config=_QUICK)
        sqs.create_queue(QueueName=name)
        address = sqs.get_queue_url(QueueName=name)["QueueUrl"]
        attributes = sqs.get_queue_attributes(QueueUrl=address, AttributeNames=["QueueArn"])["Attributes"]
        arn = attributes["QueueArn"]
        return Queue(f"{self._url}/{arn.split(':')[4]}/{name}", arn)

    def count_messages(self, queue: Queue) -> int:
        """Return how many messages of a queue are not deleted."""
        sqs = self._session.client("sqs", endpoint_url=self._url, config=_QUICK)
        names: list[Any] = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        found = sqs.get_queue_attributes(QueueUrl=queue.url, AttributeNames=names)["Attributes"]
        return sum(map(int, found.values()))

    def deploy_connectivity_test(self, endpoint: str) -> DeployedCaller:
        """Deploy the caller of the connectivity test for a platform's address, and assume its role."""
        outputs = self._deploy(CONNECTIVITY_TEMPLATE, {"Endpoint": endpoint})
        functions = self._session.client("lambda", endpoint_url=self._url, config=_QUICK)
        function = functions.get_function(FunctionName=outputs["FunctionName"])["Configuration"]
        body = self._cloudformation.get_template(StackName=stack_name(CONNECTIVITY_TEMPLATE))["TemplateBody"]
        return DeployedCaller(
            code=_resource(str(body), "AWS::Lambda::Function")["Code"]["ZipFile"],
            handler=function["Handler"].partition(".")[2],
            variables=function["Environment"]["Variables"],
            key=self._assume(outputs["RoleArn"], "jwo-connectivity-test"),
        )

    def _deploy(self, template: str, parameters: Mapping[str, str]) -> dict[str, str]:
        """Deploy a template as a stack, and return the outputs."""
        name = stack_name(template)
        self._cloudformation.create_stack(
            StackName=name,
            TemplateBody=template_file(template).read_text("utf-8"),
            Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
            Capabilities=["CAPABILITY_NAMED_IAM"],
        )
        self._cloudformation.get_waiter("stack_create_complete").wait(
            StackName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 20}
        )
        stack = self._cloudformation.describe_stacks(StackName=name)["Stacks"][0]
        return {entry["OutputKey"]: entry["OutputValue"] for entry in stack.get("Outputs", [])}

    def _assume(self, role_arn: str, session_name: str) -> Key:
        sts = self._session.client("sts", endpoint_url=self._url, config=_QUICK)
        credentials = sts.assume_role(RoleArn=role_arn, RoleSessionName=session_name)["Credentials"]
        return Key(credentials["AccessKeyId"], credentials["SecretAccessKey"], credentials["SessionToken"])


def template_file(name: str) -> Path:
    """Return the file of a CloudFormation template."""
    return next(folder for folder in _FOLDERS if folder.is_dir()) / f"{name}.yaml"


def stack_name(template: str) -> str:
    """Return the name of a template's stack."""
    return f"jwo-{template}"


class _TemplateLoader(yaml.SafeLoader):
    """Reads a template; a function such as !Sub becomes None."""


_TemplateLoader.add_multi_constructor("!", lambda *_call: None)


def _resource(template: str, kind: str) -> dict[str, Any]:
    """Return the properties of a template's first resource of a type."""
    resources = yaml.load(template, _TemplateLoader)["Resources"]  # noqa: S506 - a loader that extends the safe one
    found: dict[str, Any] = next(one["Properties"] for one in resources.values() if one["Type"] == kind)
    return found
