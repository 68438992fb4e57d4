"""The simulated JWO platform: portal, catalog API, gates, carts and delivery. It calls connectors over HTTP only."""
