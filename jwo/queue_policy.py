"""Adds the resource AWS::SQS::QueuePolicy to moto's CloudFormation, which lacks it.

Importing this module is enough: moto finds its resource types among the subclasses of CloudFormationModel.
"""

from __future__ import annotations

import json
from typing import Any

from moto.core.common_models import CloudFormationModel
from moto.sqs.models import sqs_backends


class QueuePolicy(CloudFormationModel):
    """A queue's policy as a stack resource. It sets the queue's attribute `Policy`."""

    def __init__(self, queues: list[str]) -> None:
        self.queues = queues

    @property
    def physical_resource_id(self) -> str:
        """The id of the resource in the stack."""
        return ",".join(self.queues)

    @staticmethod
    def cloudformation_name_type() -> str:
        """Return an empty name: templates do not name this resource."""
        return ""

    @staticmethod
    def cloudformation_type() -> str:
        """Return the type name that templates use."""
        return "AWS::SQS::QueuePolicy"

    @classmethod
    def create_from_cloudformation_json(
        cls,
        resource_name: str,
        cloudformation_json: dict[str, Any],
        account_id: str,
        region_name: str,
        **_more: Any,  # noqa: ANN401 - moto's signature
    ) -> QueuePolicy:
        """Set the policy on each queue."""
        del resource_name
        properties = cloudformation_json["Properties"]
        names = [url.rsplit("/", 1)[-1] for url in properties["Queues"]]
        policy = json.dumps(properties["PolicyDocument"])
        for name in names:
            sqs_backends[account_id][region_name].set_queue_attributes(name, {"Policy": policy})
        return cls(names)
