"""Helpers that the packages share: processes, pacing, the console, drawing and XML. It imports none of the packages."""
