"""The HTTP driver of the suite: it calls a connector and keeps every exchange."""
