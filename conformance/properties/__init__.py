"""Properties: random requests and visits, drawn from the schemas and shrunk to the smallest one that fails."""
