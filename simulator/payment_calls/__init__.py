"""The payment calls of retailers: Adjust, Capture, Cancel and Refund Charge, and Get Transactional Data."""
