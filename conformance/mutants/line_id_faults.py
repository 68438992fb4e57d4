"""Faults of Create Purchases that find only some repeated line ids."""

from __future__ import annotations

from abc import ABC, abstractmethod
from itertools import pairwise
from typing import Any

from conformance.mutants.http_app import Request
from conformance.mutants.registry import CONNECTOR_FAULTS
from conformance.mutants.small_connector import SmallConnector

_fault = CONNECTOR_FAULTS.fault


class _ComparesFewLineIds(SmallConnector, ABC):
    """The base of faults that find only some repeated line ids."""

    left_out = "accepts_a_repeated_line_id"

    def problem_of(self, request: Request) -> str:
        problem = super().problem_of(request)
        return problem or ("repeated" if request.call == "cart" and self.finds_repeated(request.items) else "")

    @abstractmethod
    def finds_repeated(self, lines: list[Any]) -> bool:
        """Say whether a line repeats the id of another one."""


@_fault("CP-X.76")
class compares_neighbouring_line_ids(_ComparesFewLineIds):
    def finds_repeated(self, lines: list[Any]) -> bool:
        ids = [line.get("lineItemId") for line in lines]
        return any(first == second for first, second in pairwise(ids) if first)


@_fault("CP-X.76")
class compares_with_the_first_line_id(_ComparesFewLineIds):
    def finds_repeated(self, lines: list[Any]) -> bool:
        ids = [line.get("lineItemId") for line in lines]
        return bool(ids and ids[0]) and ids[0] in ids[1:]


@_fault("CP-X.76")
class compares_with_the_last_line_id(_ComparesFewLineIds):
    def finds_repeated(self, lines: list[Any]) -> bool:
        ids = [line.get("lineItemId") for line in lines]
        return bool(ids and ids[-1]) and ids[-1] in ids[:-1]


@_fault("CP-X.76")
class compares_line_ids_of_one_item(_ComparesFewLineIds):
    def finds_repeated(self, lines: list[Any]) -> bool:
        keys = [(line.get("id"), line.get("lineItemId")) for line in lines if line.get("lineItemId")]
        return len(keys) != len(set(keys))


@_fault("CP-X.87")
class compares_line_ids_without_case(_ComparesFewLineIds):
    def finds_repeated(self, lines: list[Any]) -> bool:
        ids = [str(line["lineItemId"]).lower() for line in lines if line.get("lineItemId")]
        return len(ids) != len(set(ids))
