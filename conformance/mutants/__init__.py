"""The gallery: connectors with one fault each, named by the fault. They prove that each check can fail."""
