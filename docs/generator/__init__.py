"""Builds the site of the documentation: the pages in `docs/`, and a reference that it generates from the code."""
