"""What several packages share: the console, processes, pacing, SQLite's checkpoints, drawing and XML.

It imports none of the other packages.
"""
