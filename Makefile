# Bare `make` prints what there is. Everything runs in .venv, made with a Python from 3.11 to 3.14.

PORT ?= 8000
WORKERS ?= 3
MINUTES ?= 120
SIZE ?= 1
PYTHON ?= $(shell for name in python3.11 python3.12 python3.13 python3.14 python3; do \
	$$name -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 15))' 2>/dev/null && echo $$name && break; done)
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes

.DEFAULT_GOAL := help
.PHONY: help run test services coverage check bench faults soak fuzz looks lock clean
.DELETE_ON_ERROR:

help:  ## this list
	@sed -n 's/^\([a-z]*\):.*## /make \1\t/p' Makefile | expand -t 16

run: .venv/.for-running  ## the whole of it on 127.0.0.1:8000 (PORT=…), with a demo temple unless .env names servers
	@$(BIN)/python manage.py serve --demo --port $(PORT) --log .demo/templeops.log

# Tests wait now and then, so three processes keep two cores busy. Python's cache of compiled modules is on, whatever
# the environment says: each of them, and each command they start, would otherwise compile everything again.
test: export PYTHONDONTWRITEBYTECODE :=
test: .venv/.for-development  ## every test that this machine can run, in three processes; WORKERS=0 in this one
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder -m "not services"

coverage: .venv/.for-development  ## which lines and branches the tests run: twice as slow as make test
	@$(BIN)/coverage erase
	@COVERAGE_PROCESS_START=pyproject.toml $(BIN)/coverage run -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder -m "not services"; \
		status=$$?; $(BIN)/coverage combine --quiet; $(BIN)/coverage report --skip-covered --sort=cover; exit $$status

services: export PYTHONDONTWRITEBYTECODE :=
services: .venv/.for-development  ## several workers on PostgreSQL, Redis, RabbitMQ; people and schedules on PostgreSQL
	@status=0; \
		$(BIN)/python -m pytest -n $(WORKERS) --timeout 240 -m services tests/jobs tests/hosts || status=$$?; \
		$(BIN)/python -m tests.services.on_postgres -n $(WORKERS) -m "not services" tests/access tests/schedule || status=$$?; \
		exit $$status

check: .venv/.for-development  ## style, types, layers, settings, migrations: what must hold before a commit
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	MONGODB_LOCAL_URL=mongodb://127.0.0.1/ $(BIN)/python manage.py check --fail-level WARNING
	MONGODB_LOCAL_URL=mongodb://127.0.0.1/ $(BIN)/python manage.py makemigrations --check --dry-run
	$(BIN)/python -m tests.architecture.house

bench: .venv/.for-development  ## figures of speed and memory in one table: SIZE=10 for 10,000,000 documents
	$(BIN)/python -m tests.benchmarks --size $(SIZE)
	$(BIN)/python -m tests.benchmarks.readers

faults: .venv/.for-development  ## kills, cuts, full disks: the long form
	TEMPLEOPS_LONG=1 $(BIN)/python -m pytest --timeout 0 tests/faults tests/purge tests/verification \
		tests/backup_files/test_power_loss.py
	$(BIN)/python -m tests.sync.long

soak: .venv/.for-development  ## two hours of schedules with writers, conflicts, kills and cuts, with each dump engine that is here
	$(BIN)/python -m tests.soak --minutes $(MINUTES)
	if command -v mongodump >/dev/null; then $(BIN)/python -m tests.soak --minutes $(MINUTES) --engine mongodump; fi

fuzz: .venv/.for-development  ## hostile files and requests, 5,000 histories of retention: the long form
	TEMPLEOPS_LONG=1 $(BIN)/python -m pytest --timeout 0 tests/backup_files/test_bson_frames.py tests/security \
		tests/browser/test_hostile_values.py tests/retention/test_histories.py

looks: .venv/.for-development  ## every page wide and narrow, light and dark, each picture examined: the long form
	TEMPLEOPS_LONG=1 $(BIN)/python -m pytest --timeout 0 tests/browser

lock: .venv/.for-development  ## exact versions with hashes, from the requirements files
	$(BIN)/uv pip compile $(LOCK) requirements.txt requirements-demo.txt -o requirements.lock
	$(BIN)/uv pip compile $(LOCK) requirements.txt requirements-distributed.txt requirements-notify.txt \
		-c requirements.lock -o requirements-server.lock
	$(BIN)/uv pip compile $(LOCK) requirements-dev.txt -c requirements.lock -o requirements-dev.lock
LOCK := --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	--no-emit-index-url --no-emit-find-links --upgrade

clean:  ## remove .venv and the demo's databases; backups stay
	rm -rf .venv .demo .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage* htmlcov tests/output
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/bin/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11, 3.12, 3.13 or 3.14 is needed and none was found. Install one, or name it: make PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -m venv .venv || { rm -rf .venv; echo "$(PYTHON) cannot make a virtual environment. On Debian and Ubuntu: apt-get install python3-venv"; exit 1; }

.venv/.for-running: requirements.lock | .venv/bin/python
	@echo "Installing what TempleOps runs on into .venv …"
	@$(PIP) -r requirements.lock || { echo "Installing did not succeed. Is there a network? Without one, copy wheels to a folder and set PIP_FIND_LINKS and PIP_NO_INDEX=1."; exit 1; }
	@touch $@

.venv/.for-development: requirements-dev.lock | .venv/bin/python
	@echo "Installing what the tests need into .venv …"
	@$(PIP) -r requirements-dev.lock || { echo "Installing did not succeed. Is there a network? Without one, copy wheels to a folder and set PIP_FIND_LINKS and PIP_NO_INDEX=1."; exit 1; }
	@touch $@ .venv/.for-running
