"""The pages in the order of the navigation; a page adds its row, its template and its script."""

from __future__ import annotations

from typing import NamedTuple

PREFIX = "/ui"


class Page(NamedTuple):
    """One page: its path below the prefix, its name in the navigation, its icon, and its one-sentence purpose.

    The template is `templates/NAME.html`, and the script is `static/js/pages/NAME.js`.
    """

    name: str
    path: str
    title: str
    icon: str
    purpose: str


PAGES = (
    Page("floor", "/", "Floor", "gate", "Stores and gates as they work: scan, shop and walk out."),
    Page("wire", "/wire", "Wire", "wire", "Each exchange as it happens: bodies, time, and the rules that it touches."),
    Page("trips", "/trips", "Trips", "cart", "Carts as they fill, the attempts to deliver them, and the purchases."),
    Page(
        "connectors",
        "/connectors",
        "Connectors",
        "plug",
        "The stores of the portal: their connectors, connectivity tests, accounts and users.",
    ),
    Page(
        "catalog",
        "/catalog",
        "Catalog",
        "catalog",
        "Upload a file, follow its ingestion, see why rows are rejected, and search the items.",
    ),
    Page(
        "faults",
        "/faults",
        "Faults",
        "fault",
        "Failures on purpose: arm one, and watch what the gate and your connector do.",
    ),
    Page("clock", "/clock", "Clock", "clock", "The platform's time: stop it, run it faster, or move it forward."),
    Page(
        "certify",
        "/certify",
        "Certify",
        "certify",
        "Run the conformance suite against a store's connector, and see which rules it meets.",
    ),
    Page(
        "load",
        "/load",
        "Load",
        "load",
        "Send many requests to a store's connector, and see whether each answer is in time.",
    ),
)
