"""Payment orchestrated by the retailer: from the pre-authorisation at the gate to refunds and debts."""
