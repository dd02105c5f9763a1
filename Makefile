# Everything edittool needs on a fresh Debian or Ubuntu machine, and everything its developers run.
VENV := .venv
BIN := $(VENV)/bin
PACKAGES := $(patsubst %/__init__.py,%,$(wildcard */__init__.py))
MYPY := ../$(BIN)/mypy --config-file ../pyproject.toml --explicit-package-bases --namespace-packages
PYTEST_ARGS ?=
WORKERS ?= 3
# What is trained for the demo and the tests stays in this folder.
export EDITTOOL_CACHE ?= $(CURDIR)/.cache/edittool

.DELETE_ON_ERROR:
.PHONY: help setup engine engines browser image demo demo-full quick test lint types perf clean

help: ## show this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

setup: image ## virtual environment, pinned packages, Docker Engine, sandbox image; a repeat takes seconds

demo: setup ## the whole path on this machine: build, edit, sample, judge, report
	$(BIN)/edittool demo

demo-full: setup ## the same with all changes and every regime
	$(BIN)/edittool demo -o demo-full --full

quick: lint ## style, types, and the tests that need no Docker, torch, browser or root: minutes
	$(BIN)/pytest -m 'pure and not slow' -n auto --dist worksteal $(PYTEST_ARGS)

# First what looks at the whole machine, then the rest, a file always in one worker: it may start what is dear.
test: setup engines browser lint ## everything that has to pass (PYTEST_ARGS='-k name' for a part, in one process)
ifeq ($(strip $(PYTEST_ARGS)),)
	@$(BIN)/pytest -m alone; alone=$$?; [ $$alone -le 1 ] || exit $$alone; \
	$(BIN)/pytest -m 'not alone' -n $(WORKERS) --dist loadfile --no-loadscope-reorder --durations=20; others=$$?; \
	exit $$((alone > others ? alone : others))
else
	$(BIN)/pytest $(PYTEST_ARGS)
endif

lint: $(VENV)/.installed ## style, format, types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	@$(MAKE) --no-print-directory types

# The folders at the top are the namespace `edittool`; mypy finds it by a link of that name.
types: $(VENV)/.installed
	@mkdir -p .types && ln -sfn .. .types/edittool
	cd .types && MYPYPATH=. $(MYPY) $(addprefix -p edittool.,$(PACKAGES))

perf: setup ## measure throughput, edit time and scaling
	@set -e; for script in perf/*.py; do echo "== $$script"; $(BIN)/python "$$script"; done

clean: ## remove what was made in this folder; images and the engine stay
	rm -rf $(VENV) .types .pytest_cache .mypy_cache .ruff_cache .hypothesis .cache build dist *.egg-info
	find . -name __pycache__ -prune -exec rm -rf {} +

engine:
	@scripts/setup-docker.sh

# Other runtimes and engines, this machine's and those of a later release, for the tests alone.
engines:
	@scripts/setup-engines.sh
	@scripts/setup-later-engines.sh $(EDITTOOL_CACHE)/engines-trixie

# A Chromium, for the tests of the report's page alone.
browser:
	@scripts/setup-browser.sh

image: $(VENV)/.installed engine
	@$(BIN)/edittool image build

$(VENV)/.made:
	scripts/setup-venv.sh $(VENV)
	@touch $@

$(VENV)/.installed: pyproject.toml setup.py constraints.txt $(wildcard */__init__.py) $(VENV)/.made
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[edit,peft,fetch,report,sample,dev]'
	@touch $@
