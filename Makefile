# `make` alone lists the targets. The first one run sets up .venv from requirements.txt by itself.
PYTHON ?= python3
DATASET ?= all

# Python is slow to start without its byte code, and the stages are many
unexport PYTHONDONTWRITEBYTECODE
export PATH := $(CURDIR)/.venv/bin:$(PATH)
export MLFLOW_DISABLE_TELEMETRY := true
# uv installs several times faster than pip, which is there for a network that only pip is set up for
PIP := .venv/bin/python -m pip install --quiet --disable-pip-version-check
UV := .venv/bin/uv pip install --quiet --compile-bytecode --python .venv/bin/python
READY := .venv/.ready
READY_TO_TEST := .venv/.ready-to-test

.DEFAULT_GOAL := help
.PHONY: help setup pipeline sync ui lint test test-all lock

help:            ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## */\t/' | expand -t 18

setup: $(READY)  ## make .venv and install the pinned requirements

$(READY): requirements.txt constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed, this is " + sys.version.split()[0])'
	@echo "setting up .venv: installing the pinned requirements, a minute or two the first time"
	@$(PYTHON) -m venv .venv
	@$(PIP) -c constraints.txt uv
	@$(UV) -r requirements.txt || $(PIP) -r requirements.txt
	@touch $@

$(READY_TO_TEST): requirements-dev.txt $(READY)
	@$(UV) -r requirements-dev.txt || $(PIP) -r requirements-dev.txt
	@touch $@

pipeline: $(READY)  ## run every stage that is out of date, or one dataset's: make pipeline DATASET=iris
ifeq ($(DATASET),all)
	dvc repro
else
	dvc repro drift@$(DATASET)
	@python compare_results.py
	@python validate_metrics.py --dataset $(DATASET)
endif
	@python -m ops.sync
	@python compare_results.py --show

sync: $(READY)   ## write the runs that the MLflow store lacks, from the stages' files
	@python -m ops.sync

ui: $(READY)     ## open the MLflow runs at http://127.0.0.1:5000
	mlflow ui --host 127.0.0.1

lint: $(READY_TO_TEST)   ## flake8
	flake8

test: $(READY_TO_TEST) lint  ## flake8 and the tests, a few minutes
	pytest -n auto --dist worksteal -m "not slow"

test-all: $(READY_TO_TEST) lint  ## the slow proofs too
	pytest -n auto --dist worksteal

lock: $(READY)   ## pin again what the packages of requirements-dev.txt need: writes constraints.txt
	cat requirements.txt requirements-dev.txt | grep -v '^-' | uv pip compile --quiet --universal --python-version 3.11 --fork-strategy fewest \
	  --no-annotate --no-header --no-emit-index-url --no-emit-find-links - --output-file constraints.txt
