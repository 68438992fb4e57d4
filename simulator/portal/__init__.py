"""The Merchant Portal: stores and accounts, their connections, users, and the steps of onboarding."""
