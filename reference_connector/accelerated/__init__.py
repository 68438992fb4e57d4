"""Parts that exist for speed alone: each one has a plain form elsewhere, and gives the same results in less time."""

from __future__ import annotations

from reference_connector.accelerated.checkpoints import ThreadedCheckpoints
from reference_connector.accelerated.exact_reader import ExactReader
from reference_connector.accelerated.instants import is_before
from reference_connector.accelerated.metrics import TurnWatch
from reference_connector.accelerated.price_index import PriceIndexes
from reference_connector.accelerated.waiter import DirectWaiter
from reference_connector.parts import Parts
from reference_connector.sales import PriceCart


def _new_price_cart() -> PriceCart:
    return PriceIndexes().price_cart


PARTS = Parts(
    reader=ExactReader,
    watch=TurnWatch,
    new_waiter=DirectWaiter,
    new_checkpoints=ThreadedCheckpoints,
    new_price_cart=_new_price_cart,
    instant_is_before=is_before,
)
