"""The ways into a store: the app's code, a badge, a card, a palm; and the loyalty scan of a shopper inside."""
