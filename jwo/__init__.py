"""The command `jwo`. Only this package imports all others; it starts them as processes and calls them over HTTP."""
