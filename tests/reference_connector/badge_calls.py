"""Calls about badges, as an operator and a reader make them, and retailer files with more rows."""

from __future__ import annotations

from itertools import count
from pathlib import Path
from typing import Any
from uuid import uuid4

from jwo_contract.scan_key import to_identity_key
from reference_connector.settings import SAMPLE_RETAILER

SAMPLE_CODE = "JWOIMAG18bc0554d045a48b29afa9e2aaac14ae"
_numbers = count(1)


def show(connector: Any, a_scan: Any, badge: str, **members: Any) -> tuple[int, Any]:
    """Show a badge at its reader, as a new event; return the status and the visitor."""
    scan = {"event_id": str(uuid4()), "keyChannel": "CONTACT"} | members
    answer = connector.identify(a_scan(identityKey=to_identity_key(badge), **scan))
    return answer.status_code, answer.json().get("visitorDetails")


def issue(connector: Any, badge: str, owner: str = "ada", **members: Any) -> Any:
    return connector.operator_post("/ops/badges", json={"id": badge, "owner": owner} | members)


def change(connector: Any, what: str, badge: str) -> Any:
    return connector.operator_post(f"/ops/badges/{what}", json={"id": badge})


def with_rows(tmp_path: Path, *rows: str) -> tuple[Path, ...]:
    """Write rows to a file that is read beside the sample's."""
    file = tmp_path / f"badges-{next(_numbers)}.toml"
    file.write_text("\n".join(rows), "utf-8")
    return SAMPLE_RETAILER, file
