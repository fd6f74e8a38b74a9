# Everything that a developer or CI does here; `make` alone lists the targets.
# Python 3.11 or newer and make are enough, except where a target says what else.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
.SUFFIXES:
# Tests start services by the thousand, and mutations take compiled code along.
unexport PYTHONDONTWRITEBYTECODE

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input
# The first of these that will do makes the environment; `make setup PYTHON=...` names one.
PYTHONS := $(or $(PYTHON),python3 python3.14 python3.13 python3.12 python3.11)

PYTEST := $(BIN)/python -m pytest
# Tests run in several processes, two for each core; WORKERS=0 runs them in one, in
# order. Who is done takes over what another has not begun.
SPREAD := -n $(or $(WORKERS),auto) --dist worksteal
# Where tests that need a broker live; the same files run on either broker.
BROKER_TESTS := tests/integration tests/faults tests/e2e

LOCK := $(BIN)/uv --quiet pip compile --universal --python-version 3.11 \
  --generate-hashes --no-emit-index-url --custom-compile-command "make lock" \
  $(if $(UPGRADE),--upgrade)

# What `make bench-peers` measures ours beside; each is locked and installed by itself.
PEERS := $(patsubst %/requirements.in,%,$(wildcard tests/bench/peers/*/requirements.in))

.PHONY: help
help: ## list the targets
	@echo "make TARGET, one of:"
	@sed -n 's/^\([a-z][a-z-]*\):.*## /\1\t/p' Makefile | \
	  while IFS="$$(printf '\t')" read -r name text; do \
	    printf '  %-14s %s\n' "$$name" "$$text"; done

# -- the environment -----------------------------------------------------------------

$(VENV)/.made:
	@reason=""; \
	for python in $(PYTHONS); do \
	  "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	    || continue; \
	  if ! "$$python" -c 'import ensurepip, venv' 2>/dev/null; then \
	    reason="$${reason:-$$python cannot make environments: install python3-venv (Debian: apt-get install python3-venv)}"; \
	    continue; \
	  fi; \
	  echo "making $(VENV) with $$("$$python" --version)"; \
	  "$$python" -m venv --clear $(VENV) && touch $@ && exit 0; \
	  exit 1; \
	done; \
	echo "$${reason:-no Python 3.11 or newer among: $(PYTHONS); install one, or name it: make setup PYTHON=...}" >&2; \
	exit 1

# What `make demo` needs, and no more: it has minutes, not quarters of an hour.
$(VENV)/.run: pyproject.toml requirements/build.txt requirements/embedded.txt | $(VENV)/.made
	@echo "installing what runs: requirements/embedded.txt"
	@$(PIP) --require-hashes -r requirements/build.txt -r requirements/embedded.txt
	@$(PIP) --no-deps --no-index --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: requirements/dev.txt $(VENV)/.run
	@echo "installing what checks and tests: requirements/dev.txt"
	@$(PIP) --require-hashes -r requirements/dev.txt
	@touch $@

.PHONY: setup
setup: $(VENV)/.dev ## make .venv with every locked dependency (PYTHON=... names the Python)
	@echo "ready: $(BIN)/uptake --help"

# -- running -------------------------------------------------------------------------

.PHONY: demo
demo: $(VENV)/.run ## the whole system on this machine with simulated agencies (ONCE=1 ends by itself)
	@UPTAKE_STOP_WITH_PARENT=1 exec $(BIN)/uptake demo $(if $(ONCE),--once)

.PHONY: up
up: ## the whole system in containers, kept running (Docker with compose)
	docker compose up --build --detach --wait

.PHONY: down
down: ## stop the containers; their volumes stay
	docker compose down

# -- checking ------------------------------------------------------------------------

.PHONY: lint
lint: $(VENV)/.dev ## format, lint, types and imports, without any test
	$(BIN)/ruff format --check --quiet .
	$(BIN)/ruff check --quiet .
	$(BIN)/mypy
	$(BIN)/lint-imports

.PHONY: check
check: lint ## as lint; house rules, unit and property tests too (WORKERS=0 in one process)
	$(PYTEST) --quiet $(SPREAD) tests/test_tidy.py tests/unit tests/property

.PHONY: format
format: $(VENV)/.dev ## format the code and mend what ruff can mend
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

.PHONY: test
test: $(VENV)/.dev ## all tests that need Python and make only, on embedded servers (WORKERS=0)
	$(PYTEST) $(SPREAD) -m "not kafka and not debian and not node and not slow"
	@echo
	@echo "left out by make test, and run by make test-all (CI):"
	@echo "  kafka    the same tests on Apache Kafka: make test-kafka (Java 17, Maven)"
	@echo "  node     the JavaScript SDK against the door: make test-all (Node, npm)"
	@echo "  debian   against Debian's Prometheus and Alertmanager: make test-all"
	@echo "  slow     longer than half a minute each: make test-all"

.PHONY: test-kafka
test-kafka: $(VENV)/.dev ## the tests that need a broker, on Apache Kafka (Java 17, Maven)
	UPTAKE_TEST_BROKER=kafka $(PYTEST) $(SPREAD) -m "not debian and not node and not slow and not embedded" $(BROKER_TESTS)

.PHONY: chaos
chaos: $(VENV)/.dev ## faults under load on Apache Kafka, then a recount (DURATION=600 SEED=n BROKER=embedded)
	@$(BIN)/python -m tests.faults.chaos --seconds $(or $(DURATION),600) \
	  --broker $(or $(BROKER),apache) $(if $(SEED),--seed $(SEED))

.PHONY: scripted-year
scripted-year: $(VENV)/.dev ## a year of 34 provinces through alerting, killed 20 times: expected beside raised alerts (SEED=n DAYS=404 BROKER=apache)
	@$(BIN)/python -m tests.faults.year --broker $(or $(BROKER),embedded) \
	  $(if $(SEED),--seed $(SEED)) $(if $(DAYS),--days $(DAYS))

.PHONY: fuzz
fuzz: $(VENV)/.dev ## hostile input made up by machines: schemathesis, atheris (DURATION=600 SEED=n ONLY=doors)
	@$(BIN)/python -m tests.fuzz --seconds $(or $(DURATION),600) \
	  $(if $(SEED),--seed $(SEED)) $(if $(ONLY),--only $(ONLY))

.PHONY: test-all
test-all: $(VENV)/.dev tools ## every test, on both brokers; what is missing fails (CI)
	$(PYTEST) $(SPREAD) -m "not kafka"
	UPTAKE_TEST_BROKER=kafka $(PYTEST) $(SPREAD) -m "not embedded and not node" $(BROKER_TESTS)

.PHONY: killed-broker
killed-broker: $(VENV)/.dev ## the broker killed under load, and a recount (Java, Maven; RUNS=10 SEED=n)
	UPTAKE_TEST_BROKER=kafka UPTAKE_TEST_RUNS=$(or $(RUNS),10) UPTAKE_TEST_SEED=$(or $(SEED),1) \
	  $(PYTEST) -s tests/faults/test_killed_broker.py

.PHONY: bench
bench: $(VENV)/.dev ## speed, beside what it is held against (Java, Maven; ROWS="10000000 50000000"; LEVELS=1 reads levels alone, INGEST=1 the door, TARGETS=10000 alerting)
	$(BIN)/python -m tests.bench $(if $(LEVELS),--levels) $(if $(INGEST),--ingest) $(if $(TARGETS),--targets $(TARGETS)) $(if $(BROKER),--broker $(BROKER)) $(if $(EVENTS),--events $(EVENTS)) $(if $(ROWS),--rows $(ROWS))

.PHONY: bench-door
bench-door: $(VENV)/.dev ## a large file of NDJSON through the door, twice: rate, memory, recount (Java, Maven; BYTES=1000000000 PACKED=zstd BROKER=embedded)
	$(BIN)/python -m tests.bench.door $(if $(BYTES),--bytes $(BYTES)) $(if $(PACKED),--packed $(PACKED)) $(if $(BROKER),--broker $(BROKER))

.PHONY: bench-rebuild
bench-rebuild: $(VENV)/.dev ## rebuild a long log while events arrive, and recount (Java, Maven; EVENTS=5000000 RATE=500 BROKER=embedded)
	$(BIN)/python -m tests.bench.rebuild $(if $(EVENTS),--events $(EVENTS)) $(if $(RATE),--rate $(RATE)) $(if $(BROKER),--broker $(BROKER))

.PHONY: bench-forecast
bench-forecast: $(VENV)/.dev ## how far the forecast can be trusted: coverage, thresholds, speed (SEED=n COURSES=n)
	$(BIN)/python -m tests.bench.forecast $(if $(SEED),--seed $(SEED)) $(if $(COURSES),--courses $(COURSES))

.PHONY: bench-peers
bench-peers: $(VENV)/.dev ## the same job by four other frameworks, beside ours (Java, Maven; EVENTS=n KILLS=n)
	$(BIN)/python -m tests.bench.peers $(if $(EVENTS),--events $(EVENTS)) $(if $(KILLS),--kills $(KILLS))

# -- making --------------------------------------------------------------------------

.PHONY: lock
lock: $(VENV)/.dev ## resolve the dependencies into requirements/ (UPGRADE=1 takes newer ones)
	$(LOCK) --all-extras --group dev pyproject.toml -o requirements/dev.txt
	$(LOCK) -c requirements/dev.txt --extra embedded pyproject.toml -o requirements/embedded.txt
	$(LOCK) -c requirements/dev.txt pyproject.toml -o requirements/run.txt
	$(LOCK) -c requirements/dev.txt --group build -o requirements/build.txt
	$(LOCK) -c requirements/dev.txt tests/fuzz/requirements.in -o tests/fuzz/requirements.txt
	@for peer in $(PEERS); do \
	  $(LOCK) $$peer/requirements.in -o $$peer/requirements.txt || exit 1; \
	done

.PHONY: catalogue
catalogue: $(VENV)/.dev ## make the localities of Vietnam from their source, and check the catalogue
	$(BIN)/python -m shared.catalogue.vietnam_source deploy/catalogue/vietnam
	$(BIN)/uptake catalogue check deploy/catalogue/vietnam

.PHONY: documents
documents: $(VENV)/.run ## write docs/openapi.json and docs/asyncapi.json from the code
	$(BIN)/python -m shared.events.documents docs

.PHONY: tools
tools: ## unpack Debian's Prometheus and Alertmanager, without root (Debian)
	@.ci/debian-tools

.PHONY: wheel
wheel: $(VENV)/.dev ## build the wheel into dist/
	@rm -rf dist
	$(BIN)/python -m build --wheel --no-isolation --outdir dist

.PHONY: clean
clean: ## remove .venv, .uptake, dist and caches
	rm -rf $(VENV) .uptake dist .mypy_cache .ruff_cache .pytest_cache \
	  .import_linter_cache .hypothesis
	find services shared tests -name __pycache__ -type d -prune -exec rm -rf {} +
