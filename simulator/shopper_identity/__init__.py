"""Get Shopper Identity: the e-mail addresses of shoppers, for receipts."""
