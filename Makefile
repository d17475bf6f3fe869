# What a contributor runs. Needs make and Python 3.11 or newer, and nothing else: the first target
# that needs an environment makes one in .venv, and makes it anew when pyproject.toml changes.

PYTHON ?= python3
ARGS ?=
VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check
STAGE = @echo; echo "== $(1)"
# A worker a core, and one that is done takes over what others have left.
ON_ALL_CORES = -n auto --dist worksteal
# What reads files only, and what waits for sockets more than it computes, is run once.
IGNORED = $(addprefix --ignore=tests/,tidy docs impl/clients impl/shell impl/soak impl/wire)
# What `make quick` tries: the language, how it is read, traces, the broker's core, house style.
QUICK = $(addprefix tests/,lang extraction traces impl/core tidy)

# Whatever environment the caller has must not leak into ours.
unexport PYTHONPATH PYTHONHOME VIRTUAL_ENV MYPYPATH PYTEST_ADDOPTS
export PYTHONNOUSERSITE = 1

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help check test quick test-all wheel-test soak external fix clean lint unit

help: ## List these targets.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-11s %s\n", $$1, $$2}' Makefile

check: $(VENV)/.installed ## Check every model, then watch a broker be verified, live.
	$(call STAGE,kproof check)
	@$(BIN)/kproof check $(ARGS)
	$(call STAGE,kproof demo)
	@$(BIN)/kproof demo

test: unit wheel-test ## Run what must pass before a commit: style, types, contracts, tests, wheel.
	$(call STAGE,all is well)

quick: lint ## Run what tells most in less than a minute; use it while you work.
	$(call STAGE,pytest: what is quick and tells most)
	@$(BIN)/python -m pytest $(ON_ALL_CORES) -m "not slow and not heavy" -x -q $(QUICK)

test-all: test ## Run `make test`, then the slow tests.
	$(call STAGE,pytest: the slow tests)
	@$(BIN)/python -m pytest -m slow || [ $$? -eq 5 ] # 5: there is no slow test yet.

wheel-test: $(VENV)/.installed-dev ## Build the wheel and try it in an environment of its own.
	$(call STAGE,wheel test)
	@$(BIN)/python tools/wheel_test.py

soak: $(VENV)/.installed-dev ## Kill the broker a hundred times under load; nothing acknowledged is lost.
	$(call STAGE,soak: kill -9)
	@$(BIN)/python tools/soak.py $(ARGS)

external: $(VENV)/.installed-dev ## Run librdkafka's and kafka-python's own tests against the broker.
	$(call STAGE,the tests of clients)
	@$(BIN)/python tools/external_suites.py $(ARGS)

fix: $(VENV)/.installed-dev ## Format the code and mend what can be mended without thought.
	$(call STAGE,ruff)
	@$(BIN)/ruff check --fix --exit-zero --quiet
	@$(BIN)/ruff format

clean: ## Delete whatever was made here, the environment too.
	rm -rf $(VENV) build dist .kproof .hypothesis
	rm -rf .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

lint: $(VENV)/.installed-dev
	$(call STAGE,ruff format)
	@$(BIN)/ruff format --check
	$(call STAGE,ruff check)
	@$(BIN)/ruff check
	$(call STAGE,mypy --strict)
	@$(BIN)/mypy --strict
	$(call STAGE,import contracts)
	@$(BIN)/lint-imports --no-logo

unit: lint
	$(call STAGE,pytest: hash seed 0)
	@PYTHONHASHSEED=0 $(BIN)/python -m pytest $(ON_ALL_CORES) -m "not slow"
	$(call STAGE,pytest: hash seed 1 without the heavy tests)
	@PYTHONHASHSEED=1 $(BIN)/python -m pytest $(ON_ALL_CORES) -m "not slow and not heavy" $(IGNORED)

# Stamps. Setting up is done once, and again when pyproject.toml changes.

$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "kproof needs Python 3.11 or newer, and '$(PYTHON)' is not that:"; \
	  $(PYTHON) --version; \
	  echo "Name another one, for example: make $(MAKECMDGOALS) PYTHON=python3.12"; \
	  exit 1; } >&2
	$(call STAGE,environment in $(VENV))
	@$(PYTHON) -m venv --clear $(VENV)
	@touch $@

$(VENV)/.installed: $(VENV)/.made pyproject.toml
	$(call STAGE,kproof and what it needs)
	@$(INSTALL) --editable ".[demo]"
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.made pyproject.toml
	$(call STAGE,kproof and what its development needs)
	@$(INSTALL) --editable ".[dev]"
	@touch $(VENV)/.installed $@
