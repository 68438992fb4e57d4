"""Loads the modules and features that every worker needs. The process that forks workers imports it once."""

from __future__ import annotations

import gc
import importlib

from conformance.catalogue import scenario_entries
from conformance.properties.search import warm_up
from conformance.run.bridge import STEPS

for _name in STEPS:
    importlib.import_module(f"conformance.steps.{_name}")
scenario_entries()
warm_up()
gc.collect()
gc.freeze()  # each worker's pytest collects garbage when it ends, and need not walk over what was read here
