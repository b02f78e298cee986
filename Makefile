# Every target does its own set-up, into this folder. `make help` lists them.
PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
SERVICES := service_kit file_reader postcode_consumer gateway cli
# Only the very files that were there when the requirements were compiled, and none that runs a program to be installed.
INSTALL := $(PY) -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all:
COMPILE := $(VENV)/bin/uv pip compile --quiet --universal --python-version 3.11 --no-header --no-annotate --generate-hashes
export FILE
# What the services refuse to start without; lint and types only import them.
CHECK_ENV := SECRET_KEY=check INTERNAL_TOKEN=check DATA_DIR=$(CURDIR)/var/check

# The files that docker-compose.yml gives to the containers.
SECRETS := internal_token file_reader_secret_key file_reader_database_password postcode_consumer_secret_key \
  postcode_consumer_database_password postgres_password grafana_password

.DEFAULT_GOAL := help
.PHONY: help demo run index check test test-all storm day bench lint type format secrets up down requirements sbom translations architecture clean

help: ## This list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(VENV)/.installed: requirements.txt service_kit/pyproject.toml cli/pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.12 …")'
	$(PYTHON) -m venv $(VENV)
	$(INSTALL) --requirement requirements.txt
	$(PY) -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable ./service_kit --editable ./cli
	@touch $@

$(VENV)/.installed-dev: requirements-dev.txt $(VENV)/.installed
	$(INSTALL) --requirement requirements-dev.txt
	@touch $@

demo: $(VENV)/.installed ## Coordinates become postcodes: the whole way, offline, with the sandbox provider
	$(PY) examples/demo.py

run: $(VENV)/.installed ## Everything on http://127.0.0.1:8080/ until Ctrl-C
	exec $(PY) serve.py

index: $(VENV)/.installed ## FILE=…: builds the index of PROVIDER=local from open postcode data (docs/operating.md)
	@[ -n "$$FILE" ] || { echo 'usage: make index FILE=the-file-as-downloaded.zip' >&2; exit 2; }
	@# A relative FILE is seen from where make was called, which `make -C` does not change in PWD.
	@if [ -e "$(PWD)/$$FILE" ]; then cd "$(PWD)"; fi; SECRET_KEY=none INTERNAL_TOKEN=none \
	  exec "$(CURDIR)/$(PY)" "$(CURDIR)/postcode_consumer/manage.py" build_index "$$FILE"

check: $(VENV)/.installed-dev ## Lint, types and every test that starts no process, on SQLite: two minutes
	$(PY) tests/run.py --check

test: $(VENV)/.installed-dev ## All tests, on SQLite and on PostgreSQL: eight minutes
	$(PY) tests/run.py

test-all: test ## And what takes long: the storms and the mutants (docs/tests.md)
	cd tests && ../$(PY) -m pytest -m storm
	$(PY) tests/mutants.py
	$(MAKE) storm SECONDS=$(or $(SECONDS),120)

storm: $(VENV)/.installed-dev ## Everything dies at random, SECONDS on each database (default 600), from SEED (1): nothing may be lost
	$(PY) tests/storm/storm.py --database sqlite --seconds $(or $(SECONDS),600) --seed $(or $(SEED),1)
	$(PY) tests/storm/storm.py --database postgresql --seconds $(or $(SECONDS),600) --seed $(or $(SEED),1)
	cd file_reader && ../$(PY) -m pytest -m storm

day: $(VENV)/.installed-dev ## A day in an operator's life, into var/day: seven faults, and what is seen and done (docs/operator-day.md)
	unshare --user --map-root-user --mount $(PY) tests/day/day.py --into var/day

bench: $(VENV)/.installed-dev ## All benchmarks, into docs/performance.md (benchmarks/README.md); shorter with BENCH_ROWS="10000 100000"
	$(PY) benchmarks/run.py $(if $(BENCH_ROWS),--rows $(BENCH_ROWS)) $(if $(BENCH_ROUNDS),--rounds $(BENCH_ROUNDS)) \
	  $(if $(BENCH_POSTCODES),--postcodes "$(BENCH_POSTCODES)") $(if $(BENCH_ONLY),--only $(BENCH_ONLY))

lint: $(VENV)/.installed-dev ## ruff, bandit, and the direction of the dependencies
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m bandit --quiet --configfile pyproject.toml --recursive $(SERVICES) serve.py examples
	PYTHONPATH=file_reader:postcode_consumer:gateway:cli $(VENV)/bin/lint-imports

type: $(VENV)/.installed-dev ## mypy, one run for each service and for what they share
	for service in $(SERVICES); do (cd $$service && $(CHECK_ENV) ../$(PY) -m mypy .) || exit 1; done
	$(PY) -m mypy serve.py examples/demo.py

format: $(VENV)/.installed-dev ## Formats the code
	$(PY) -m ruff check --fix --quiet . ; $(PY) -m ruff format .

secrets: ## The secrets of the containers, into secrets/: those that are missing
	@# The folder is for its owner alone. The files are for the users of the containers, too, who are others.
	@mkdir -p secrets && chmod 700 secrets
	@for name in $(SECRETS); do [ -s secrets/$$name ] || { \
	  od -An -N32 -tx1 /dev/urandom | tr -d ' \n' > secrets/$$name && chmod 444 secrets/$$name; }; done

up: secrets ## The stack with PostgreSQL in containers (Docker)
	docker compose up --build --detach --wait
	@docker compose exec -T gateway python -m service_kit.ask http://127.0.0.1:8080/status/ || true
	@echo 'Every call needs a key. This makes the first: docker compose exec file_reader python manage.py make_key anna --create-user'

down: ## Ends the containers; the data stays
	docker compose down

requirements: $(VENV)/.installed-dev ## Compiles requirements*.in again, with the hash of every file
	$(COMPILE) requirements.in -o requirements.txt
	for service in gateway file_reader postcode_consumer; do \
	  $(COMPILE) --constraints requirements.txt $$service/requirements.in -o $$service/requirements.txt || exit 1; done
	$(COMPILE) requirements-parquet.in -o requirements-parquet.txt
	$(COMPILE) requirements-dev.in -o requirements-dev.txt

sbom: $(VENV)/.installed-dev ## What the services are made of, as CycloneDX, into var/sbom.json
	@mkdir -p var
	$(VENV)/bin/cyclonedx-py requirements requirements.txt --output-reproducible --output-file var/sbom.json

translations: $(VENV)/.installed-dev ## Brings the languages of the pages up to date, and compiles them
	PYTHONPATH=file_reader $(PY) tools/translations.py

architecture: $(VENV)/.installed-dev ## Draws Architecture.png from docs/draw_architecture.py
	$(PY) docs/draw_architecture.py

clean: ## Removes what the targets above made
	rm -rf $(VENV) var .pytest_cache .mypy_cache .ruff_cache
