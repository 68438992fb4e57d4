# Each target installs what it needs into .venv: a fresh clone needs only make and python3 (3.11+, with venv).
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
# more processes than cores, since many tests wait for answers that are late on purpose
WORKERS ?= 6
PARALLEL := -n $(WORKERS) --dist loadfile --no-loadscope-reorder
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --no-compile
# REPORTS names a folder for a JUnit file of each run of pytest, DIST one for the built sdist and wheel
JUNIT   = $(if $(REPORTS),--junit-xml=$(REPORTS)/$@.xml)
# bytecode of packages, from all cores at once, without large ones that a few tests or only lint import: these compile
# what they import; some packages hold templates that are no Python
COMPILE := $(BIN)/python -m compileall -qq -j 0 -x '/site-packages/(sympy|mpmath|networkx|mypy|mypyc|cfnlint)/' $(VENV)/lib || true
# without bytecode on the disk, each process of a test run would compile the tests again
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help certify test test-slow test-all test-shared test-alone test-browser test-bytecode bench bench-full crash reconcile mutants bench-load bench-platform bench-certify bench-schemathesis wheel release lint docs docs-serve clean

help:
	@echo "make certify   certify the reference connector against the simulated platform (the main job)"
	@echo "make test      run the kit's own tests, without the slow ones (five minutes)"
	@echo "make test-slow run the slow tests, then the tests that need the whole machine"
	@echo "make test-all  run both in one run, which is shorter; .ci/run uses it"
	@echo "make test-browser   test the phone page in Chromium, which must be on the PATH"
	@echo "make bench     measure the connector's speed in pairs of runs"
	@echo "make crash     kill the connector while carts arrive, and count lost purchases"
	@echo "make reconcile run 20,000 trips of a mixed store with faults and kills, and reconcile the money (nine minutes)"
	@echo "make bench-full  the same, with 1,000,000 requests for memory and 10,000,000 stored trips for growth"
	@echo "make mutants   prove each check against a connector with exactly the fault that it must find"
	@echo "make bench-platform  measure the simulated platform, and kill it: gates, uploads, a day (fifteen minutes)"
	@echo "make bench-load  measure the load generator: stalls, throughput, verdicts (twelve minutes)"
	@echo "make bench-certify  time a full run of the suite against a quick connector and one with slow carts (three minutes)"
	@echo "make bench-schemathesis  count the faulty connectors that a general fuzzer and the suite find (fifteen minutes)"
	@echo "make docs      build the documentation into build/site; a broken link fails the build"
	@echo "make docs-serve serve it on http://127.0.0.1:8000"
	@echo "make wheel     build sdist and wheel, install the wheel into an empty venv, and certify a connector (a minute)"
	@echo "make release VERSION=0.2.0  check, build and describe a release in dist/; it uploads nothing (two minutes)"
	@echo "make lint      run ruff, mypy strict and the import contracts"

certify: $(VENV)/.installed
	@JWO_ENDS_WITH=$$PPID exec $(BIN)/jwo certify

test: $(VENV)/.installed-dev
	@$(BIN)/python -m pytest $(JUNIT) $(PARALLEL) -m "not browser and not slow and not alone"

test-slow: $(VENV)/.installed-dev
	@$(BIN)/python -m pytest $(JUNIT) $(PARALLEL) -m "slow and not alone"
	@$(MAKE) --no-print-directory test-alone

test-all: test-shared
	@$(MAKE) --no-print-directory test-alone

# the tests that may share the machine with other work
test-shared: $(VENV)/.installed-dev
	@$(BIN)/python -m pytest $(JUNIT) $(PARALLEL) -m "not browser and not alone"

# to collect all tests takes five seconds, so these two name the files that have the mark
test-alone: $(VENV)/.installed-dev
	@$(BIN)/python -m pytest $(JUNIT) -m alone $$(grep -rl --include='*.py' 'mark\.alone' tests)

test-browser: $(VENV)/.installed-dev
	@$(BIN)/python -m pytest $(JUNIT) -n 2 --dist loadfile -m browser $$(grep -rl --include='*.py' 'mark\.browser' tests)

# each process of a parallel test run would otherwise compile all tests; a run of the tests reports their errors
test-bytecode: $(VENV)/.installed-dev
	@$(BIN)/python -m pytest --collect-only -qq >/dev/null 2>&1 || true

mutants: $(VENV)/.installed-dev
	@JWO_ENDS_WITH=$$PPID exec $(BIN)/python -m conformance.mutants

bench-load: $(VENV)/.installed-dev
	@$(BIN)/python benchmarks/bench_load.py

bench-platform: $(VENV)/.installed-dev
	@$(BIN)/python benchmarks/bench_platform.py
	@$(BIN)/python benchmarks/platform_crash.py

bench-certify: $(VENV)/.installed-dev
	@$(BIN)/python benchmarks/bench_certify.py

bench-schemathesis: $(VENV)/.installed-dev
	@$(BIN)/python benchmarks/bench_schemathesis.py

bench: $(VENV)/.installed-dev
	@$(BIN)/python benchmarks/bench_connector.py

bench-full: $(VENV)/.installed-dev
	@$(BIN)/python benchmarks/bench_connector.py --full

crash: $(VENV)/.installed-dev
	@$(BIN)/python benchmarks/crash_driver.py

reconcile: $(VENV)/.installed-dev
	@$(BIN)/python benchmarks/reconcile_day.py

lint: $(VENV)/.installed-dev
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

docs: $(VENV)/.installed-dev
	@$(BIN)/python -m docs.generator

docs-serve: docs
	@exec $(BIN)/python -m http.server --bind 127.0.0.1 --directory build/site 8000

wheel: $(VENV)/.installed-dev
	@$(BIN)/python benchmarks/try_wheel.py $(if $(DIST),--keep $(DIST))

release: $(VENV)/.installed-release
	@$(BIN)/python -m deploy.release "$(VERSION)"

clean:
	rm -rf $(VENV)

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "jwo needs Python 3.11 or newer; name one with: make PYTHON=/path/to/python3")'
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml constraints.txt $(VENV)/bin/python
	@echo "installing the pinned dependencies into $(VENV), once"
	@$(INSTALL) --editable '.[all]'
	@$(COMPILE)
	@touch $@

$(VENV)/.installed-dev: pyproject.toml constraints.txt $(VENV)/bin/python
	@echo "installing the pinned dependencies, test and lint tools into $(VENV), once"
	@$(INSTALL) --editable '.[dev,all,docs]'
	@$(COMPILE)
	@touch $(VENV)/.installed $@

$(VENV)/.installed-release: $(VENV)/.installed-dev
	@echo "installing the tools of a release into $(VENV), once"
	@$(INSTALL) --editable '.[release]'
	@touch $@
