# Everything runs in .venv, which tools/bootstrap.py makes and keeps current. Paths are relative to this file's
# folder: make cannot cope with spaces in any other kind.

.DEFAULT_GOAL := help
.PHONY: help setup run demo test test-clients test-oidc soak model check format proto lock picture clean
.PHONY: check-style check-types check-imports check-sizes check-contract check-lock

# Python of another project's environment stays out of ours.
unexport PYTHONPATH
unexport PYTHONHOME

PYTHON ?=
ARGS ?=
WORKERS ?= 3
MINUTES ?= 30
export REQUIRE_CLIENTS ?=

help: ## Show this list
	@awk 'BEGIN { FS = ":.*## " } \
		/^##@ / { printf "\n%s\n", substr($$0, 5) } \
		/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile
	@echo
	@echo 'ARGS="…" is handed on to what run, demo, test and lock start:  make test ARGS="-k backup_code"'
	@echo 'PYTHON=/path/to/python3 chooses the Python (3.11 or newer) that .venv is made with.'

##@ See it work
run: setup ## Start the server with a PostgreSQL of its own; data in ./var
	@.venv/bin/twofactor serve $(ARGS)

demo: setup ## Walk through a backup code's life against the running server
	@.venv/bin/twofactor-try demo $(ARGS)

##@ Change it
test: setup ## Run the tests on a real PostgreSQL (WORKERS=3 processes)
	.venv/bin/pytest -n $(WORKERS) --dist loadfile $(ARGS)

test-oidc: setup ## Ask the certified OpenID provider for Node (skipped without Node, unless REQUIRE_CLIENTS=all)
	@sh tests/node_oidc/run.sh $(ARGS)

test-clients: setup ## Build each client that this machine has tools for, and play the conformance cases
	@.venv/bin/python -m clients.conformance $(ARGS)

soak: setup ## Race, kill and cut for MINUTES=30, and write docs/evidence/never-twice.md
	.venv/bin/python -m tests.soak --minutes $(MINUTES) $(ARGS)

model: setup ## Explore the protocol in all its states, whole and with each mechanism taken out
	.venv/bin/python -m model $(ARGS)

check: check-style check-types check-imports check-sizes check-contract check-lock ## Judge style, types, imports, sizes, the contract and the lock
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

format: setup ## Put the code in the house's form
	.venv/bin/ruff check --fix --quiet .
	.venv/bin/ruff format --quiet .

##@ Make again what is made
setup: ## Make .venv, or bring it up to date (every target does this first)
	@python=$$(PYTHON='$(PYTHON)' sh tools/find_python.sh) && "$$python" -I -S tools/bootstrap.py

proto: setup ## Generate docs/contract.md and every client's stubs from the contract
	@.venv/bin/python -m clients.conformance.stubs

lock: setup ## Pin the dependencies again (ARGS=--upgrade for newer ones)
	.venv/bin/uv pip compile requirements.in --output-file requirements.lock --quiet \
		--universal --python-version 3.11 --generate-hashes --custom-compile-command "make lock" \
		--no-emit-package twofactor-client --no-emit-package twofactor-try --no-emit-package twofactor-server $(ARGS)

picture: setup ## Draw the demo for the README (needs a running server)
	.venv/bin/twofactor-try demo --svg docs/demo.svg $(ARGS)

clean: ## Remove .venv, what was built, and the caches; ./var, with keys and data, stays
	rm -rf .venv .venv.lock .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	rm -rf clients/go/bin clients/java/target clients/node/dist clients/node/node_modules clients/rust/target
	find clients model proto server tests tools -name __pycache__ -type d -prune -exec rm -rf {} +
