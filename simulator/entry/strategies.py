"""The names of the Fraud and Abuse strategies of a store."""

from __future__ import annotations

from typing import Literal, get_args

Strategy = Literal["amazon_managed", "amazon_recommendation", "retailer_managed", "none"]
STRATEGIES: tuple[Strategy, ...] = get_args(Strategy)
