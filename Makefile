# Everything a newcomer types. It needs Python 3.11 or newer and make, and nothing outside this folder.
PYTHON ?= $(shell for python in $$(seq -f python3.%g 30 -1 11) python3; do $$python -c 'import ensurepip, sys; \
	v = sys.version_info; sys.exit(v < (3, 11) or v.releaselevel != "final")' 2>/dev/null && echo $$python && break; done)
BIN := .venv/bin
INSTALLED := .venv/installed
PIP := $(BIN)/python -m pip -qq --disable-pip-version-check install
FIND = (PATH="$$PATH:/usr/sbin"; for name in $(1); do command -v $$name && exit 0; done; exit 1) >/dev/null
BROWSER := $(call FIND,chromium chromium-browser google-chrome)
POOLER := $(call FIND,pgbouncer)
WITHOUT = { echo "!!! NO $(1): its tests were SKIPPED. Install $(2)."; test "$$CI" != true; }

.PHONY: help install run test lint format migrate openapi bench programs clean

help: ## what can be typed here
	@grep -E '^[a-z]+:.*## ' Makefile | sed -E 's/^([a-z]+):.*## (.*)/\1\t\2/' | expand -t 12

install: $(INSTALLED) ## make .venv with channel-sync in it
$(INSTALLED): requirements-dev.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed, with venv."; exit 1; }
	@$(PYTHON) -c 'import sys; print("Installing into .venv (about a minute the first time)" + \
	"; this Python is newer than those it was tested with" * (sys.version_info >= (3, 14)))'
	@$(PYTHON) -m venv .venv
	@$(PIP) --require-hashes --requirement requirements-dev.lock
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

run: install ## start the demo: the service and a simulated Wish
	@$(BIN)/channel-sync demo

test: lint programs ## lint, types and the whole test suite
	@PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -n 2 --dist worksteal
	@$(POOLER) || $(call WITHOUT,PGBOUNCER,PgBouncer)
	@$(BROWSER) || $(call WITHOUT,BROWSER,Chromium)

lint: install ## ruff and mypy
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy

format: install ## put the code in order
	@$(BIN)/ruff check --fix
	@$(BIN)/ruff format

migrate: install ## bring the database to the newest schema
	@$(BIN)/channel-sync migrate

openapi: install ## write openapi/openapi.json
	@$(BIN)/channel-sync openapi

bench: install ## measure, and print the figures
	@$(BIN)/python -m benchmarks

programs:
	@($(BROWSER) && $(POOLER)) || (apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install --yes \
		--no-install-recommends $$( $(BROWSER) || echo chromium) $$( $(POOLER) || echo pgbouncer)) >/dev/null 2>&1 || true

clean: ## remove .venv and every cache; data in var/ stays
	@rm -rf .venv dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	@find src tests migrations benchmarks -name __pycache__ -prune -exec rm -rf {} +
