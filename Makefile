# The documented interface of the project: `make help` lists it.
# Every target makes what it needs first, in .venv; nothing but Python >= 3.11, git and make has to be there.

PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
VENV := .venv
BIN := $(VENV)/bin
RUN := $(BIN)/.slipway-run
DEV := $(BIN)/.slipway-dev
BROWSER := $(BIN)/.slipway-browser

.PHONY: help setup demo test coverage test-manifests test-conformance lint check bench golden generated lock clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 18

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed; set PYTHON=/path/to/python3"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "this Python cannot make virtual environments: install its venv package"; exit 1; }

# A lock file with hashes, then the project itself without asking any index again.
$(RUN): requirements.lock pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(DEV): requirements-dev.lock $(RUN)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@

# Pages are driven by packages that nothing else needs.
$(BROWSER): requirements-browser.lock $(DEV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-browser.lock
	@touch $@

setup: $(DEV) ## make the virtual environment with everything for development

demo: $(RUN) ## run the platform here, build every sample, dry-run a workflow, let one run on the playground; ARGS=--once exits by itself
	@$(BIN)/python -m slipway.demo $(ARGS)

test: $(DEV) ## unit, golden and property tests; offline after the first set-up
	@$(BIN)/python -m pytest -m "not conformance" -n auto --dist loadfile $(ARGS)

coverage: $(DEV) ## branch coverage of shared/ by the tests of `make test`; what other processes run is not seen
	@$(BIN)/python -m coverage run --source=shared -m pytest -q -m "not conformance" $(ARGS)
	@$(BIN)/python -m coverage report --skip-covered

test-manifests: $(DEV) ## every emitted object against the Kubernetes schemas, and checkov
	@$(BIN)/python -m pytest tests/manifests --timeout=1200 $(ARGS)

# The folders of the other tiers.
TIERS := .* golden manifests cluster docker browser bench
test-conformance: $(DEV) ## what runs as programs: orchestrator, process runtime, scripts, dry runs, samples, services; and faults of them
	@$(BIN)/python -m pytest -m conformance -o norecursedirs="$(TIERS)" -n auto --dist loadfile $(ARGS)

# --- images: of every service that has a console script, and of every node that has a program
SERVICES := $(filter-out driver,$(shell sed -n 's/^slipway-\([a-z-]*\) = .*/\1/p' pyproject.toml)) # the driver is in the orchestrator's
NODES := $(patsubst samples/%/node.py,%,$(sort $(wildcard samples/*/nodes/*/node.py)))
VERSION = $(shell sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml)
BASE := $(or $(SLIPWAY_BASE),python:3.13-slim)

.PHONY: images image-names test-docker base-has-digest
images: $(SERVICES:%=image/%) $(NODES:%=image/%) ## build the image of every service and sample node; RELEASE=1 BASE=name@sha256:…

image-names: ## list what `make images` builds
	@printf '%s\n' $(SERVICES:%=slipway/%:$(VERSION)) $(foreach node,$(NODES),slipway/sample-$(notdir $(node)):1)

$(SERVICES:%=image/%): image/%: base-has-digest
	docker build --build-arg BASE=$(BASE) --build-arg SERVICE=$* -t slipway/$*:$(VERSION) .

# SAMPLE/nodes/NODE
$(NODES:%=image/%): image/%: base-has-digest
	docker build --build-arg BASE=$(BASE) --build-arg SAMPLE=$(firstword $(subst /, ,$*)) --build-arg NODE=$(notdir $*) \
		-t slipway/sample-$(notdir $*):1 samples

base-has-digest:
	@test -z "$(RELEASE)" || case "$(BASE)" in *@sha256:*) ;; \
		*) echo "a release is built on a digest: expected BASE=name@sha256:…, found $(BASE)"; exit 1;; esac

test-docker: $(DEV) ## build all images and run compose for real; needs a Docker engine; SLIPWAY_BASE=image to build on
	@$(BIN)/python -m pytest tests/docker --timeout=2400 $(ARGS)

.PHONY: test-cluster
test-cluster: $(DEV) ## real API server and pods: the cluster of KUBECONFIG; eval "$(tests/cluster/start)" starts one
	@$(BIN)/python -m pytest tests/cluster -n 3 --dist loadgroup --timeout=600 $(ARGS)

.PHONY: test-browser
test-browser: $(BROWSER) ## headless Chromium (the one on the path, or SLIPWAY_CHROMIUM) visits the pages; pictures in build/browser
	@$(BIN)/python -m pytest tests/browser $(ARGS)

lint: $(DEV) ## ruff, mypy --strict, import contracts
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache

check: lint test test-manifests test-conformance ## what CI runs; CI also runs the demo, test-browser, test-docker and test-cluster

bench: $(DEV) ## measure; ONLY=text chooses rows; writes build/bench.json
	@PYTHONPATH=.:tests $(BIN)/python -m tests.bench $(if $(ONLY),--only "$(ONLY)") $(ARGS)

golden: $(DEV) ## write the golden bundles anew; look at the difference before you commit it
	@$(BIN)/python -m pytest tests/kubernetes_client tests/shared/kubernetes tests/services/argo tests/services/kubeflow --regenerate $(ARGS)

generated: $(DEV) ## write everything generated anew: finishing scripts, protobuf modules, the tables of the README, its picture
	@$(BIN)/python -m shared.finishing.joining
	@$(BIN)/python -m shared.orchestration.regenerate
	@$(BIN)/python -m slipway.reference
	@$(BIN)/python -m slipway.playground_picture

lock: $(BIN)/python ## choose newer dependencies
	$(BIN)/python -m pip install --quiet uv
	echo 'setuptools>=77' | $(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --upgrade \
		--extra up pyproject.toml - -o requirements.lock
	echo 'setuptools>=77' | $(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --upgrade \
		--extra lint -c requirements.lock pyproject.toml - -o requirements-dev.lock
	echo 'setuptools>=77' | $(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --upgrade \
		--extra browser -c requirements-dev.lock pyproject.toml - -o requirements-browser.lock
	echo 'setuptools>=77' | $(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --upgrade \
		--extra up --extra orchestrator --extra tracing -c requirements-dev.lock pyproject.toml - -o requirements-images.lock
	$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --upgrade \
		-c requirements-images.lock samples/requirements-build.txt -o samples/requirements-build.lock
	$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --upgrade \
		-c samples/requirements-build.lock samples/requirements.txt -o samples/requirements.lock

clean: ## remove what the other targets made
	rm -rf build $(VENV) .venv-* .mypy_cache .ruff_cache .pytest_cache .hypothesis *.egg-info
