"""The reconciliation of a day: what carts, charges, files, events and the connector say about orders and money."""
