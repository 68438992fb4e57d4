"""The scenarios of every feature file, as tests that pytest collects."""

from __future__ import annotations

from pytest_bdd import scenarios

from conformance.catalogue import FEATURES

scenarios(str(FEATURES))
