"""The back end of the retailer's mobile app: Scan Key Codes to show at the gate, and receipts to read afterwards."""
