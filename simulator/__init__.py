"""The simulated JWO platform: portal, catalog API, gates, carts and delivery. It calls connectors over HTTP only."""

from jwo_toolkit.extras import require

require("the simulated platform", "platform")
