# Two commands on a fresh Debian or Ubuntu with make and Python ≥ 3.11 (its venv module included):
#   make demo   a homeserver, the bot and a chat with it, in this terminal (DEMO_DIR=folder keeps what it makes)
#   make test   every check and every test (those with a modern client need Node ≥ 20 and npm, or are skipped)
# Each makes .venv and installs what it needs there first; pip's own PIP_* settings are respected.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:
.DELETE_ON_ERROR:
.SUFFIXES:
MAKEFLAGS += --no-print-directory --no-builtin-rules

BIN := .venv/bin

.PHONY: help test checks demo bench translations clean

help:
	@sed -n 's/^#   //p' $(firstword $(MAKEFILE_LIST))
	echo 'make bench  how quick and how small it is      make translations  bring the catalogues up to date'

test: checks
	@echo 'Testing …'
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile $(PYTEST_ARGS)

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
