"""The steps of the feature files, loaded as pytest plugins. Steps pass values on as fixtures; no context is shared."""
