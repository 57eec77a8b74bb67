# Everything a newcomer types. It needs Python 3.11 to 3.13 and make, and nothing outside this folder.
PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11; do $$python -c \
	'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null && echo $$python && break; done)
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
	@test -n "$(PYTHON)" || { echo "Python 3.11, 3.12 or 3.13 is needed."; exit 1; }
	@echo "Installing into .venv (about a minute the first time)"
	@$(PYTHON) -m venv .venv
	@$(PIP) --require-hashes --requirement requirements-dev.lock
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

run: install ## start the demo: the service and a simulated Wish
	@$(BIN)/channel-sync demo

test: lint programs ## lint, types and the whole test suite
	@$(BIN)/python -m pytest -n 2
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
