"""A complete retailer's connector: identity at the gate, purchases after the visit, the catalog's upload."""

from jwo_toolkit.extras import require

require("the reference connector", "connector")
