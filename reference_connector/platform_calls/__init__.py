"""Signed calls to the platform's APIs: what all clients of them share, and one attempt of a call."""
