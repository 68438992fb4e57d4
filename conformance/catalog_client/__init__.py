"""Runs the retailer's own catalog client against a simulated platform and judges it by the calls that arrive there."""
