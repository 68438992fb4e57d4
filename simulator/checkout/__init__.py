"""Checkout Cart: the retailer hands over a priced cart, and the platform checks its totals and charges the shopper."""
