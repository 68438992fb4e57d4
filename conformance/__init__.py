"""The suite that certifies any connector over HTTP; it reads raw JSON and shares no message types with anybody."""
