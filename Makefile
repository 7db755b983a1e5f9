# Every target makes what it needs; `make demo` and `make test` are all a newcomer has to know.
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DATA ?= ../shared/router-data

.PHONY: help demo demo-live test check lint types contracts chaos chaos-intake bench bench-peers fuzz lock router clean

help:
	@echo "make demo   one whole triage run against stand-ins of the services"
	@echo "make demo-live  one issue from webhook to Slack to training, the same way"
	@echo "make test   the test suite"
	@echo "make slow   the slow ones of it, and all that use a database on PostgreSQL (a quarter of an hour)"
	@echo "make check  format, lint, types, import contracts, Dockerfile, tests"
	@echo "make bench  the figures, as a table (a quarter of an hour; BENCH=--short: minutes)"
	@echo "make bench-peers  the webhooks' door beside Probot's (needs Node.js 20; BENCH=--short)"
	@echo "make fuzz   100,000 malformed deliveries (COUNT=, SEED=)"
	@echo "make chaos-intake  a kill among 2,000 deliveries"
	@echo "make chaos  a thousand kills, every fault and a backfill (an hour; CHAOS='--kills 100 --backfill 0': less)"

# The environment is made anew when a lock file changed. uv is installed inside, so nothing else is needed.
$(VENV)/bin/uv:
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Switchyard needs Python 3.11 or newer; set PYTHON=")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv

$(VENV)/.demo: requirements.txt pyproject.toml | $(VENV)/bin/uv
	@test -e $(VENV)/.dev || $(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --require-hashes -r requirements.txt
	$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --no-deps -e .
	@touch $@

$(VENV)/.dev: requirements-dev.txt pyproject.toml | $(VENV)/bin/uv
	$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --require-hashes -r requirements-dev.txt
	$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --no-deps -e .
	@touch $@

demo: $(VENV)/.demo
	$(BIN)/switchyard demo

demo-live: $(VENV)/.demo
	$(BIN)/switchyard demo --live

test: $(VENV)/.dev
	$(BIN)/pytest -n 3 --dist loadscope --no-loadscope-reorder

slow: $(VENV)/.dev
	$(BIN)/pytest -n 2 --dist loadscope --no-loadscope-reorder -m slow
	$(BIN)/pytest -n 2 --dist loadscope --no-loadscope-reorder -m "slow or not slow" --database postgresql

check: $(VENV)/.dev lint types contracts test

lint: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/hadolint Dockerfile

types: $(VENV)/.dev
	$(BIN)/mypy

contracts: $(VENV)/.dev
	$(BIN)/lint-imports

chaos: $(VENV)/.dev
	$(BIN)/python -m tests.chaos $(CHAOS)

bench: $(VENV)/.dev
	$(BIN)/python -m tests.bench $(BENCH)

bench-peers: $(VENV)/.dev
	@$(BIN)/python -m tests.bench.peers $(BENCH)

fuzz: $(VENV)/.dev
	$(BIN)/python -m tests.bot.trigger.webhooks_fuzz --count $(or $(COUNT),100000) --seed $(or $(SEED),5)

chaos-intake: $(VENV)/.dev
	SWITCHYARD_TEST_DELIVERIES=2000 $(BIN)/pytest -n 0 -s --timeout 900 tests/bot/trigger/test_inbox.py -k kill_in_the_middle

router: $(VENV)/.dev
	$(BIN)/python -m models.router.training.build $(DATA)

# Lock files hold hashes and no host names; run after a change of the dependencies in pyproject.toml.
lock: $(VENV)/bin/uv
	$(BIN)/uv pip compile pyproject.toml --all-extras --universal --python-version 3.11 --generate-hashes --no-annotate --no-header --quiet -o requirements.txt
	$(BIN)/uv pip compile pyproject.toml --all-extras --group dev --universal --python-version 3.11 --generate-hashes --no-annotate --no-header --quiet -o requirements-dev.txt

clean:
	rm -rf $(VENV) var .mypy_cache .ruff_cache .hypothesis
