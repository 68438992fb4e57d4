"""The catalog API: uploads, their ingestion, the report and the notification."""
