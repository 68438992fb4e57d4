"""Loads the two OpenAPI documents, and replaces each reference by its schema.

The files have references only, so each message has one definition, in `schemas/`.
"""

from __future__ import annotations

from importlib import resources
from typing import Any, Literal, cast

import yaml

from jwo_contract.errors import BrokenContractFile
from jwo_contract.house import DEFAULT, House
from jwo_contract.messages import names, self_contained
from jwo_contract.references import inline

Side = Literal["connector", "platform"]


def load(side: Side, house: House = DEFAULT) -> dict[str, Any]:
    """Return a side's OpenAPI 3.1 document as a new dict, with every reference replaced by its schema.

    `house` decides the keywords that are house rules. Raises BrokenContractFile if a reference has no target.
    """
    file = resources.files("jwo_contract") / f"{side}.openapi.yaml"
    document = yaml.safe_load(file.read_text("utf-8"))
    return cast("dict[str, Any]", inline(document, lambda reference: _schema(reference, house)))


def _schema(reference: str, house: House) -> dict[str, Any]:
    name = reference.removeprefix("schemas/").removesuffix(".json")
    if reference != f"schemas/{name}.json" or name not in names():
        raise BrokenContractFile(f"{reference} is not one of the schemas")
    return self_contained(name, house)
