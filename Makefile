# Every command runs in .venv, which tools/bootstrap.py creates and updates. Paths are relative to the folder of this
# file, because make cannot handle spaces in absolute paths.

.DEFAULT_GOAL := help
.PHONY: help setup run demo test test-clients test-oidc soak model check format proto lock picture clean
.PHONY: check-style check-types check-imports check-sizes check-contract check-lock

# Keep other projects' Python packages out of .venv.
unexport PYTHONPATH
unexport PYTHONHOME

PYTHON ?=
ARGS ?=
WORKERS ?= 3
MINUTES ?= 30
export REQUIRE_CLIENTS ?=

help: ## List the targets
	@awk 'BEGIN { FS = ":.*## " } \
		/^##@ / { printf "\n%s\n", substr($$0, 5) } \
		/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile
	@echo
	@echo 'ARGS="…" passes arguments to the command of a target:  make test ARGS="-k backup_code"'
	@echo 'PYTHON=/path/to/python3 selects the Python (3.11 or newer) for .venv.'

##@ Run
run: setup ## Start the server with an embedded PostgreSQL; data in ./var
	@.venv/bin/twofactor serve $(ARGS)

demo: setup ## Demonstrate the life of a backup code on the running server
	@.venv/bin/twofactor-try demo $(ARGS)

##@ Develop
setup: ## Create or update .venv (every target does this first)
	@python=$$(PYTHON='$(PYTHON)' sh tools/find_python.sh) && "$$python" -I -S tools/bootstrap.py

test: setup ## Run the tests on a real PostgreSQL (WORKERS=3 processes)
	.venv/bin/pytest -n $(WORKERS) --dist loadfile $(ARGS)

test-oidc: setup ## Test against the certified OpenID provider for Node (REQUIRE_CLIENTS=all fails without Node)
	@sh tests/clients/node_oidc/run.sh $(ARGS)

test-clients: setup ## Build every client that has its toolchain here, and run the conformance cases
	@.venv/bin/python -m clients.conformance $(ARGS)

soak: setup ## Run the slow tests, then races, kills and connection cuts for MINUTES=30
	.venv/bin/pytest -n $(WORKERS) --dist worksteal -m slow
	.venv/bin/python -m tests.soak --minutes $(MINUTES) $(ARGS)

model: setup ## Explore all states of the protocol model, also with each mechanism removed
	.venv/bin/python -m model $(ARGS)

check: check-style check-types check-imports check-sizes check-contract check-lock ## Run all static checks
check-style: setup
	.venv/bin/ruff format --check --quiet --output-format concise .
	.venv/bin/ruff check --quiet .
check-types: setup
	.venv/bin/mypy
check-imports: setup
	.venv/bin/lint-imports --no-logo
check-sizes: setup
	.venv/bin/python tools/size_budget.py
check-contract: setup
	.venv/bin/buf lint proto
	.venv/bin/buf breaking proto --against proto/released.binpb
	.venv/bin/python proto/generate.py --check
	.venv/bin/python proto/reference.py --check
check-lock: setup
	.venv/bin/python tools/lock_freshness.py
	.venv/bin/pip check --quiet

format: setup ## Format the code and apply automatic lint fixes
	.venv/bin/ruff check --fix --quiet .
	.venv/bin/ruff format --quiet .

clean: ## Remove .venv, build output and caches; keeps ./var with its keys and data
	rm -rf .venv .venv.lock .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	rm -rf clients/go/bin clients/java/target clients/node/dist clients/node/node_modules clients/rust/target
	find clients model proto server tests tools -name __pycache__ -type d -prune -exec rm -rf {} +

##@ Regenerate
proto: setup ## Generate docs/contract.md and the stubs of every client from the contract
	@.venv/bin/python -m clients.conformance.stubs

lock: setup ## Update requirements.lock (ARGS=--upgrade for newer versions)
	.venv/bin/uv pip compile requirements.in --output-file requirements.lock --quiet \
		--universal --python-version 3.11 --generate-hashes --custom-compile-command "make lock" \
		--no-emit-package twofactor-proto --no-emit-package twofactor-client \
		--no-emit-package twofactor-try --no-emit-package twofactor-server $(ARGS)

picture: setup ## Draw the README's picture of the demo (needs a running server)
	.venv/bin/twofactor-try demo --svg docs/demo.svg $(ARGS)
