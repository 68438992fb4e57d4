"""Prepares a release of this kit on this machine: `make release VERSION=0.2.0`."""
