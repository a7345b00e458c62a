# One word a job; `make` alone says which there are. Needs python3 >= 3.11 with venv, nothing else.
# Arguments go through ARGS: make run ARGS="--port 8000", make test ARGS="-k fences".

VENV := .venv
BIN := $(VENV)/bin
PYTHON ?=
ARGS ?=

MATRIX_NEEDS := hypothesis ipywidgets pytest pytest-asyncio pytest-rerunfailures pytest-timeout
MATRIX_TESTS := tests/kernel tests/test_runner.py tests/faults/test_kernel.py

export PIP_DISABLE_PIP_VERSION_CHECK := 1
# uv installs side by side and shows how far it is; where it cannot be had or gets nowhere, pip does the same.
# It reads no pip.conf, so it is told of the index that pip would ask: in its environment, since the address may hold
# a password, and everybody may read what a command is called with.
define install
	@index=$${UV_DEFAULT_INDEX:-$${PIP_INDEX_URL:-$$($(BIN)/python -m pip config get global.index-url 2>/dev/null)}}; \
	[ -z "$$index" ] || export UV_DEFAULT_INDEX="$$index"; \
	{ [ -x $(BIN)/uv ] || $(BIN)/python -m pip --quiet install uv 2>/dev/null; } \
	  && $(BIN)/uv pip install --compile-bytecode --python $(BIN)/python --editable $(1) \
	  || $(BIN)/python -m pip install --editable $(1)
endef

.DEFAULT_GOAL := help
# A venv that was cut off half way, or an install that failed, is made again.
.DELETE_ON_ERROR:
.PHONY: help run test test-matrix test-servers test-libraries test-assets lint format bench soak shots token clean

help:
	@echo "make run      the chat app; it prints a link to its page"
	@echo "make test     everything the tests need, then the tests"
	@echo "make test-matrix  kernels and what befalls them, on the oldest and the newest versions of Jupyter"
	@echo "make test-servers  what is promised of every server and kernel, on real ones: gateways, Hub, Deno, Bash, …"
	@echo "make test-libraries  what some hundred real libraries display, each in a browser (5 GB, an hour)"
	@echo "make test-assets  what the browser loads, built again from its sources and compared byte by byte"
	@echo "make lint     ruff and mypy"
	@echo "make format   let ruff put the code in order"
	@echo "make bench    side-by-side measurements"
	@echo "make soak     an hour on a bad network; make soak ARGS=\"--minutes 5\"; with --local, of many on one machine"
	@echo "make shots    the README's pictures, taken anew"
	@echo "make token    .env with a new token for docker compose"
	@echo "make clean    remove the venv and the caches"

run: $(VENV)/app
	@$(BIN)/python -m coderunner app $(ARGS)

# Kernels and servers start by the hundred: what Python compiles is kept, whatever the environment says.
test test-matrix test-servers test-libraries: export PYTHONDONTWRITEBYTECODE :=

# Browsers, servers and kernels share two cores: what fails is tried up to twice more, and listed as RERUN even so.
test: $(VENV)/dev
	@sh tests/install_browser.sh $(BIN)/python
	@$(BIN)/python -m pytest --numprocesses auto --dist loadfile --no-loadscope-reorder --reruns 2 $(ARGS)

test-assets: $(VENV)/dev
	@CODERUNNER_TEST_ASSETS=yes $(BIN)/python -m pytest tests/page/test_assets.py $(ARGS)

# Each line of tests/matrix.txt in a venv of its own, beside .venv; all of them, also when one fails.
test-matrix: | $(BIN)/python
	@status=0; table=; while read -r name versions; do \
	  case "$$name" in ''|'#'*) continue ;; esac; \
	  echo "== $$name: $$versions"; python=$(VENV)/matrix/$$name/bin/python; \
	  [ -x $$python ] || $(BIN)/python -m venv $(VENV)/matrix/$$name; \
	  if $$python -m pip --quiet install --editable '.[app]' $(MATRIX_NEEDS) $$versions \
	    && $$python -m pytest -p no:cacheprovider --reruns 1 $(MATRIX_TESTS) $(ARGS) </dev/null; \
	  then said=passed; else said=FAILED; status=1; fi; \
	  table="$$table$$name $$said $$versions\n"; \
	done < tests/matrix.txt; printf "\n$$table"; exit $$status

