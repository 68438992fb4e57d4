"""The reports of a run: load.json, load.html, junit.xml and the table on the terminal. It does not import Locust."""
