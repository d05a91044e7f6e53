# ZhiYing. `make run` and `make test` need Python 3.11 or newer and nothing else; `make help` lists the rest.

VENV ?= .venv
export VENV

# The first interpreter that is new enough; name another with `make run PYTHON=/path/to/python3.12`.
PYTHON ?= $(shell for name in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	"$$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && { echo "$$name"; break; }; \
	done)

BIN = $(VENV)/bin
COMPILE = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes

.DEFAULT_GOAL := help
.PHONY: help run release cluster soak test faults engine check environment environment-dev everything observation frontend format lock messages clean python

run: frontend  ## install what is missing, then serve and work (PORT=8000 HOST=127.0.0.1 DATA_DIR=./data)
	@exec $(BIN)/python manage.py serve

release: frontend  ## make all that `deploy/web` and `deploy/worker` need, static files included
	@rm -f build/static/.collected
	@DATA_DIR=build/release-data $(BIN)/python manage.py collectstatic --noinput --verbosity 0
	@rm -rf build/release-data && touch build/static/.collected

cluster: everything  ## PostgreSQL, broker, S3, 2 web, 2 workers and nginx as private processes (BROKER=rabbitmq|redis)
	@exec $(BIN)/python -m tests.servers.cluster

soak: everything  ## load on a cluster whose parts are killed all the time (SEED=1 MINUTES=60 BROKER=redis|rabbitmq WATCH=1)
	@exec $(BIN)/python -m tests.soak

test: everything  ## run all tests (STAGES="sqlite serial postgresql soak front": some of them)
	@$(BIN)/python tools/verify.py test $(STAGES)

faults: everything  ## run the faults that take long to bring about, which `make test` leaves out
	@$(BIN)/python tools/verify.py faults

engine: everything  ## jobs at a real server: ENGINE=comfyui, with its settings and ENGINE_CREDENTIAL in the environment
	@ENGINE_UNDER_TEST=$(ENGINE) $(BIN)/python -m pytest tests/engines/by_url

check: everything  ## format, lint, types, imports, migrations, production settings, schema
	@$(BIN)/python tools/verify.py check $(STAGES)

format: environment-dev  ## format the Python code and mend what the linter can
	@$(BIN)/ruff check --fix-only . && $(BIN)/ruff format .

environment: python  ## make or update .venv for the application
	@$(PYTHON) tools/environment.py run

observation: environment  ## install what traces (OTEL_…) and Sentry need as well
	@$(PYTHON) tools/environment.py observation

environment-dev: python
	@$(PYTHON) tools/environment.py dev

everything: python
	@$(PYTHON) tools/environment.py all

frontend: environment  ## build the web application (Node from the PATH, or from a wheel)
	@$(PYTHON) tools/environment.py frontend

messages: environment-dev  ## collect and compile the server's translations (needs GNU gettext)
	@$(BIN)/python manage.py makemessages --all --no-obsolete --no-wrap --add-location file \
		--ignore 'frontend/*' --ignore 'tests/*' --ignore 'build/*' --ignore 'data/*'
	@$(BIN)/python manage.py compilemessages --ignore $(VENV)

lock: environment-dev  ## pin the requirements again (UPGRADE=1: to their newest versions)
	@$(COMPILE) $(if $(UPGRADE),--upgrade) requirements.in -o requirements.txt
	@$(COMPILE) $(if $(UPGRADE),--upgrade) requirements-observation.in -o requirements-observation.txt
	@$(COMPILE) $(if $(UPGRADE),--upgrade) requirements-dev.in -o requirements-dev.txt
	@$(COMPILE) $(if $(UPGRADE),--upgrade) requirements-node.in -o requirements-node.txt

clean:  ## remove everything that was made, except the data
	rm -rf $(VENV) build frontend/node_modules frontend/dist .mypy_cache .ruff_cache .pytest_cache .hypothesis

python:
	@[ -n "$(PYTHON)" ] || { echo "error: no Python 3.11 or newer found; install one, or name it: make run PYTHON=/path/to/python3.12" >&2; exit 1; }

help:  ## this list
	@sed -n 's/^\([a-z-]*\):.*  ## \(.*\)/  make \1\t\2/p' Makefile | expand -t 24
