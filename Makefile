# Every target builds what it needs, with nothing but python3 (3.11 or newer). `make` alone lists them.
.DEFAULT_GOAL := help
SHELL := /bin/sh
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Where a shell says so, each of the many processes that tests and demo start would compile everything anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo demo-reset test check bench format texts generated lock venv clean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

demo: $(VENV)/runtime.stamp ## run the provider, a portal, a data service and an inbox on this machine
	@exec $(BIN)/python -m relying_party_demo

demo-reset: ## forget everything that the demo made
	@rm -rf "$${DEMO_DIR:-.demo}"

# One more than there are cores: some tests wait, for what they froze, or for what they started.
test: $(VENV)/dev.stamp ## every test, on both databases and both short-lived stores
	@exec $(BIN)/python -m pytest -n $$(($$(getconf _NPROCESSORS_ONLN) + 1)) --dist worksteal

check: $(VENV)/dev.stamp ## linter, formatter, types, layers, and what must be current
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -q -p no:cacheprovider tests/architecture

bench: $(VENV)/dev.stamp ## what the hot paths cost: processor time as ratios, statements, trips (BENCH="--requests 500")
	@exec $(BIN)/python -m bench.hot_paths $(BENCH)

format: $(VENV)/dev.stamp ## let the formatter have its way
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

texts: $(VENV)/dev.stamp ## bring the message catalogues up to date with the templates and the code
	$(BIN)/python -m idp.translations

generated: $(VENV)/dev.stamp ## print anew what is printed from the code: example settings, manual, map, commands
	$(BIN)/python -m tests.architecture.generated

venv: $(VENV)/dev.stamp ## .venv with everything for development

# Two locks: what runs in production and in the demo, and the same plus the tools of development.
$(VENV)/runtime.stamp: requirements.lock pyproject.toml
	$(call install,requirements.lock)

$(VENV)/dev.stamp: requirements-dev.lock pyproject.toml
	$(call install,requirements-dev.lock)
	@touch $(VENV)/runtime.stamp

# The pip of the lock comes first: older ones ponder every file ever published. Python compiles what it imports.
LOCKED = --quiet --disable-pip-version-check --no-warn-script-location --no-compile --require-hashes

# Debian's bare python3 has no ensurepip. A pip that lies elsewhere does as well; else root may install the package.
define install
	@set -eu; \
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	    || { echo "Python 3.11 or newer is needed; PYTHON=/path/to/python3.12 make … names one." >&2; exit 1; }; \
	pip="$(BIN)/python -m pip"; \
	if ! $$pip --version >/dev/null 2>&1; then \
	    rm -rf $(VENV); \
	    if $(PYTHON) -c 'import ensurepip' 2>/dev/null; then $(PYTHON) -m venv $(VENV); \
	    elif $(PYTHON) -m pip --version >/dev/null 2>&1; then \
	        $(PYTHON) -m venv --without-pip $(VENV); pip="$(PYTHON) -m pip --python $(BIN)/python"; \
	    elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	        echo "Installing python3-venv ..."; \
	        { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -yqq python3-venv; } >/dev/null; \
	        $(PYTHON) -m venv $(VENV); \
	    else \
	        echo "This python3 cannot make environments. Once, as root: apt-get install python3-venv" >&2; exit 1; \
	    fi; \
	fi; \
	echo "Installing $(1) into $(VENV) (a minute or two, once) ..."; \
	sed -n '/^pip==/,/[^\]$$/p' requirements-dev.lock >$(VENV)/pip.lock; \
	$$pip install $(LOCKED) -r $(VENV)/pip.lock; \
	$(BIN)/python -m pip install $(LOCKED) -r $(1); \
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --no-index -e .
	@touch $@
endef

# Made with the oldest Python supported, which needs the most; no index, no host is written into it.
COMPILE = $(BIN)/pip-compile --quiet --generate-hashes --allow-unsafe --strip-extras --build-deps-for editable \
    --no-header --no-annotate --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --no-emit-options

lock: $(VENV)/dev.stamp ## both lock files anew from pyproject.toml (LOCK=--upgrade for newer versions)
	$(COMPILE) $(LOCK) --extra demo --extra dev --output-file requirements-dev.lock pyproject.toml
	cp requirements-dev.lock requirements.lock
	$(COMPILE) --extra demo --output-file requirements.lock pyproject.toml

clean: ## remove what was built
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis dist tests/clients/node_modules tests/clients/nimbus/jars
