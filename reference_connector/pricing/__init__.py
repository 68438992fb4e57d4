"""Charge calculation: pure functions from a cart to a receipt. Amounts are Decimal, halves round up."""
