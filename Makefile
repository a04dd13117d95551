# The two that matter: `make demo` shows a generated project's whole life, `make test` checks everything.
PYTHON ?= python3
VENV := $(CURDIR)/.venv
RUN := $(VENV)/bin/python
TEMPLATE := {{cookiecutter.project}}
DEMO := $(CURDIR)/build/demo
DEMO_PROJECT := $(DEMO)/readmission

# Each heavy test keeps a core busy; those that share a life run in one process.
TWO_AT_ONCE := --numprocesses 2 --dist loadgroup

.DEFAULT_GOAL := help
.PHONY: help setup demo demo-github test test-strangers bench check format lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-14s %s\n", $$1, $$2}' Makefile

$(VENV)/template: requirements.lock
	$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed (found %d.%d): make PYTHON=/path/to/python3.11" % sys.version_info[:2] if sys.version_info < (3, 11) else 0)'
	test -x $(RUN) || $(PYTHON) -m venv $(VENV)
	$(RUN) -m pip install --quiet --disable-pip-version-check "$$(grep -o '^uv==[0-9.]*' requirements.lock)"
	$(VENV)/bin/uv pip install --quiet --python $(RUN) --requirement requirements.lock
	touch $@

$(VENV)/project: $(VENV)/template $(TEMPLATE)/requirements.lock
	$(VENV)/bin/uv pip install --quiet --python $(RUN) --requirement '$(TEMPLATE)/requirements.lock'
	touch $@

setup: $(VENV)/project ## install the locked packages of the template and of the generated project

# The answers that a data set suggests; the questions know the problem types by shorter names.
define ANSWERS
import json, sys
facts = json.load(sys.stdin)
short = {"BinaryClassification": "binary", "MulticlassClassification": "multiclass", "Regression": "regression"}
if not facts["prepare"]:
    print("target=" + facts["target"])
    print("problem_type=" + ("$(PROBLEM)" or short[facts["problem_type"]]))
endef
export ANSWERS

demo: SHELL := /bin/bash
demo: $(VENV)/template ## generate a project and show its whole life on the local AWS (DATA=FILE TARGET=COLUMN PROBLEM=TYPE)
	@set -euo pipefail; started=$$(date +%s); \
	find '$(TEMPLATE)' \( -name __pycache__ -o -name '.*_cache' \) -prune -exec rm -rf {} +; \
	bake() { $(VENV)/bin/cookiecutter --no-input --overwrite-if-exists --output-dir $(DEMO) $(CURDIR) "$$@" >/dev/null; }; \
	bake; $(MAKE) --no-print-directory -C $(DEMO_PROJECT) setup; \
	data="$(DATA)"; \
	if [ -n "$$data" ]; then \
		case "$$data" in /*) ;; *) data="$(CURDIR)/$$data" ;; esac; \
		facts=$$(cd $(DEMO_PROJECT) && .venv/bin/python -m pipeline dataset inspect "$$data" --json \
			$(if $(TARGET),--target "$(TARGET)")); \
		answers=$$($(RUN) -c "$$ANSWERS" <<<"$$facts"); given=(); \
		if [ -n "$$answers" ]; then while IFS= read -r answer; do given+=("$$answer"); done <<<"$$answers"; bake "$${given[@]}"; fi; \
	fi; \
	$(MAKE) --no-print-directory -C $(DEMO_PROJECT) demo OUT=$(DEMO) DATA="$$data" \
		SETUP_SECONDS=$$(( $$(date +%s) - started ))

demo-github: setup ## run a generated project's workflows on this machine, and show what GitHub would show
	@rm -rf build/demo-github && mkdir -p build/demo-github
	@find '$(TEMPLATE)' \( -name __pycache__ -o -name '.*_cache' \) -prune -exec rm -rf {} +
	@$(VENV)/bin/cookiecutter --no-input --output-dir build/demo-github $(CURDIR) repository=owner/readmission >/dev/null
	@$(RUN) tests/workflows/demo.py build/demo-github/readmission

test: setup ## everything: the questions, the generated files, a generated project's tests and its life
	$(RUN) -m pytest tests $(TWO_AT_ONCE)

test-strangers: setup ## tables that are not ours through the whole life: demos, workflows, every objective
	$(RUN) -m pytest tests/strangers tests/workflows/test_story.py tests/workflows/test_stranger_story.py $(TWO_AT_ONCE)

bench: setup ## measure what is promised in figures and write build/bench.json (ONLY=report or evaluation)
	$(RUN) -m benchmarks $(ONLY)

check: setup ## format and lint
	$(RUN) -m ruff format --check .
	$(RUN) -m ruff check .
	$(VENV)/bin/actionlint .github/workflows/*.yml
	$(VENV)/bin/zizmor --offline --quiet --persona pedantic .github

format: setup ## format and mend the code
	$(RUN) -m ruff format .
	$(RUN) -m ruff check --fix .

lock: $(VENV)/template ## resolve the newest allowed packages again, of the template and of the generated project
	rm -rf build/lock && $(VENV)/bin/cookiecutter --no-input --output-dir build/lock .
	$(MAKE) -C build/lock/readmission lock VENV=$(VENV)
	cp build/lock/readmission/requirements.lock '$(TEMPLATE)/requirements.lock'
	$(VENV)/bin/uv pip compile --quiet --universal --generate-hashes --no-annotate --python-version 3.11 \
		--group check --constraint '$(TEMPLATE)/requirements.lock' pyproject.toml \
		--custom-compile-command "make lock" --output-file requirements.lock

clean: ## remove what was built
	rm -rf build $(VENV)
