"""What several packages share: processes, pacing, SQLite's checkpoints, drawing and XML.

It imports none of the other packages.
"""
