# Commands on a fresh Debian or Ubuntu with make and Python ≥ 3.11 (its venv module included):
#   make demo      a homeserver, the bot and a chat with it, in this terminal (DEMO_DIR=folder keeps what it makes)
#   make quick     style, types and the quick tests (a minute)
#   make test      the same, and all tests that a change needs (four minutes)
#   make full      every test, the slow ones too; looks for new random examples
#   make chaos     hundreds of kills and faults; writes docs/reliability.md (half an hour; CHAOS_KILLS=3000)
#   make coverage  which lines and branches the tests of `make test` run
# Each makes .venv and installs what it needs there first; pip's own PIP_* settings are respected. Tests with a modern
# Matrix client need Node ≥ 20 and npm, or are skipped.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:
.DELETE_ON_ERROR:
.SUFFIXES:
MAKEFLAGS += --no-print-directory --no-builtin-rules

# Tests and the processes they start would compile every module again.
unexport PYTHONDONTWRITEBYTECODE

BIN := .venv/bin

.PHONY: help quick test full chaos coverage checks demo bench translations clean

help:
	@sed -n 's/^#   //p' $(firstword $(MAKEFILE_LIST))
	echo 'make bench  how quick and how small it is      make translations  bring the catalogues up to date'

PYTEST = $(BIN)/python -m pytest --numprocesses 2 --dist loadfile

quick: checks
	@FARO_TEST_TIER=quick $(PYTEST) -m 'not slow' $(PYTEST_ARGS)

test: checks
	@FARO_TEST_TIER=test $(PYTEST) -m 'not full' $(PYTEST_ARGS)

full: checks .venv/dateutil-4
	@FARO_TEST_TIER=full $(PYTEST) $(PYTEST_ARGS)
	echo 'Recurrence with the other supported version of python-dateutil …'
	FARO_TEST_TIER=full PYTHONPATH=.venv/dateutil-4 $(PYTEST) tests/meetings

chaos: .venv/.installed-dev
	@export FARO_TEST_TIER=full FARO_CHAOS_REPORT=docs/reliability.md
	export FARO_CHAOS_KILLS=$(or $(CHAOS_KILLS),320) FARO_CHAOS_FAULTS=$(or $(CHAOS_FAULTS),400)
	$(if $(CHAOS_SEED),export FARO_CHAOS_SEED=$(CHAOS_SEED))
	$(PYTEST) --dist worksteal tests/chaos $(PYTEST_ARGS)
	$(if $(CHAOS_EXAMPLES),FARO_TEST_EXAMPLES=$(CHAOS_EXAMPLES) $(PYTEST) --timeout 7200 tests/knowledge/store)

coverage: .venv/.installed-dev
	@FARO_TEST_TIER=test $(PYTEST) -m 'not full' --cov bot --cov plugins --cov-branch \
	  --cov-report term:skip-covered $(PYTEST_ARGS)

checks: .venv/.installed-dev
	@echo 'Checking style, types and the directions of imports …'
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

demo: .venv/.installed-demo
	@exec $(BIN)/faro demo $(DEMO_ARGS)

bench: .venv/.installed-dev
	@$(BIN)/python -m bench $(BENCH_ARGS)

translations: .venv/.installed-dev
	@$(BIN)/python -m bot.i18n

.venv/dateutil-4: .venv/.installed-dev
	@$(BIN)/python -m pip install --quiet --no-deps --upgrade --target $@ 'python-dateutil==4.*'
	touch $@

clean:
	rm -rf .venv

# One stamp for each extra, renewed when what is to be installed has changed.
.venv/.installed-%: pyproject.toml constraints.txt | .venv/bin/pip
	@echo 'Installing what $* needs into .venv (once; a minute or two) …'
	$(BIN)/python -m pip install --progress-bar off --constraint constraints.txt --editable '.[$*]' \
	  | sed -un 's/^Collecting \([A-Za-z0-9._-]*\).*/  \1/p; s/^Installing collected packages:.*/  unpacking all of them …/p'
	touch $@

# pip is the last thing a venv gets: where it is missing, the venv was not finished.
.venv/bin/pip:
	@for python in $(PYTHON) python3 python3.14 python3.13 python3.12 python3.11; do
	  if "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
	    if ! "$$python" -c 'import ensurepip, venv' 2>/dev/null; then
	      echo "The venv module of $$python is missing. On Debian or Ubuntu: sudo apt install python3-venv" >&2
	      exit 1
	    fi
	    echo "Making .venv with $$("$$python" --version) …"
	    exec "$$python" -m venv --clear .venv
	  fi
	done
	echo "Faro needs Python 3.11 or newer; 'python3' is $$(python3 --version 2>/dev/null || echo 'not there')." \
	  "If another one is installed, name it: make PYTHON=/path/to/python3.12" >&2
	exit 1
