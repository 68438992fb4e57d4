"""Binds every feature file; pytest collects the scenarios from here."""

from __future__ import annotations

from pytest_bdd import scenarios

from conformance.catalogue import FEATURES

scenarios(str(FEATURES))
