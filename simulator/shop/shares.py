"""The settings of a store day: which share of the visits is of which kind."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class Shares(BaseModel):
    """The shares of a day, from 0 to 1. A share has no effect if the day has no means for it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    card: Share = Field(default=0.25, description="Visits by card.")
    palm: Share = Field(default=0.0, description="Visits by palm. Amazon One left the stores in June 2026.")
    badge: Share = Field(default=0.03, description="Visits by badge.")
    loyalty: Share = Field(default=0.03, description="Visits in which a loyalty card opens the gate.")
    associate: Share = Field(default=0.04, description="App visits by associates, who leave without a cart.")
    cash: Share = Field(default=0.03, description="App visits by shoppers that pay with cash.")
    stranger: Share = Field(default=0.01, description="App visits with a key that no connector knows.")
    story: Share = Field(default=0.3, description="Card visits with a card of known debts, risks or overrides.")
    loyalty_inside: Share = Field(default=0.06, description="Visits in which a shopper inside shows a loyalty card.")
    group: Share = Field(default=0.06, description="Visits of groups of 2 to 5 people on one means of entry.")
    group_events: Share = Field(
        default=0.5, description="Groups with one event for each person; the others have one entry for all."
    )
    returns: Share = Field(default=0.04, description="Visits in which the shopper hands goods back at the exit.")
    reentry: Share = Field(default=0.05, description="Visits of shoppers that have left the store and come again.")

    @model_validator(mode="after")
    def _fit_into_one(self) -> Self:
        for names in (("card", "palm", "badge", "loyalty"), ("associate", "cash", "stranger")):
            if sum(getattr(self, name) for name in names) > 1:
                raise ValueError(f"the shares {', '.join(names)} are together more than 1; make them smaller")
        return self


ALONE = Shares(badge=0, loyalty=0, associate=0, cash=0, story=0, loyalty_inside=0, group=0, returns=0, reentry=0)
"""Shoppers with the app or a card, one by one."""
