"""All faults: importing their modules registers them. `GALLERY` holds connectors, `CLIENTS` clients."""

from __future__ import annotations

from conformance.mutants import (
    answer_faults,
    authentication_faults,
    badge_faults,
    cart_faults,
    catalog_client_faults,
    checkout_client_faults,
    cross_talk_faults,
    debt_faults,
    delivery_faults,
    entry_tier_faults,
    event_faults,
    feed_consumer_faults,
    form_faults,
    goods_faults,
    identity_faults,
    key_faults,
    lenient_faults,
    line_id_faults,
    memory_faults,
    payment_client_faults,
    privacy_faults,
    purchase_faults,
    scan_faults,
    strict_faults,
    transport_faults,
    trip_faults,
    whole_run_faults,
)
from conformance.mutants.registry import (
    CHECKOUT_FAULTS,
    CLIENT_FAULTS,
    CONFORMANT_ODDITIES,
    CONNECTOR_FAULTS,
    FEED_FAULTS,
    PAYMENT_FAULTS,
)
from conformance.mutants.small_connector import STORES, SmallConnector

MODULES = (
    lenient_faults,
    strict_faults,
    scan_faults,
    key_faults,
    event_faults,
    identity_faults,
    badge_faults,
    debt_faults,
    purchase_faults,
    cart_faults,
    line_id_faults,
    goods_faults,
    trip_faults,
    memory_faults,
    cross_talk_faults,
    delivery_faults,
    privacy_faults,
    entry_tier_faults,
    form_faults,
    transport_faults,
    whole_run_faults,
    answer_faults,
    authentication_faults,
    catalog_client_faults,
    payment_client_faults,
    checkout_client_faults,
    feed_consumer_faults,
)
"""The modules of faults, each for one kind of fault."""
RATE_LIMIT = 5
"""The rate limit, in calls per second, of the connectors that limit their rate."""
GALLERY = CONNECTOR_FAULTS.faults
CLIENTS = (*CLIENT_FAULTS.faults, *PAYMENT_FAULTS.faults, *CHECKOUT_FAULTS.faults, *FEED_FAULTS.faults)
CONFORMANT = CONFORMANT_ODDITIES.faults
"""Odd but correct connectors, each with the ids that look closest; the suite must not find a fault in them."""
_ODD = {each.name for each in CONFORMANT}


def connector_with(
    fault: str = "", stores: tuple[str, ...] = STORES, rate_limit_per_second: int | None = None
) -> SmallConnector:
    """Return the small connector with a fault or an oddity, or the correct one. The default rate limit is the fault's.

    Raises BadFault if there is no such fault.
    """
    registry = CONFORMANT_ODDITIES if fault in _ODD else CONNECTOR_FAULTS
    own_limit = registry.named(fault).rate_limit_per_second if fault else 0
    return registry.class_of(fault)(stores, own_limit if rate_limit_per_second is None else rate_limit_per_second)
