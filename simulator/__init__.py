"""The simulated JWO platform: portal, catalog API, gates, carts, delivery; it meets connectors over HTTP only."""
