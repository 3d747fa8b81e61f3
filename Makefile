# make demo: the main job, on the embedded sandbox. make test: everything that must pass. Both set up what they need below
# build/, from Python 3.11+, make and git alone.
PYTHON ?= python3
BUILD := $(CURDIR)/build
VENV := $(BUILD)/venv
BIN := $(VENV)/bin
COLLECTION := $(BUILD)/collections/ansible_collections/gravitee/mcp
# Two workers suit two cores; each has a sandbox of its own.
WORKERS ?= 2
PYTEST_ARGS ?=

export PATH := $(BIN):$(PATH)
export ANSIBLE_COLLECTIONS_PATH := $(BUILD)/collections
export ANSIBLE_HOME := $(BUILD)/ansible
export ANSIBLE_LOCALHOST_WARNING := false
export ANSIBLE_INVENTORY_UNPARSED_WARNING := false
export PYTHONDONTWRITEBYTECODE := 1

.PHONY: demo test sandbox lint sanity docs site unit contract integration e2e travel package oldest bench release-check clean environment

demo: environment
	$(BIN)/python -m tests.demo

test: lint docs site sanity unit contract package oldest e2e integration travel

sandbox: environment
	$(BIN)/python -m tests.sandbox $(SANDBOX_ARGS)

environment: $(VENV)/.installed $(COLLECTION)

$(VENV)/.installed: requirements.txt requirements-dev.txt constraints-dev.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed: make PYTHON=python3.11 …")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	touch $@

# The official MCP packages that the clients of tests/e2e are made with: the last version 1 of the Python SDK, and Node's.
$(BUILD)/sdk-v1/.installed: requirements.txt Makefile
	$(PYTHON) -m venv $(BUILD)/sdk-v1
	$(BUILD)/sdk-v1/bin/pip install --quiet --disable-pip-version-check -r requirements.txt mcp==1.30.0
	touch $@

$(BUILD)/node/.installed: tests/sdk/node/package.json tests/sdk/node/package-lock.json $(VENV)/.installed
	mkdir -p $(BUILD)/node
	cp tests/sdk/node/package.json tests/sdk/node/package-lock.json $(BUILD)/node
	cd $(BUILD)/node && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	touch $@

# The collection runs in place: this checkout is the package gravitee.mcp.
$(COLLECTION):
	mkdir -p $(dir $@)
	ln -sfn $(CURDIR) $@

lint: environment
	$(BIN)/ruff check .
	$(BIN)/ansible-lint

docs: environment
	$(BIN)/antsibull-changelog lint
	$(BIN)/antsibull-docs lint-collection-docs --plugin-docs --skip-rstcheck .

# The manual as a website, its links followed.
site: environment
	tests/site/build.sh $(BUILD)/site

sanity: environment
	tests/sanity.sh $(BUILD)/sanity

unit contract: environment
	$(BIN)/python -m pytest tests/$@ $(PYTEST_ARGS)

package: environment
	$(BIN)/python -m pytest tests/package $(PYTEST_ARGS)

# The oldest ansible-core that meta/runtime.yml promises runs the same role.
oldest: environment $(BUILD)/oldest/.installed
	GRAVITEE_TEST_ANSIBLE=$(BUILD)/oldest/bin $(BIN)/python -m pytest tests/package $(PYTEST_ARGS)

$(BUILD)/oldest/.installed: requirements.txt Makefile
	$(PYTHON) -m venv $(BUILD)/oldest
	$(BUILD)/oldest/bin/pip install --quiet --disable-pip-version-check -r requirements.txt ansible-core==2.17.14
	touch $@

integration: environment
	$(BIN)/python -m pytest tests/integration -n $(WORKERS) --durations=12 $(PYTEST_ARGS)

# Whole clients: the official SDKs, the conformance suite, a person in a browser.
e2e: environment $(BUILD)/sdk-v1/.installed $(BUILD)/node/.installed
	tests/browser.sh
	$(BIN)/python -m pytest tests/e2e -n $(WORKERS) $(PYTEST_ARGS)

# The flows once more with modules that travel, as to another host.
travel: environment
	GRAVITEE_TEST_TRAVEL=1 $(BIN)/python -m pytest tests/integration/test_flows.py -n $(WORKERS) -k "foretold_run_and_run_again" $(PYTEST_ARGS)

bench: environment
	$(BIN)/python -m tests.bench $(BENCH_ARGS)

# Before a release: the version is that of the newest changelog, no fragment is left over, and the tarball, its documentation, its
# installed role and ansible-test sanity are fine.
release-check: lint docs site sanity package oldest
	$(BIN)/python -m tests.release

clean:
	rm -rf $(BUILD) tests/output
