"""A non-blocking HTTP/1.1 client on Locust's event loop."""
