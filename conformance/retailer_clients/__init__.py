"""Runs the retailer's own clients against a simulated platform, and judges the payment, checkout and feed clients."""
