"""The intra-day files: order data in S3 at a fixed cadence, announced through SNS."""
