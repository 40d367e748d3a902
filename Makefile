# `make` lists the targets. Nothing but Python 3.11 to 3.13, make and a compiler is needed on the machine.

.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules

# The interpreter that makes .venv; `make setup PYTHON=/path/to/python3.12` chooses another.
SUPPORTED := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3; do \
	if $$p -c '$(SUPPORTED)' 2>/dev/null; then command -v $$p; break; fi; done)

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
WORKERS ?= 2
CODE := $(wildcard src tests tools benchmarks)

# No run reports home; two threads suffice for data of this size, and tests run side by side on one each.
export MLFLOW_DISABLE_TELEMETRY := true
export DO_NOT_TRACK := true
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# uv trusts the certificates that the machine trusts, as behind a company's proxy.
export UV_SYSTEM_CERTS ?= true
export OMP_NUM_THREADS ?= 2

.PHONY: help setup demo test check format bench docs pictures spark lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(STAMP) ## create .venv with the locked packages and install tierwise into it
	@echo "$(VENV) is ready"

demo: $(STAMP) ## run the main job on the embedded synthetic channel and print what it found
	@$(BIN)/tierwise demo $(ARGS)

test: export OMP_NUM_THREADS = 1
test: $(STAMP) ## run all tests; ARGS="tests/policy -k band" runs some
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile -q $(ARGS)

check: $(STAMP) ## format, lint, types, import contracts, style bar, docs in sync
	@status=0; \
	run() { echo "== $$*"; "$(BIN)/$$1" "$${@:2}" || { status=1; echo "-- failed: $$*"; }; }; \
	run ruff format --check $(CODE); \
	run ruff check $(CODE); \
	run mypy; \
	run lint-imports --no-logo --cache-dir .import_linter_cache; \
	run python -m tools.style; \
	run python -m tools.docs --check; \
	exit $$status

format: $(STAMP) ## format the code and fix what the linter can
	@$(BIN)/ruff format $(CODE)
	@$(BIN)/ruff check --fix $(CODE)

bench: $(STAMP) ## run the benchmarks and write docs/performance.md; ARGS="small" in minutes, ARGS="full kills" one
	@$(BIN)/python benchmarks/run_all.py $(ARGS)

docs: $(STAMP) ## write the generated pages of docs/ anew
	@$(BIN)/python -m tools.docs

pictures: $(STAMP) ## take the pictures of docs/images anew (needs Chromium); ARGS="--data DIR" takes Olist's too
	@$(BIN)/python -m tools.pictures $(ARGS)

spark: $(STAMP) ## add the locked pyspark to .venv, for --engine spark (450 MB; needs Java 17 or 21)
	@$(BIN)/python -m pip install --quiet --require-hashes -r requirements-spark.lock

lock: $(BIN)/uv ## resolve the dependencies anew into the lock files
	@echo uv==$$($(BIN)/uv --version | cut -d ' ' -f 2) | $(COMPILE) --output-file requirements-install.lock -
	@$(COMPILE) --output-file requirements.lock pyproject.toml
	@$(COMPILE) --output-file requirements-dev.lock --constraints requirements.lock --extra dev pyproject.toml
	@echo "pyspark>=4.3,<5" | $(COMPILE) --output-file requirements-spark.lock --constraints requirements.lock -

clean: ## remove the environment, caches and what runs left behind
	rm -rf $(VENV) build dist demo-channel mlruns mlartifacts mlflow.db .hypothesis .*_cache
	find $(CODE) -name __pycache__ -type d -prune -exec rm -rf {} +

# The locks hold names, versions and hashes of every platform's files, and no index address.
COMPILE = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --upgrade \
	--no-emit-index-url --no-emit-find-links --custom-compile-command "make lock"

$(STAMP): requirements-dev.lock pyproject.toml | $(VENV)/.created
	@$(MAKE) --no-print-directory --silent $(BIN)/uv
	@echo "Installing the locked packages into $(VENV)"
	@$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes requirements-dev.lock || { \
		echo "uv cannot install here; pip does it, which takes a few minutes"; \
		$(BIN)/python -m pip install --quiet --require-hashes -r requirements-dev.lock; }
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --no-index --editable .
	@touch $@

$(BIN)/uv: | $(VENV)/.created
	@echo "Installing uv into $(VENV)"
	@$(BIN)/python -m pip install --quiet --require-hashes -r requirements-install.lock \
		|| echo "uv is not to be had here; pip installs instead"

# Made last, so that an environment whose making was interrupted is made anew.
$(VENV)/.created:
	@if [ -z "$(PYTHON)" ]; then \
		echo "Tierwise needs Python 3.11, 3.12 or 3.13 and found none; name one: make setup PYTHON=/path/to/python3.11"; \
		exit 1; fi
	@echo "Creating $(VENV) with $(PYTHON)"
	@"$(PYTHON)" -m venv --clear $(VENV)
	@touch $@
