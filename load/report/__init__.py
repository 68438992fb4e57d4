"""The reports of a run: load.json, load.html, junit.xml and the table on the terminal. It does not import Locust."""

from load.report.json_schema import schema

__all__ = ["schema"]
