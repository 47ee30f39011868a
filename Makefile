# Two commands do everything: `make run` and `make test`. The rest are parts of them, or slower.
# Make decides by file times, so that nothing is started when nothing changed.

SHELL := /bin/bash
.DELETE_ON_ERROR:
.PHONY: run build test check check-slow bench demo-large clean

DATA ?= data
MODEL := models/all-MiniLM-L6-v2/.verified
BINARY := .build/release/pyairtable-ai
STAMPS := .build/stamps
# Written last by the script, so its presence says that the rest is whole.
PACKAGES := $(DATA)/debian-packages/base.json
SOURCES := Package.swift $(shell find Sources -type f)
TESTS := $(shell find Tests -type f -not -name '*.pyc')
# The same flags for every debug build: another choice would build the whole graph again.
DEBUG_BUILD := PYAIRTABLE_OPTIMIZE_KERNELS=1 swift build --build-tests --explicit-target-dependency-import-check error
# Four tests at a time: more starve each other on two cores, and deadlines inside them pass.
DEBUG_TEST := PYAIRTABLE_OPTIMIZE_KERNELS=1 SWT_EXPERIMENTAL_MAXIMUM_PARALLELIZATION_WIDTH=4 \
	swift test --skip-build --explicit-target-dependency-import-check error

# With Swift's libraries inside, by the toolchain's own linker: one file that runs where no Swift is, starts a seventh faster and
# holds 3.5 MB less.
RELEASE_BUILD := swift build -c release --product pyairtable-ai --static-swift-stdlib -Xswiftc -use-ld=lld

run: $(BINARY) $(MODEL)
	@scripts/demo $(BINARY) $(DATA)

build: $(BINARY)

$(STAMPS)/setup-run: scripts/setup
	@scripts/setup run
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/setup-test: scripts/setup Tests/Clients/requirements.txt
	@scripts/setup test
	@mkdir -p $(STAMPS) && touch $@ $(STAMPS)/setup-run

$(MODEL): scripts/fetch-model
	@scripts/setup model
	@touch $@

$(BINARY): $(SOURCES) | $(STAMPS)/setup-run
	$(RELEASE_BUILD)
	@touch $@

$(STAMPS)/debug: $(SOURCES) $(TESTS) | $(STAMPS)/setup-test
	$(DEBUG_BUILD)
	@mkdir -p $(STAMPS) && touch $@

# Everything a reviewer would ask, before the tests themselves.
check: $(STAMPS)/debug
	swift format lint --strict --recursive Package.swift Sources Tests
	scripts/check-docs
	$(DEBUG_TEST) --filter TidyTests

test: check $(BINARY) $(MODEL)
	scripts/with-postgres env $(DEBUG_TEST)

# Long seeded runs: crashes, mutations, recall and churn on real vectors. A test contacts nobody, so the texts of the
# large demo are fetched here.
check-slow: check $(BINARY) $(MODEL) $(PACKAGES)
	PYAIRTABLE_LONG=1 PYAIRTABLE_TEST_PACKAGES=$(dir $(PACKAGES))Packages.jsonl scripts/with-postgres env $(DEBUG_TEST)

$(PACKAGES): scripts/debian-packages-base
	scripts/debian-packages-base $(dir $@)
	@touch $@

bench: $(BINARY) $(MODEL)
	@scripts/bench $(BINARY)

# A second, large base made from this machine's own Debian package index.
demo-large: $(BINARY) $(MODEL)
	@scripts/demo-large $(BINARY) $(DATA)

clean:
	rm -rf .build
