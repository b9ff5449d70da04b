# make demo    one command from a fresh clone to a running server with data in it
# make test    every test
# make help    the rest

SHELL := /usr/bin/env bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# A shell that was open while rustup ran does not find cargo yet.
export PATH := $(PATH):$(HOME)/.cargo/bin

# The demo runs the same build as the tests, so a newcomer compiles everything once, without the link-time optimisation of
# a release. PROFILE=release builds what you would deploy.
PROFILE ?= dev
# As root, Postgres runs as another user, who must be able to reach it: a clone below /root, say, is closed to everybody else.
DEMO_DIR ?= $(shell [ "$$(id -u)" != 0 ] || runuser -u nobody -- test -x "$(CURDIR)" 2>/dev/null && echo .demo || echo /var/tmp/trailmark-demo)
# Your own web server log, in combined format; without one the demo tells a month of a shop.
DEMO_LOG ?=

# A story of the simulation takes about 20 ms of one core, also without PROFILE=release.
SEEDS ?= 10000
FIRST ?= 0
ACTS ?= 150

# Of each fuzz target.
SECONDS ?= 60

TARGET := $(or $(CARGO_TARGET_DIR),target)/$(if $(filter dev,$(PROFILE)),debug,$(PROFILE))

.PHONY: help setup build demo demo-gateway test test-api test-grpc test-slow descriptor test-acme test-deploy test-ffi test-web test-ui ffi wasm ui screenshots sim fuzz bench bench-query bench-engines bench-gateway fmt lint docs

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

setup: ## install what is missing: Postgres, a C compiler
	@scripts/setup.sh

build: setup ## the trailmark binary and the examples
	@scripts/build.sh $(PROFILE) trailmark generate-log quickstart

demo: build wasm ui ## server, private Postgres, a month of a shop with five problems in it; DEMO_LOG=access.log plays a log instead, DEMO_EXIT=1
	@mkdir -p $(DEMO_DIR)
	@exec env $(if $(DEMO_LOG),DEMO_LOG="$(DEMO_LOG)",-u DEMO_LOG) $(TARGET)/trailmark demo --data-dir $(DEMO_DIR)

demo-gateway: setup ## three services of a shop behind the gateway, and calls through it; DEMO_EXIT=1
	@scripts/setup.sh curl
	@scripts/build.sh $(PROFILE) trailmark shop
	@exec scripts/demo-gateway.sh $(TARGET) $(DEMO_DIR)/gateway

test: setup ## every test: unit, property, end to end with a real Postgres, documentation, other languages
	@cargo test --locked --workspace --no-fail-fast
	@cargo test --locked --workspace --features trailmark-simulation/planted-bugs --test planted -- --nocapture
	@$(MAKE) --no-print-directory test-api
	@$(MAKE) --no-print-directory test-grpc
	@$(MAKE) --no-print-directory test-slow
	@$(MAKE) --no-print-directory test-deploy
	@$(MAKE) --no-print-directory test-ffi
	@$(MAKE) --no-print-directory test-web
	@$(MAKE) --no-print-directory test-ui

test-api: setup ## of these, schemathesis: requests made of /openapi.json, answers compared with it; SEED=6 EXAMPLES=50
	@scripts/setup.sh schemathesis
	@scripts/test-api.sh

test-grpc: ## of these, the gateway in front of a real gRPC service, in Python
	@scripts/setup.sh grpc
	@cargo test --locked --workspace --test grpc -- --ignored

test-slow: setup ## of these, slowhttptest against the gateway, and what a healthy client sees of it
	@scripts/setup.sh slow
	@cargo test --locked --workspace --test e2e slow_attacks -- --ignored --nocapture --test-threads=1

descriptor: ## examples/gateway/shop.binpb, made of shop.proto
	@scripts/setup.sh grpc
	@cd examples/gateway && $(realpath $(or $(CARGO_TARGET_DIR),target))/grpc/venv/bin/python -m grpc_tools.protoc \
	  -I. --include_imports --descriptor_set_out=shop.binpb shop.proto

test-deploy: ## of these, deploy/: compose file, manifests, Dockerfile, alert rules with their cases
	@scripts/setup.sh deploy
	@scripts/test-deploy.sh

test-acme: setup ## certificates from an ACME authority: pebble, which is Let's Encrypt's own test server
	@scripts/setup.sh acme
	@cargo test --locked -p trailmark-server --features acme --test acme

test-ffi: ## of these, the client in Python, Kotlin, Dart and C; only those: LANGUAGES="python kotlin"
	@scripts/setup.sh ffi
	@scripts/test-ffi.sh $(LANGUAGES)

test-web: setup ## of these, the web SDK in a real browser
	@scripts/setup.sh web-test
	@scripts/test-web.sh

test-ui: setup ## of these, the dashboard in a real browser
	@scripts/setup.sh web-test
	@scripts/test-ui.sh

ui: ## the dashboard, which the server serves at /
	@scripts/setup.sh ui
	@scripts/ui.sh

screenshots: setup ## pictures of every page of the dashboard, light and dark, desktop and phone: server/ui/screenshots
	@scripts/setup.sh web-test
	@scripts/test-ui.sh screenshots

wasm: ## the web SDK: the files that the server serves, and the npm package
	@scripts/setup.sh web
	@scripts/web.sh

ffi: ## the library that apps carry, and its bindings for Kotlin, Swift, Python and Dart
	@scripts/ffi.sh

sim: ## stories of devices, networks and a server under one seeded scheduler; SEEDS=10000 FIRST=0 ACTS=150, SEED=7 tells one
	@cargo run --quiet --locked --profile $(PROFILE) -p trailmark-simulation -- --seeds $(SEEDS) --first $(or $(SEED),$(FIRST)) --acts $(ACTS) $(if $(SEED),--trace)

fuzz: ## bytes of strangers, made up: the path, the routes, the gateway's file, the ingest, segments, a minute each; SECONDS=60
	@scripts/setup.sh fuzz
	@FUZZ_SECONDS=$(SECONDS) scripts/fuzz.sh

bench: setup ## measurements; results belong into bench/RESULTS.md
	@scripts/bench.sh

bench-query: setup ## how long answers take, EVENTS=10000000 behind them; the data stays in /var/tmp/trailmark-bench-query
	@scripts/bench.sh query

bench-engines: setup ## the same questions about the same events asked of ClickHouse's engine and DuckDB; the data stays in /var/tmp/trailmark-bench-engines
	@scripts/bench-engines.sh

bench-gateway: setup ## the gateway beside nginx, haproxy and Express: CPU a request, requests a second, what it adds
	@scripts/bench.sh gateway

fmt: ## format the code
	@cargo fmt --all
	@cargo fmt --manifest-path fuzz/Cargo.toml

lint: ## formatting and clippy, warnings are errors
	@cargo fmt --all --check
	@cargo fmt --manifest-path fuzz/Cargo.toml --check
	@cargo metadata --locked --format-version 1 --manifest-path fuzz/Cargo.toml > /dev/null # its lock file fits the workspace
	@cargo clippy --locked --workspace --all-targets -- -D warnings
	@cargo clippy --locked --workspace --lib --test golden --features trailmark-ffi/dart,trailmark-ffi/vectors -- -D warnings

docs: ## the API documentation, warnings are errors
	@RUSTDOCFLAGS="-D warnings" cargo doc --locked --workspace --no-deps
