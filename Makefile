# The two that matter: `make demo` shows a generated project's whole life, `make test` checks everything.
PYTHON ?= python3
# Relative, because make cuts names at blanks, and the folder of a clone may have some.
VENV := .venv
RUN := $(VENV)/bin/python
# The environment's, once there is one: what installed it need not be the first on the path any more.
ANY_PYTHON = $(if $(wildcard $(VENV)/bin/python),$(VENV)/bin/python,$(PYTHON))
TEMPLATE := {{cookiecutter.project}}
PACKAGES := $(addprefix packages/,automl-evaluation automl-gitops automl-rehearsal local-sagemaker)
# What has to work before anything is installed, and the packages as they are at the moment.
EMPTY :=
UNINSTALLED := PYTHONPATH=$(subst $(EMPTY) $(EMPTY),:,$(addsuffix /src,$(PACKAGES)))
STARTED := $(shell date +%s)

# Names of files and columns reach the commands as they were typed, whatever stands in them: as variables of the
# environment, and not by way of a shell's line.
override DATA := $(value DATA)
override TARGET := $(value TARGET)
override DELIMITER := $(value DELIMITER)
export DATA TARGET PROBLEM LENIENT DELIMITER ENCODING STARTED
# Not in the template, whose every file reaches the generated project.
export RUFF_CACHE_DIR := $(CURDIR)/.ruff_cache

# A heavy test waits a third of its time, so that three keep two cores busy; the tests of a file share their lives, so they
# run in one process. The order is that of conftest.py, which has the longest first, and not by the number of tests.
AT_ONCE := --numprocesses 3 --dist loadscope --no-loadscope-reorder

# Where it is set, as in many containers, each of the many processes of a life would compile its packages anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help setup project browser demo first-look demo-github test test-strangers test-faults test-lives test-load test-kills test-fuzz bench check scan format wheels calls lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-14s %s\n", $$1, $$2}' Makefile

INSTALL := $(UNINSTALLED) $(ANY_PYTHON) -B -m automl_rehearsal.install $(VENV)

$(VENV)/template: requirements.lock
	@$(UNINSTALLED) $(PYTHON) -B -m automl_rehearsal.supported
	@$(INSTALL) requirements.lock
	@touch $@

# The project's packages, with those of this repository as their sources, so that a change works at once.
$(VENV)/project: $(VENV)/template $(TEMPLATE)/requirements.lock $(addsuffix /pyproject.toml,$(PACKAGES))
	@$(ANY_PYTHON) -B -m tools.wheels of-others '$(TEMPLATE)/requirements.lock' > $(VENV)/project.lock
	@$(INSTALL) $(VENV)/project.lock
	@$(VENV)/bin/uv pip install --quiet --python $(RUN) --no-deps --no-build-isolation --offline \
		$(addprefix --editable ,$(PACKAGES))
	@touch $@

$(VENV)/check: $(VENV)/project check.lock
	@$(INSTALL) check.lock
	@touch $@

# What asks for older versions of what the others use; and what a project brings for its own `make scan`.
$(VENV)/scan/installed: scan.lock
	@$(UNINSTALLED) $(ANY_PYTHON) -B -m automl_rehearsal.install $(VENV)/scan scan.lock
	@touch $@

$(VENV)/audit/installed: $(TEMPLATE)/scan.lock
	@$(UNINSTALLED) $(ANY_PYTHON) -B -m automl_rehearsal.install $(VENV)/audit '$(TEMPLATE)/scan.lock'
	@touch $@

setup: $(VENV)/check ## install all locked packages: of the template, of the generated project, and what tests them

demo: first-look $(VENV)/project ## generate a project and show its whole life on the local AWS (DATA=FILE TARGET=COLUMN PROBLEM=TYPE LENIENT=1)
	@$(RUN) -B -m showcase

first-look:
	@$(UNINSTALLED) $(ANY_PYTHON) -B -m automl_rehearsal.supported
	@$(UNINSTALLED) $(ANY_PYTHON) -B -m showcase.first_look

project: $(VENV)/template ## ask the questions, and generate a project beside this folder (OUT=FOLDER)
	@$(RUN) -B hooks/ask.py "$(or $(OUT),..)"

demo-github: setup ## run a generated project's workflows on this machine, and show what GitHub would show
	@rm -rf build/demo-github && mkdir -p build/demo-github
	@find '$(TEMPLATE)' \( -name __pycache__ -o -name '.*_cache' \) -prune -exec rm -rf {} +
	@$(VENV)/bin/cookiecutter --no-input --default-config --output-dir build/demo-github . repository=owner/readmission >/dev/null
	@$(RUN) tests/workflows/demo.py build/demo-github/readmission

browser: setup
	@$(RUN) -m benchmarks.bring_browser

test: browser ## everything: the packages' tests, the template's, and a generated project's with its life
	@failed=; for suite in $(addsuffix /tests,$(PACKAGES)) tests; do \
		echo "$(RUN) -m pytest $$suite $(AT_ONCE)"; \
		$(RUN) -m pytest $$suite $(AT_ONCE) || failed="$$failed $$suite"; \
	done; \
	test -z "$$failed" || { echo "failed:$$failed" >&2; exit 1; }

test-strangers: setup ## tables that are not ours through the whole life: demos, workflows, every objective
	$(RUN) -m pytest tests/strangers tests/workflows/test_story.py tests/workflows/test_long_training.py $(AT_ONCE)

