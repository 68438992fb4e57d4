"""How requests leave and answers come back: non-blocking HTTP/1.1 on the event loop that Locust runs on."""
