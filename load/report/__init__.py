"""What a run leaves behind: load.json, load.html, junit.xml and the table on the terminal. Knows nothing of Locust."""
