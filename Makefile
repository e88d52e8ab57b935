# make run    a server at http://127.0.0.1:5000
# make test   the tests, on two processors (those of the page need Chromium and npm)
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

# RAW files of cameras; left out where there is no wheel for this machine.
WITH_RAW = $(PIP) install --only-binary rawpy --editable '.[raw]' || echo "rawpy cannot be had here: RAW files are refused."

.PHONY: run setup test test-fast test-all soak bench lint check fuzz audit screenshots operations api clean

run: $(VENV)/.run
	@$(BIN)/python app.py

setup: $(VENV)/.dev frontend/node_modules/.installed

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run: pyproject.toml | $(BIN)/python
	@echo "Installing into $(VENV) (about a minute the first time) ..."
	@$(PIP) install --editable '.[optimize]'
	@$(WITH_RAW)
	@touch $@

$(VENV)/.dev: pyproject.toml | $(BIN)/python
	@echo "Installing into $(VENV), with the tools for development ..."
	@$(PIP) install --editable '.[dev]'
	@$(WITH_RAW)
	@touch $(VENV)/.run $@

frontend/node_modules/.installed: frontend/package-lock.json
	npm ci --prefix frontend --no-fund --no-audit --loglevel=error
	@touch $@

# What watches the clock runs after the rest, alone. WORKERS: processors that the rest may use.
WORKERS ?= 2
TOGETHER = $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile

test-fast: $(VENV)/.dev frontend/node_modules/.installed
	$(TOGETHER) -m "not serial and not slow and not quality" tests/unit
	npm test --prefix frontend --silent

test: $(VENV)/.dev frontend/node_modules/.installed
	@status=0; \
	$(TOGETHER) -m "not serial and not quality" || status=1; \
	$(BIN)/python -m pytest -m "serial and not quality" || status=1; \
	exit $$status

test-all: $(VENV)/.dev frontend/node_modules/.installed
	@status=0; \
	$(TOGETHER) -m "not serial" || status=1; \
	$(BIN)/python -m pytest -m serial || status=1; \
	$(MAKE) fuzz || status=1; \
	exit $$status

check: $(VENV)/.dev frontend/node_modules/.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/deptry .
	npm run check --prefix frontend --silent
	$(BIN)/python -m tests.audit

lint: $(VENV)/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

soak: $(VENV)/.dev
	$(BIN)/python -m tests.soak

bench: $(VENV)/.dev
	$(BIN)/python -m tests.bench

fuzz: $(VENV)/.dev
	$(BIN)/python -m tests.hostile.fuzz --seconds 60

audit: $(VENV)/.dev frontend/node_modules/.installed
	$(BIN)/python -m tests.audit

screenshots: $(VENV)/.dev
	$(BIN)/python docs/screenshots.py

api: $(VENV)/.dev
	$(BIN)/python docs/api.py

operations: $(VENV)/.dev
	$(BIN)/python docs/operations.py
	$(BIN)/python docs/cli.py
	$(BIN)/python docs/architecture.py

clean:
	rm -rf $(VENV) build *.egg-info
