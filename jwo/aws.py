"""Deploys the retailer's stack in the simulated AWS of `jwo aws`, with the ordinary boto3 calls."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import boto3
from botocore.config import Config

from contract.sigv4 import Key
from jwo.errors import Broken

REGION = "us-east-1"
STACK = "jwo-catalog-results"
_TEMPLATES = (
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


def deploy_results_queue(aws_url: str, topic_arn: str) -> Deployed:
    """Deploy the retailer's stack with CloudFormation and assume its role. Raises Broken if the policy is wrong."""
    session = boto3.Session("retailer", "retailer", region_name=REGION)
    cloudformation = session.client("cloudformation", endpoint_url=aws_url, config=_QUICK)
    template = next(folder for folder in _TEMPLATES if folder.is_dir()) / "catalog_results_queue.yaml"
    cloudformation.create_stack(
        StackName=STACK,
        TemplateBody=template.read_text("utf-8"),
        Parameters=[{"ParameterKey": "TopicArn", "ParameterValue": topic_arn}],
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    cloudformation.get_waiter("stack_create_complete").wait(
        StackName=STACK, WaiterConfig={"Delay": 1, "MaxAttempts": 20}
    )
    stack = cloudformation.describe_stacks(StackName=STACK)["Stacks"][0]
    outputs = {entry["OutputKey"]: entry["OutputValue"] for entry in stack.get("Outputs", [])}
    sqs = session.client("sqs", endpoint_url=aws_url, config=_QUICK)
    queue_url = f"{aws_url}/{outputs['QueueArn'].split(':')[4]}/{outputs['QueueArn'].split(':')[5]}"
    attributes = sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["Policy"])["Attributes"]
    if topic_arn not in attributes.get("Policy", ""):
        raise Broken("the queue's policy does not allow the platform's SNS topic to send")
    credentials = session.client("sts", endpoint_url=aws_url, config=_QUICK).assume_role(
        RoleArn=outputs["RoleArn"], RoleSessionName="jwo-catalog-client"
    )["Credentials"]
    key = Key(credentials["AccessKeyId"], credentials["SecretAccessKey"], credentials["SessionToken"])
    return Deployed(queue_url, outputs["QueueArn"], outputs["QueueArn"].split(":")[4], key)
