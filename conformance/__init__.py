"""The suite that certifies any connector over HTTP. It reads raw JSON and shares no message types with a connector."""
