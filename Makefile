# `make` alone lists what there is. Every target works from a fresh clone: what is missing is made on demand.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help e2e checks drills library failover survival soak test unit lint format up down heal budget airgap env lock clean

# Arguments for pytest, as in: make e2e ARGS="-k claims --keep-cluster"
ARGS ?=

python = $$(./environment)/bin/python
pytest = $(python) -m pytest

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

e2e: ## The main job: cluster up, checks, core drills, report, cluster away
	@$(pytest) -m "check or core" $(ARGS)

checks: ## The eleven read-only checks only
	@$(pytest) tests/checks $(ARGS)

drills: ## Every drill that asks something of its own; every fault is in at least one
	@$(pytest) tests/drills -m "not library" $(ARGS)

library: ## What `make drills` leaves out: faults alone that another drill injects as well
	@$(pytest) -m library $(ARGS)

failover: ## The failover drills only (pytest -k failover)
	@$(pytest) -k failover $(ARGS)

survival: ## The data survival drills only (pytest -k survival)
	@$(pytest) -k survival $(ARGS)

# How long, and from which seed; or a schedule.json to go through again.
MINUTES ?=
SEED ?=
SCHEDULE ?=

soak: ## A long run of drawn, composed faults: MINUTES=30 [SEED=n], or SCHEDULE=file to replay (docs/soak.md)
	@[ -n "$(MINUTES)$(SCHEDULE)" ] || \
	  { echo "make soak: say how long, as in make soak MINUTES=30, or which one to replay: SCHEDULE=file" >&2; exit 2; }
	@$(pytest) tests/soak $(if $(MINUTES),--soak-minutes $(MINUTES)) $(if $(SEED),--chaos-seed $(SEED)) \
	  $(if $(SCHEDULE),--schedule $(SCHEDULE)) $(ARGS)

test: lint unit ## The suite's own tests, lint and types: no cluster needed

unit: ## The suite's own unit tests (real redis-server and Sentinel processes, no cluster)
	@python3 -m airgap unit-tools
	@$(pytest) tests/unit --numprocesses 4 --dist loadfile $(ARGS)

lint: ## Lint and types, as CI runs them
	@environment=$$(./environment); \
	$$environment/bin/ruff check . ; \
	$$environment/bin/ruff format --check . ; \
	$$environment/bin/mypy

format: ## Format the code
	@environment=$$(./environment); $$environment/bin/ruff check --fix . ; $$environment/bin/ruff format .

up: ## Cluster and deployment up, kept until `make down`
	@$(python) -m harness.up $(ARGS)

down: ## Remove the cluster that the suite made, and nothing else
	@$(python) -m harness.down $(ARGS)

budget: ## Best and worst failover times of the cluster that stands, from its configuration; breaks nothing
	@$(python) -m harness.budget $(ARGS)

heal: ## Undo the faults that a killed run left in the cluster
	@$(python) -m harness.heal $(ARGS)

airgap: ## Build every tool and image from package registries alone; runs nothing
	@python3 -m airgap build

env: ## Make the Python environment and print where it is; ./.venv leads to it
	@./environment

lock: ## Resolve the dependencies of pyproject.toml anew into requirements.lock (needs uv)
	@uv pip compile pyproject.toml --group dev --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --custom-compile-command "make lock" --output-file requirements.lock --upgrade --quiet

clean: ## Remove reports and local caches; the cluster (make down) and the build cache are left
	@rm -rf reports .mypy_cache .ruff_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
