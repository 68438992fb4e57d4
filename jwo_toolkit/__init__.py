"""Helpers that several packages share: processes, pacing, the console, SQLite checkpoints, drawing and XML.

It imports none of the other packages.
"""
