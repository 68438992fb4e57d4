"""The platform's SQLite files: all tables, all statements, and the records that rows are read into."""
