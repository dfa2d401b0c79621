# `make` alone lists the targets. Everything happens in .venv; nothing is installed elsewhere.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.DEFAULT_GOAL := help
.PHONY: help demo setup check format test bench clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/.demo ## Start the API server and the job server on SQLite; Ctrl-C stops both
	@APP_ENV=demo exec $(BIN)/python -m webapp.demo

setup: $(VENV)/.dev ## Prepare .venv for development

check: $(VENV)/.dev ## Format and lint check, both type checkers, architecture tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/pyright
	$(BIN)/pytest -q -p no:cacheprovider tests/test_architecture.py

format: $(VENV)/.dev ## Format the code and mend what the linter can mend
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

test: $(VENV)/.dev ## Run the whole test suite
	$(BIN)/python scripts/fetch_redis_server.py
	@# Python is started a thousand times: where bytecode is not kept, keep it all the same.
	PYTHONDONTWRITEBYTECODE= $(BIN)/pytest -n 2 --dist worksteal

bench: $(VENV)/.dev ## Measure every broker on this machine
	$(BIN)/python scripts/fetch_redis_server.py
	PATH="$$PATH:$(CURDIR)/$(VENV)/redis" $(BIN)/python -m bench

clean: ## Remove .venv and everything that tools left behind
	rm -rf $(VENV) build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "atode needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) -V 2>&1)." \
		     "Name another one: make PYTHON=python3.12 …" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { \
		echo "could not make $(VENV); on Debian and Ubuntu: apt install python3-venv" >&2; \
		rm -rf $(VENV); exit 1; }
	$(PIP) install --upgrade 'pip>=25.1'

$(VENV)/.demo: pyproject.toml | $(VENV)/bin/python
	$(PIP) install --editable '.[redis,metrics]' --group webapp
	@touch $@

$(VENV)/.dev: pyproject.toml | $(VENV)/bin/python
	$(PIP) install --editable '.[redis,postgres,metrics,otel]' --group dev
	@# Faster where there is a wheel of it, and not needed where there is none.
	-@$(PIP) install --only-binary :all: 'uvloop>=0.21'
	@touch $@ $(VENV)/.demo
