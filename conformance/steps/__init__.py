"""The words of the feature files; loaded as pytest plugins. Steps hand values on, they share no context to write in."""
