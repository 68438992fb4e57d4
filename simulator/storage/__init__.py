"""The platform's SQLite files: all tables, all statements, and the records of their rows."""
