"""Own authentication: the retailer's own readers lock a gate, identify the person, and let the person in."""
