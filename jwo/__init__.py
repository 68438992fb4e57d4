"""The command `jwo`. Only this package knows all others; it starts them as processes and calls them over HTTP."""