test-faults: setup ## each call of a life fails once in each way, and it ends as without; goes on where it stopped; writes build/faults.json (SHARD=1/8)
	$(RUN) packages/automl-gitops/tests/faults/run_faults.py $(SHARD)

test-lives: setup ## random commands, changes by hand and faults; production serves what was verified and Git names (LIVES=100)
	$(RUN) packages/automl-gitops/tests/faults/run_random_lives.py $(or $(LIVES),100)

test-load: setup ## 200 projects in an account, 50 executions, 1,000 invocations, 10,000 messages; writes build/load.json
	$(RUN) packages/automl-gitops/tests/load/run_load.py

test-kills: setup ## kill first flights at random moments, and count what is left in the account (KILLS=12)
	$(RUN) -m pytest packages/automl-rehearsal/tests/run_kills.py -rP

test-fuzz: setup ## 10,000 inputs of a stranger's at each entry point; writes build/fuzz.json (EXAMPLES=1000)
	@mkdir -p build && rm -f build/fuzz.json
	FUZZ_EXAMPLES=$(or $(EXAMPLES),10000) FUZZ_COUNTS='$(CURDIR)/build/fuzz.json' $(RUN) -m pytest packages/automl-gitops/tests/fuzz -q

bench: browser ## measure what is promised in figures and write build/bench.json (ONLY=commands, endpoint, evaluation, pipeline, push or report)
	$(RUN) -m benchmarks $(ONLY)

check: setup $(VENV)/scan/installed ## format, lint, types (of all Python), the project's templates and workflows, secrets
	$(RUN) -m ruff format --check .
	$(RUN) -m ruff check .
	$(RUN) -m mypy
	cd packages/automl-evaluation && ../../$(RUN) -m mypy src/automl_evaluation
	cd packages/automl-gitops && ../../$(RUN) -m mypy src/automl_gitops
	cd packages/automl-rehearsal && ../../$(RUN) -m mypy src/automl_rehearsal
	cd packages/local-sagemaker && ../../$(RUN) -m mypy src/local_sagemaker
	$(VENV)/bin/actionlint .github/workflows/*.yml '$(TEMPLATE)'/.github/workflows/*.yml
	$(VENV)/bin/zizmor --offline --quiet --persona auditor .github '$(TEMPLATE)/.github'
	$(VENV)/bin/cfn-lint '$(TEMPLATE)'/infrastructure/*.yaml
	$(VENV)/scan/bin/checkov --framework cloudformation --quiet --compact --skip-download -d '$(TEMPLATE)/infrastructure'
	git ls-files -z | grep -zvE '\.(lock|whl|png|csv|json)$$' | \
		xargs -0 $(VENV)/bin/detect-secrets-hook --no-verify --baseline .secrets.baseline

scan: $(VENV)/audit/installed ## list a project's packages (build/sbom.json, CycloneDX), and look for known weaknesses of all locked ones
	@mkdir -p build
	$(VENV)/audit/bin/cyclonedx-py requirements --output-reproducible -o build/sbom.json '$(TEMPLATE)/requirements.lock'
	@for lock in '$(TEMPLATE)/requirements.lock' requirements.lock check.lock scan.lock; do \
		echo "$$lock"; \
		$(VENV)/audit/bin/pip-audit --progress-spinner off --disable-pip --require-hashes -r "$$lock" || failed=1; \
	done; test -z "$$failed"

# From the folder of a project that is generated into build/calls.
LIFE := ../../../$(VENV)/bin/python ../../../packages/automl-gitops/tests/life

wheels: $(VENV)/check ## build the packages into the template's vendor/; commit them with what is released
	@$(RUN) -m tools.wheels

calls: setup ## record a life on the local AWS: the calls of each role, which doctor simulates
	@rm -rf build/calls && mkdir -p build/calls
	@$(VENV)/bin/cookiecutter --no-input --default-config --output-dir build/calls . >/dev/null
	cd build/calls/readmission && LOCAL_AWS_RECORD="$$PWD/../calls.jsonl" $(LIFE)/record_calls.py ..
	cd build/calls/readmission && $(LIFE)/write_calls.py ../calls.jsonl
	cp build/calls/readmission/infrastructure/calls.json '$(TEMPLATE)/infrastructure/calls.json'

format: setup ## format and mend the code
	$(RUN) -m ruff format .
	$(RUN) -m ruff check --fix .

COMPILE := pyproject.toml --quiet --universal --generate-hashes --no-annotate --python-version 3.11 \
	--custom-compile-command "make lock"

lock: wheels ## resolve the newest allowed packages again, of the template and of the generated project
	rm -rf build/lock && $(VENV)/bin/cookiecutter --no-input --default-config --output-dir build/lock .
	@touch $(VENV)/installed # or the project would install its wheels here, in the place of the sources
	$(MAKE) -C build/lock/readmission lock VENV=../../../$(VENV)
	cp build/lock/readmission/*.lock '$(TEMPLATE)/'
	$(RUN) -m tools.wheels of-others '$(TEMPLATE)/requirements.lock' > build/lock/others.lock
	$(VENV)/bin/uv pip compile $(COMPILE) --group check --constraint build/lock/others.lock --output-file check.lock
	$(VENV)/bin/uv pip compile $(COMPILE) --constraint check.lock --output-file requirements.lock
	$(VENV)/bin/uv pip compile $(filter-out pyproject.toml,$(COMPILE)) --upgrade --group scan --output-file scan.lock

clean: ## remove what was built
	rm -rf build $(VENV)
