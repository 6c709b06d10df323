# Every target does all of its own set-up and is quick when there is nothing to do.
#
#   make run        everything needed, then serves on http://127.0.0.1:8080 (ARGS="--config my.toml" is passed on)
#   make build      web app and widget, then target/release/switchboard with them inside
#   make test       everything needed, then all tests
#   make help       the others
#
# CARGO_TARGET_DIR is honoured. The first release build takes about ten minutes on two cores; later ones take seconds.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:
# Cargo would take an outer make's job tokens for its own.
unexport MAKEFLAGS MFLAGS

TARGET_DIR := $(if $(CARGO_TARGET_DIR),$(CARGO_TARGET_DIR),target)
ARGS ?=

.PHONY: help run build test test-rust test-web test-e2e lint fmt servers servers-down bench openapi crash fuzz

help: ## this list
	@grep -hE '^[a-z0-9-]+:.*##' Makefile | sed -E 's/^([a-z0-9-]+):.*## /\1\t/' | while IFS=$$'\t' read -r name text; do printf 'make %-14s %s\n' "$$name" "$$text"; done

run: build ## builds what changed, then serves on SQLite (ARGS="…" is passed on to `serve`)
	@exec "$(TARGET_DIR)/release/switchboard" serve $(ARGS)

build: ## web app and widget, then target/release/switchboard with them inside
	@scripts/packages run
	@scripts/web build
	@cargo build --release --bin switchboard

test: ## installs and starts what the tests need, then runs all of them
	@scripts/packages test
	@scripts/mails
	@scripts/telegram-clients
	@scripts/telephony-sdks
	@scripts/web build
	@scripts/with-servers scripts/test all

test-rust: ## Rust tests alone, with PostgreSQL and mail servers
	@scripts/packages test
	@scripts/mails
	@scripts/telegram-clients
	@scripts/telephony-sdks
	@scripts/web build
	@scripts/with-servers scripts/test rust

test-web: ## checks and unit tests of the web app alone
	@scripts/packages run
	@scripts/web build
	@scripts/test web

test-e2e: ## browser tests alone
	@scripts/packages test
	@scripts/web build
	@scripts/with-servers scripts/test e2e

lint: ## formatting, clippy, the web app's linters
	@scripts/packages run
	@scripts/web modules
	@scripts/test lint

fmt: ## formats everything
	@scripts/web modules
	@cargo fmt --all
	@cd web && npm run --silent format

servers: ## starts the test servers and prints what to export: eval "$$(make -s servers)"
	@scripts/packages test
	@tests/servers/up

servers-down: ## stops them
	@tests/servers/down

crash: ## the crash test alone (SWITCHBOARD_CRASH_SEED=…, SWITCHBOARD_CRASH_KILLS=…)
	@scripts/packages test
	@scripts/with-servers cargo test --test crash -- --nocapture

bench: ## the benches in release (ARGS="ingest http latency routing footprint mail telegram": only these)
	@scripts/packages test
	@scripts/web build
	@scripts/with-servers --durable cargo bench --bench '*' $(if $(ARGS),-- $(ARGS))
	@$(if $(ARGS),$(if $(filter mail,$(ARGS)),cargo bench -p switchboard-email --bench mapping),cargo bench -p switchboard-email --bench mapping)

fuzz: ## fuzzes the reading of mails; needs a nightly compiler and cargo-fuzz (ARGS="-max_total_time=1800")
	@scripts/mails
	@scripts/fuzz $(ARGS)

openapi: ## writes web/openapi.json from the program, and the web app's types from it
	@scripts/packages run
	@scripts/web modules
	@scripts/openapi
