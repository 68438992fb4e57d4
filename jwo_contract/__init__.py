"""The wire contract as data and types. It imports none of the packages that use it."""
