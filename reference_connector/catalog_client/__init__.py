"""The retailer's catalog client: uploads rows, confirms the subscription, waits for results, fetches the reports."""
