# frontdesk: `make help` says what there is. Every target may be run again; what is done is not done twice.
SHELL := /bin/bash
CONFIG ?= config/example.yaml
TARGET := $(or $(CARGO_TARGET_DIR),target)

.DEFAULT_GOAL := help
.PHONY: help setup build models run test lint licences acceptance bench

help: ## this list
	@awk -F': .*## ' '/^[a-z]+:.*## / { printf "make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## install the missing system packages for building (Debian)
	@scripts/setup build

build: setup ## the release binary
	cargo build --release

models: build ## fetch the model files into ~/.cache/frontdesk/models ($FRONTDESK_MODELS)
	$(TARGET)/release/frontdesk models fetch

run: models ## answer calls on loopback by an example (CONFIG=config/example.yaml)
	@scripts/run $(TARGET)/release/frontdesk $(CONFIG)

test: ## all tests
	@scripts/setup build test
	cargo build
	$(TARGET)/debug/frontdesk models fetch
	cargo test

lint: setup licences ## formatting, clippy, licences
	cargo fmt --check
	cargo clippy --all-targets -- -D warnings

licences: ## licence of every dependency against deny.toml
	scripts/licences

acceptance: models ## every measured point, figures into benches/RESULTS.md (STEPS="20 30" for some, AGAIN=1 to repeat)
	@scripts/setup build test acceptance
	acceptance/run $(if $(AGAIN),--again) $(STEPS)

bench: setup ## the benches
	cargo bench
