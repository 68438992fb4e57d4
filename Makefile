# Everything a fresh clone needs is set up here: python3 (3.11+, with venv) and make are enough.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
# more test processes than cores: much of the tests' time is waiting for answers that are late on purpose
WORKERS ?= 4
PARALLEL := -n $(WORKERS) --dist loadfile --no-loadscope-reorder
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --no-compile
# bytecode of packages, from all cores at once; some packages hold templates that are no Python
COMPILE := $(BIN)/python -m compileall -qq -j 0 $(VENV)/lib || true
# without bytecode on the disk, each process of a test run would compile the tests again
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help certify test test-slow test-all test-browser bench bench-full crash mutants bench-load bench-platform bench-schemathesis lint clean

help:
	@echo "make certify   prove the reference connector against the simulated platform (the main job)"
	@echo "make test      our own tests, without the slow ones (four minutes)"
	@echo "make test-slow the slow tests, and those that need the machine for themselves"
	@echo "make test-all  both in one run, which is shorter; .ci/run runs this"
	@echo "make test-browser   the phone page in a real Chromium, which must be on the path"
	@echo "make bench     the connector's speed, in pairs; make crash kills it while carts come in, and counts"
	@echo "make bench-full  the same with 1,000,000 requests for memory and 10,000,000 stored trips for growth"
	@echo "make mutants   prove every check against a connector that is broken in just that way"
	@echo "make bench-platform  the simulated platform measured, and killed: gates, uploads, a day (fifteen minutes)"
	@echo "make bench-load  the load generator measured: stalls, throughput, verdicts (twelve minutes)"
	@echo "make bench-schemathesis  the faulty connectors that a general fuzzer finds, beside ours (fifteen minutes)"
	@echo "make lint      ruff, mypy strict, import contracts"

certify: $(VENV)/.installed
	@$(BIN)/jwo certify

test: $(VENV)/.installed-dev
	@$(BIN)/python -m pytest $(PARALLEL) -m "not browser and not slow and not alone"

test-slow: $(VENV)/.installed-dev
	@$(BIN)/python -m pytest $(PARALLEL) -m "slow and not alone"
	@$(BIN)/python -m pytest -m alone

test-all: $(VENV)/.installed-dev
	@$(BIN)/python -m pytest $(PARALLEL) -m "not browser and not alone"
	@$(BIN)/python -m pytest -m alone

test-browser: $(VENV)/.installed-dev
	@$(BIN)/python -m pytest -m browser

mutants: $(VENV)/.installed-dev
	@$(BIN)/python -m conformance.mutants

bench-load: $(VENV)/.installed-dev
	@$(BIN)/python benchmarks/bench_load.py

bench-platform: $(VENV)/.installed-dev
	@$(BIN)/python benchmarks/bench_platform.py
	@$(BIN)/python benchmarks/platform_crash.py

bench-schemathesis: $(VENV)/.installed-dev
	@$(BIN)/python benchmarks/bench_schemathesis.py

bench: $(VENV)/.installed-dev
	@$(BIN)/python benchmarks/bench_connector.py

bench-full: $(VENV)/.installed-dev
	@$(BIN)/python benchmarks/bench_connector.py --full

crash: $(VENV)/.installed-dev
	@$(BIN)/python benchmarks/crash_driver.py

lint: $(VENV)/.installed-dev
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

clean:
	rm -rf $(VENV)

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "jwo needs Python 3.11 or newer; say which with: make PYTHON=/path/to/python3")'
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml constraints.txt $(VENV)/bin/python
	@echo "installing the pinned dependencies into $(VENV) (once)"
	@$(INSTALL) --editable .
	@$(COMPILE)
	@touch $@

$(VENV)/.installed-dev: pyproject.toml constraints.txt $(VENV)/bin/python
	@echo "installing the pinned dependencies, test and lint tools into $(VENV) (once)"
	@$(INSTALL) --editable '.[dev,load]'
	@$(COMPILE)
	@touch $(VENV)/.installed $@
