# Everything is pinned and hash-checked (requirements*.lock), lives in .venv/ and tests/tools/node_modules/, and needs no root.
# After the first time nothing here needs a network. Works with GNU Make from 3.81, any folder name, and `make -C`.

PYTHON ?= $(shell for p in python3.14 python3.13 python3.12 python3.11 python3 python; do \
	"$$p" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && echo "$$p" && break; done)
AS_OF ?= 2026-12-01
DEMO ?= build/demo
PY := .venv/bin/python
TOOLS := tests/tools/node_modules/.package-lock.json
READER := deploy/preview/node_modules/.package-lock.json
CONFIG ?= examples/syndication.toml
SOURCES := run_pipeline.py pipeline sources transforms outputs deploy benchmarks tests

# A user's own Python settings must not leak into .venv.
unexport PYTHONPATH PYTHONHOME PIP_USER PIP_TARGET PIP_PREFIX PIP_REQUIRE_VIRTUALENV
export PIP_DISABLE_PIP_VERSION_CHECK = 1
PIP := $(PY) -m pip install --quiet --require-hashes --no-deps
# A .venv whose Python has gone (upgraded, moved) is made anew.
BROKEN := $(shell test -e .venv/runtime.stamp && ! $(PY) -c '' 2>/dev/null && echo force)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo demo-s3 pull-client preview test lint format bench lock clean force

help: ## show this
	@echo "make demo     build, publish and pull the examples; needs only Python 3.11+ and make"
	@echo "make demo-s3  the same against a real S3 server that it starts on this machine"
	@echo "make pull-client  the partner's client as one file: build/syndication-pull.pyz"
	@echo "make preview  the editors' preview of CONFIG (the examples); installs its e-book reader where Node is"
	@echo "make test     lint, types and all tests (Java and S3 come by pip; the browser and Node are the system's)"
	@echo "make lint     ruff and mypy alone;  make format  lays the code out"
	@echo "make bench    this pipeline beside a shell loop of pandoc, on one core"
	@echo "make lock     pin the newest versions of everything"
	@echo "make clean    remove what make made"

# --- environments -------------------------------------------------------------------------------

.venv/runtime.stamp: requirements.lock $(BROKEN)
	@sh deploy/check-python.sh "$(PYTHON)"
	@echo "Making .venv with the pinned packages (once) ..."
	@rm -rf .venv
	@"$(PYTHON)" -m venv .venv
	@$(PIP) -r requirements.lock
	@touch $@

.venv/dev.stamp: requirements-dev.lock .venv/runtime.stamp
	@echo "Adding the pinned test tools (once) ..."
	@$(PIP) -r requirements-dev.lock
	@touch $@

# Nu, axe and Ace come from npm. Without Node their tests are skipped, or fail where REQUIRE_ALL_TOOLS is set.
$(TOOLS): tests/tools/package-lock.json tests/tools/package.json
	@echo "Adding the validators that come from npm (once) ..."
	@cd tests/tools && PUPPETEER_SKIP_DOWNLOAD=1 npm ci --no-audit --no-fund --loglevel=error
	@touch $@

# The e-book reader of the preview: served from there, never copied into the project.
$(READER): deploy/preview/package-lock.json deploy/preview/package.json
	@echo "Adding the e-book reader that comes from npm (once) ..."
	@cd deploy/preview && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

# --- what people call ---------------------------------------------------------------------------

demo: .venv/runtime.stamp
	@DEST=$(DEMO)/riverside AS_OF=$(AS_OF) sh deploy/demo.sh

demo-s3: .venv/dev.stamp
	@DEST=$(DEMO)/riverside-from-s3 AS_OF=$(AS_OF) \
		$(PY) deploy/seaweedfs.py -- sh deploy/demo.sh

pull-client: .venv/runtime.stamp
	@$(PY) deploy/pull_client.py build/syndication-pull.pyz

preview: .venv/runtime.stamp $(if $(shell command -v npm 2>/dev/null),$(READER))
	@$(PY) run_pipeline.py preview --open --config $(CONFIG) $(ARGS)

test: lint $(if $(shell command -v npm 2>/dev/null),$(TOOLS) $(READER))
	@$(PY) -m pytest -n auto --dist loadfile $(ARGS)

lint: .venv/dev.stamp
	@$(PY) -m ruff check $(SOURCES)
	@$(PY) -m ruff format --check $(SOURCES)
	@$(PY) -m mypy $(SOURCES)

format: .venv/dev.stamp
	@$(PY) -m ruff check --fix $(SOURCES)
	@$(PY) -m ruff format $(SOURCES)

bench: .venv/dev.stamp
	@$(PY) benchmarks/pandoc_loop.py $(ARGS)

# Pins serve Python 3.11 to 3.14 on Linux and macOS; no address of a package index enters a lock file. Needs uv.
lock:
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --upgrade --quiet \
		--custom-compile-command 'make lock' pyproject.toml -o requirements.lock
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --upgrade --quiet \
		--custom-compile-command 'make lock' pyproject.toml --group dev -c requirements.lock -o requirements-dev.lock
	cd tests/tools && npm update --no-audit --no-fund
	cd deploy/preview && npm update --no-audit --no-fund

clean:
	rm -rf .venv build tests/tools/node_modules deploy/preview/node_modules .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
