"""The Locust users of this room: a scenario is one of their subclasses."""
