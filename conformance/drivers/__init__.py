"""How the suite reaches a connector: over HTTP, keeping every exchange."""