# Each line of tests/servers/versions.txt in a folder of its own, beside .venv; made again when the line changes.
test-servers: $(VENV)/dev
	@sh tests/install_browser.sh $(BIN)/python
	@while read -r name versions; do \
	  case "$$name" in ''|'#'*) continue ;; esac; \
	  place=$(VENV)/servers/$$name; \
	  [ "$$(cat $$place/versions 2>/dev/null)" != "$$versions" ] || continue; \
	  echo "== $$name: $$versions"; rm -rf $$place; mkdir -p $$place; \
	  if [ $$name = node ]; then npm install --silent --prefix $$place $$versions; \
	  else $(BIN)/python -m venv $$place && $$place/bin/python -m pip --quiet install $$versions; fi </dev/null \
	    && echo "$$versions" > $$place/versions || exit 1; \
	done < tests/servers/versions.txt
	@CODERUNNER_TEST_SERVERS=$(VENV)/servers $(BIN)/python -m pytest -p no:cacheprovider --reruns 1 tests/servers $(ARGS)

# The libraries of tests/libraries/versions.txt, in environments beside .venv that are made again when a version changes.
test-libraries: $(VENV)/dev
	@sh tests/install_browser.sh $(BIN)/python
	@$(BIN)/python -m tests.libraries.environments $(VENV)/libraries
	@CODERUNNER_TEST_LIBRARIES=$(VENV)/libraries $(BIN)/python -m pytest -p no:cacheprovider --numprocesses 2 --reruns 1 tests/libraries $(ARGS)

# All three, also when the first finds something: one round tells everything.
lint: $(VENV)/dev
	@status=0; for check in "ruff check" "ruff format --check" mypy; do $(BIN)/$$check || status=1; done; exit $$status

format: $(VENV)/dev
	@$(BIN)/ruff check --fix
	@$(BIN)/ruff format

# Each measurement is a module that prints its own table.
bench: $(VENV)/bench
	@for path in bench/[a-z]*.py; do \
	  name=$$(basename $$path .py); echo "== $$name"; $(BIN)/python -m bench.$$name $(ARGS) || exit 1; \
	done

# Every line is accounted for, nothing runs twice, and what is taken does not grow.
soak: $(VENV)/dev
	@PYTHONPATH=extension:. $(BIN)/python -m tests.faults.soak $(ARGS)

shots: $(VENV)/dev
	@sh tests/install_browser.sh $(BIN)/python
	@$(BIN)/python -m tests.shots $(ARGS)

# An .env that is there stays: the token in it may be in use.
token:
	@if [ -e .env ]; then echo ".env is there already; remove it first for a new token"; else \
	  umask 077 && printf 'JUPYTER_TOKEN=%s\n' "$$(od -An -N24 -tx1 /dev/urandom | tr -d ' \n')" > .env && \
	  echo "A new token is in .env, readable by you only"; fi

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Every candidate is run, not only looked up: a pyenv shim exists for versions that are not installed.
$(BIN)/python:
	@set -e; chosen=; old=; bare=; \
	for python in $(PYTHON) python3 python3.14 python3.13 python3.12 python3.11; do \
	  version=$$($$python -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) || continue; \
	  $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { old="$$old $$version"; continue; }; \
	  $$python -c 'import ensurepip, venv' 2>/dev/null || { bare=$$version; continue; }; \
	  chosen=$$python; break; \
	done; \
	if [ -z "$$chosen" ] && [ -n "$$bare" ]; then \
	  echo "Python $$bare is here, but without its venv module: install it (Debian, Ubuntu: sudo apt install python$$bare-venv), then try again." >&2; exit 1; \
	elif [ -z "$$chosen" ]; then \
	  echo "CodeRunner needs Python 3.11 or later; found:$${old:- none}. If it is elsewhere, say where: make run PYTHON=/path/to/python3" >&2; exit 1; \
	fi; \
	echo "Making $(VENV) with $$($$chosen --version)"; \
	$$chosen -m venv --clear $(VENV)

# The stamps are newer than what they were made from; so a second call starts at once.
$(VENV)/app: pyproject.toml | $(BIN)/python
	@echo "Installing the chat app: a few hundred MB the first time. Compiling them takes a minute or two more, in silence."
	$(call install,'.[app]')
	@touch $@

$(VENV)/dev: pyproject.toml | $(BIN)/python
	@echo "Installing what the tests need"
	$(call install,'.[dev]')
	@touch $(VENV)/app $@

$(VENV)/bench: pyproject.toml | $(BIN)/python
	@echo "Installing what the measurements compare with"
	$(call install,'.[bench]')
	@touch $@
