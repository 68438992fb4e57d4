# Everything a fresh clone needs is set up here: python3 (3.11+, with venv) and make are enough.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin

.PHONY: help certify test mutants lint clean

help:
	@echo "make certify   prove the reference connector against the simulated platform (the main job)"
	@echo "make test      our own tests"
	@echo "make mutants   prove every check against a connector that is broken in just that way"
	@echo "make lint      ruff, mypy strict, import contracts"

certify: $(VENV)/.installed
	@$(BIN)/jwo certify

test: $(VENV)/.installed-dev
	@$(BIN)/python -m pytest

mutants: $(VENV)/.installed-dev
	@$(BIN)/python -m conformance.mutants

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
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable .
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	@echo "installing the pinned test and lint tools into $(VENV) (once)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev,load]'
	@touch $@
