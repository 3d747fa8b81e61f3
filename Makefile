# make demo: the main job, on the embedded sandbox. make test-fast: what to run before every commit. make test: everything that
# must pass. They set up what they need below build/, from Python 3.11+, make and git alone; make test wants the Pythons of
# tests/matrix.txt, too.
#
# The development environment prefers a Python that the newest ansible-core runs on.
PYTHON ?= $(or $(shell tests/python.sh 3.13 3.12 3.11 3.14),python3)
BUILD := $(CURDIR)/build
VENV := $(BUILD)/venv
BIN := $(VENV)/bin
COLLECTION := $(BUILD)/collections/ansible_collections/gravitee/mcp
# The tests wait more than they compute: four workers keep two cores busy. Each has a sandbox of its own.
WORKERS ?= 4
PYTEST_ARGS ?=
# The rooms of plugins/module_utils that mypy checks strictly.
TYPED := core flows mcp objects planes
# The integration tests that play no playbook.
FAST = $(shell grep -L Playbooks tests/integration/test_*.py)

export PATH := $(BIN):$(PATH)
export ANSIBLE_COLLECTIONS_PATH := $(BUILD)/collections
export ANSIBLE_HOME := $(BUILD)/ansible
export ANSIBLE_LOCALHOST_WARNING := false
export ANSIBLE_INVENTORY_UNPARSED_WARNING := false
export PYTHONDONTWRITEBYTECODE := 1

.PHONY: demo test test-fast sandbox lint sanity docs site unit contract integration e2e travel package matrix bench \
	profile release-check publish clean environment

demo: environment
	$(BIN)/python -m tests.demo

test: lint docs site sanity unit contract e2e integration travel matrix

# Without playbooks and whole clients: each module, the planes and the sandbox.
test-fast: environment
	$(BIN)/ruff check .
	$(BIN)/python -m pytest tests/unit tests/contract -n $(WORKERS) $(PYTEST_ARGS)
	$(BIN)/python -m pytest $(FAST) -n $(WORKERS) $(PYTEST_ARGS)

sandbox: environment
	$(BIN)/python -m tests.sandbox $(SANDBOX_ARGS)

environment: $(VENV)/.installed $(COLLECTION)

$(VENV)/.installed: requirements.txt requirements-dev.txt constraints-dev.txt tests/matrix.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed: make PYTHON=python3.11 …")'
	$(PYTHON) -m venv --clear $(VENV)
	core=$$($(BIN)/python tests/matrix.py --newest) && \
		$(BIN)/pip install --quiet --disable-pip-version-check -r requirements-dev.txt "$$core"
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

# Runs the rulebook; Java 17 has to be there for it.
$(BUILD)/rulebook/.installed: requirements.txt Makefile
	$(PYTHON) -m venv $(BUILD)/rulebook
	$(BUILD)/rulebook/bin/pip install --quiet --disable-pip-version-check -r requirements.txt ansible-rulebook==1.3.2
	touch $@

# The collection runs in place: this checkout is the package gravitee.mcp.
$(COLLECTION):
	mkdir -p $(dir $@)
	ln -sfn $(CURDIR) $@

lint: environment
	$(BIN)/ruff check .
	cd $(COLLECTION)/../../.. && $(BIN)/mypy --config-file $(CURDIR)/pyproject.toml \
		$(addprefix ansible_collections/gravitee/mcp/plugins/module_utils/,$(TYPED))
	$(BIN)/ansible-lint
	$(BIN)/python -m tests.phrases

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

# What ansible-core can break, on every version in tests/matrix.txt.
matrix: environment
	$(BIN)/python -m tests.matrix -n $(WORKERS) $(PYTEST_ARGS)

integration: environment
	$(BIN)/python -m pytest tests/integration -n $(WORKERS) --dist worksteal --durations=12 $(PYTEST_ARGS)

# Whole clients: the official SDKs, the conformance suite, a person in a browser.
e2e: environment $(BUILD)/sdk-v1/.installed $(BUILD)/node/.installed $(BUILD)/rulebook/.installed
	tests/browser.sh
	$(BIN)/python -m pytest tests/e2e -n $(WORKERS) $(PYTEST_ARGS)

# The flows once more with modules that travel, as to another host.
travel: environment
	GRAVITEE_TEST_TRAVEL=1 $(BIN)/python -m pytest tests/integration/test_flows.py -n $(WORKERS) -k "predicted_run_and_run_again" $(PYTEST_ARGS)

bench: environment
	$(BIN)/python -m tests.bench $(BENCH_ARGS)

# Where the time of the role goes: --requests for each task's, --sync-delay 5 for a gateway that follows in five seconds.
profile: environment
	$(BIN)/python -m tests.bench.profile $(PROFILE_ARGS)

# Before a release: the version is that of the newest changelog and of the tag RELEASE, no fragment is left over, and the tarball, its
# documentation, its installed role and ansible-test sanity are fine.
release-check: lint docs site sanity matrix
	$(BIN)/python -m tests.release $(RELEASE)

# To the Galaxy, and with the token, that ansible-galaxy's environment variables name.
publish: environment
	rm -rf $(BUILD)/tarball
	$(BIN)/ansible-galaxy collection build --output-path $(BUILD)/tarball
	$(BIN)/ansible-galaxy collection publish $(BUILD)/tarball/*.tar.gz

clean:
	rm -rf $(BUILD) tests/output
