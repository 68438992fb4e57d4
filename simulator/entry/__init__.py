"""The ways into a store; in this version the retailer's app, shown as a QR code or given as its text."""
