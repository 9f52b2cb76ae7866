# Two commands matter: `make run` and `make test`. Nothing needs to be installed first but Python 3.11, make and git.

PYTHON ?= python3.11
VENV   ?= .venv
BIN     = $(VENV)/bin
DEMO   ?= 1
PYTEST_ARGS ?= -n auto --dist loadgroup

.PHONY: run test check messages bench bench-check interop browser storm clean

run: $(VENV)/.run
	@exec $(BIN)/python manage.py portal --migrate $(if $(filter 0,$(DEMO)),,--demo)

test: $(VENV)/.dev
	@$(BIN)/python -m pytest $(PYTEST_ARGS)

check: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	$(BIN)/python docs/house.py --check
	$(BIN)/mypy
	$(BIN)/python manage.py makemigrations --check --dry-run
	$(BIN)/python manage.py spectacular --fail-on-warn --file /dev/null
	@PORTAL_MODE=production PUBLIC_HOST=portal.example PUBLIC_URL=https://portal.example REDIS_URL=redis://127.0.0.1:6379/0 \
	 SECRET_KEY=$$($(BIN)/python -c 'import secrets; print(secrets.token_urlsafe(48))') \
	 FIELD_ENCRYPTION_KEYS=$$($(BIN)/python -c 'from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())') \
	 LEDGER_SIGNING_KEYS=$$($(BIN)/python -c 'import base64, secrets; print(base64.urlsafe_b64encode(secrets.token_bytes(32)).decode())') \
	 EMAIL_URL=smtp://127.0.0.1:25 DATABASE_URL=postgres://portal@127.0.0.1/portal $(BIN)/python manage.py check --deploy --fail-level WARNING

# Gathers what a person reads into locale/TO/LC_MESSAGES, for a translator (needs Debian's gettext): make messages TO=de
TO ?= de
messages: $(VENV)/.dev
	@$(BIN)/python manage.py makemessages --locale $(TO) --no-location --ignore 'tests/*' --ignore '$(VENV)/*' --ignore 'var/*'
	@$(BIN)/python manage.py makemessages --locale $(TO) --no-location --domain djangojs --ignore 'tests/*' --ignore '$(VENV)/*' --ignore 'var/*'

bench: $(VENV)/.dev
	@$(BIN)/python -m bench.run $(BENCH_ARGS)
ifeq ($(BENCH_ARGS),)
	@$(BIN)/python -m bench.sms
	@$(BIN)/python -m bench.gateway
	@command -v redis-server >/dev/null && .ci/with-services $(BIN)/python -m bench.sms || true
	@command -v redis-server >/dev/null && .ci/with-services $(BIN)/python -m bench.gateway || true
endif

bench-check: $(VENV)/.dev
	@$(BIN)/python -m pytest tests/bench/test_runs.py -p no:xdist

interop: $(VENV)/.dev
	@$(BIN)/python -m pytest tests/interop -p no:xdist -rs

storm: $(VENV)/.dev
	@STORM_KILLS=20 STORM_DTLS_DEVICES=1000 $(BIN)/python -m pytest tests/flows/test_storm.py tests/flows/test_storm_dtls.py -p no:xdist

browser: $(VENV)/.dev
	@$(BIN)/python -m pytest tests/browser -p no:xdist -rs

$(VENV)/bin/python:
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) is not installed. Install Python 3.11, or name it: make PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "The virtual environment cannot be made. On Debian: apt-get install python3.11-venv"; exit 1; }

$(VENV)/.run: requirements.txt | $(VENV)/bin/python
	@echo "Installing (once) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

$(VENV)/.dev: requirements-dev.txt $(VENV)/.run
	@echo "Installing test tools (once) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache staticfiles bench/build
