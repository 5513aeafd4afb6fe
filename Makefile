# The whole interface of a contributor: `make` creates .venv, `make help` lists the rest.
.DEFAULT_GOAL := venv
.DELETE_ON_ERROR:
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
SERVICES := .services
# MinIO is published as source only; the version is a Go pseudo-version of its last release.
MINIO_VERSION := v0.0.0-20260212201848-7aac2a2c5b7c
MINIO := $(SERVICES)/minio-$(MINIO_VERSION)
PGJDBC_VERSION := 42.7.8
PGJDBC := $(SERVICES)/pgjdbc-$(PGJDBC_VERSION)
DBT := $(SERVICES)/dbt/.ready
LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
        --no-emit-index-url --no-emit-find-links --no-annotate --no-header --no-config --system-certs
# Arguments for pytest, as in: make test ARGS="-k secrets -x"
ARGS ?=
# Where `make serve` keeps its data.
DATA ?= fairlead-data

.PHONY: help demo serve test test-all check format services bench lock venv clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 12

demo: $(READY) ## the tour: a gateway, an object store, real data, real clients; STAY=1 leaves them running
	$(BIN)/python demo/tour.py $(if $(STAY),--stay)

serve: $(READY) ## run a gateway until Ctrl-C; DATA=DIR says where it keeps its data
	$(BIN)/fairlead serve --data $(DATA)

test: $(READY) ## the fast tests; those whose real server is missing are skipped and say how to get it
	$(BIN)/python -m pytest -m "not slow" -n 2 --dist loadfile $(ARGS)

test-all: $(READY) ## every test, the long ones too
	$(BIN)/python -m pytest -n 2 --dist loadfile $(ARGS)

check: $(READY) ## style, types, floors of the house, sizes
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/python tools/check_files.py

format: $(READY) ## let ruff mend what it can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

services: $(MINIO) $(PGJDBC) $(DBT) ## install the real servers and clients that tests use (needs Go; about three minutes, once)
	@tools/install-packages

bench: $(READY) ## measure, and print medians with their ratios
	$(BIN)/python -m bench.run $(ARGS)

lock: $(READY) ## pin again what pyproject.toml asks for
	$(LOCK) --extra dev pyproject.toml --output-file requirements/dev.txt
	$(LOCK) --constraint requirements/dev.txt pyproject.toml --output-file requirements/runtime.txt

venv: $(READY) ## create .venv from the pinned requirements (what plain `make` does)
	@echo "Ready: $(BIN)/fairlead; make help lists what else there is."

clean: ## remove everything that make creates, except installed services
	rm -rf $(VENV) .ruff_cache .mypy_cache .pytest_cache .import_linter_cache .hypothesis .demo dist
	find . -name __pycache__ -not -path './.git/*' -prune -exec rm -rf {} +

# The stamp is made last: an interrupted installation starts again, a finished one costs nothing.
$(READY): requirements/dev.txt pyproject.toml
	@PYTHON="$(PYTHON)" tools/make-venv $(VENV)
	@touch $@

$(DBT): requirements/dbt.txt
	@mkdir -p $(SERVICES)
	@PYTHON="$(PYTHON)" tools/install-dbt $(SERVICES)/dbt
	@touch $@

$(MINIO):
	@MINIO_VERSION=$(MINIO_VERSION) tools/install-minio $(SERVICES)/bin
	@touch $@

$(PGJDBC):
	@PGJDBC_VERSION=$(PGJDBC_VERSION) tools/install-pgjdbc $(SERVICES)/lib
	@touch $@
