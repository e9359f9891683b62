# The two commands that matter: `make demo` and `make test`. Both set up everything they need in .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=
SOURCES := safety firmware firmware_bridge controller recorder dashboard hw_sim tractable benchmarks proof tests docs

.PHONY: setup demo test lint bench mutants parts requirements screenshot prove nightly clean

setup: $(VENV)/.runtime

$(VENV)/bin/python:
	@deploy/make_venv.sh $(PYTHON) $(VENV)

$(VENV)/.runtime: requirements/build.txt pyproject.toml | $(VENV)/bin/python
	@echo "Setting up $(VENV) (once; about a minute) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/build.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.runtime requirements/dev.txt
	@echo "Adding what the tests need ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@touch $@

demo: setup
	@$(BIN)/tractable demo $(ARGS)

parts:
	@deploy/install_test_parts.sh

# What simulates shares the cores; what is held against the clock runs one at a time. ARGS="tests/safety -k slack" runs those.
test: $(VENV)/.dev parts lint
ifeq ($(strip $(ARGS)),)
	@failed=0; $(BIN)/python -m pytest -m "not realtime" --numprocesses logical --dist worksteal || failed=1; \
	$(BIN)/python -m pytest -m realtime || failed=1; exit $$failed
else
	@$(BIN)/python -m pytest $(ARGS)
endif

lint: $(VENV)/.dev
	@$(BIN)/ruff check $(SOURCES)
	@$(BIN)/ruff format --check $(SOURCES)
	@$(BIN)/mypy
	@$(BIN)/lint-imports

bench: $(VENV)/.dev
	@$(BIN)/tractable bench $(ARGS)

# Every mutant of safety/ against its tests: four to ten minutes on two cores.
mutants: $(VENV)/.dev
	@nice -n 19 $(BIN)/python -m proof.mutants --jobs 2 $(ARGS)

# Every fault in every phase, on four patients with three seeds; writes docs/proof.md. Exit 4 when one does not hold.
prove: $(VENV)/.dev parts
	@$(BIN)/tractable prove --page $(ARGS)

# What takes too long for every change: all mutants, all faults, the firmware under MicroPython, a thousand quiet and as
# many unruly sessions, a thousand killed recorders.
nightly: mutants prove
	@$(BIN)/tractable bench conformance
	@$(BIN)/python -m proof.quiet_sessions --sessions 1000
	@$(BIN)/python -m proof.unruly_sessions --sessions 1000
	@$(BIN)/python -m proof.exploration
	@KILLS=1000 $(BIN)/python -m pytest tests/recorder/test_surviving.py -k killed --numprocesses logical

# Pins every dependency with hashes; the files name no registry.
requirements: $(VENV)/.dev
	@deploy/pin_requirements.sh $(BIN)/python

screenshot: $(VENV)/.dev parts
	@$(BIN)/python -m docs.make_screenshot

clean:
	rm -rf $(VENV) dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis
