"""Properties: requests and visits that nobody thought of, drawn from the schemas and shrunk to the least that fails."""
