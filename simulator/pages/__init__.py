"""The web pages of the platform: a client of the control API, the portal API and the event stream, without logic."""
