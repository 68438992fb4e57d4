"""The front door: the command `jwo`. Only it knows all rooms; it starts them as processes and calls them over HTTP."""
