"""The catalog API: uploads, their ingestion, the reports and the notifications."""
