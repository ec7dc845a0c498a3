# The verbs of the project. Each does all the set-up it needs; `make help` lists them.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PRESET ?= dev
CMAKE_ARGS ?=
PYTEST_ARGS ?=
DEMO_ARGS ?=
BENCH ?= benchmarks/compare.py
BENCH_ARGS ?=
FUZZ_ARGS ?=
MUTANTS ?=

export HOME := $(or $(HOME),$(CURDIR)/build/home)
export PATH := $(CURDIR)/.venv/bin:$(PATH)
export HWARO_PRESET = $(PRESET)
tree = $(CURDIR)/build/$(PRESET)
python = PYTHONPATH='$(tree)/python' .venv/bin/python
setup = tools/setup.sh build
pytest = $(python) -m pytest -n 2 $(PYTEST_ARGS)

# A verb is never a file, and verbs run one after the other.
.NOTPARALLEL:
.PHONY: help demo demo-compare test test-cpp test-python test-consumer conformance check fmt bench \
        asan tsan arm64 fuzz mutants full docs coverage lines wheel build clean

help:  ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo:  ## train a small CNN on Fashion-MNIST with Hwaro (DEMO_ARGS=…); results in runs/demo
	@$(setup) demo
	@$(MAKE) build
	$(python) -m hwaro examples/python/fashion_mnist.py --out runs/demo $(DEMO_ARGS)

demo-compare:  ## the same script with Hwaro and with PyTorch, losses and times side by side
	@$(setup) demo conformance
	@$(MAKE) build
	$(python) tools/demo_compare.py $(DEMO_ARGS)

build:  ## compile into build/$(PRESET) (PRESET=dev, release, asan or tsan)
	@$(setup)
	@tools/build.sh $(PRESET) $(CMAKE_ARGS)

test:  ## C++ tests, Python tests and a C++ consumer of the installed library; no PyTorch
	@$(setup) test demo
	@$(MAKE) build
	@$(MAKE) test-cpp test-python test-consumer

test-cpp:
	$(tree)/hwaro_tests

test-python:
	$(pytest) tests/python

test-consumer:
	tools/consumer.sh $(tree)

# Kernels of one instruction set per run; HWARO_CPU_CAPABILITY names it, else the commits take turns.
conformance:  ## compare with PyTorch 2.13.0, cell by cell (installs PyTorch into .venv)
	@$(setup) test demo conformance
	@$(MAKE) build
	@export HWARO_CPU_CAPABILITY=$${HWARO_CPU_CAPABILITY:-$$(tools/capability.sh '$(tree)' one)}; \
	echo "conformance: kernels of $$HWARO_CPU_CAPABILITY"; $(pytest) tests/conformance

check:  ## format, layers, the door to bytes, weak symbols, stubs, C++ calls, clang-tidy where installed
	@$(setup) check
	@$(MAKE) build
	tools/check.sh $(tree)

fmt:  ## format all C++ files
	@$(setup) check
	tools/format.sh --fix

bench:  ## run BENCH=path/to/compare.py (default benchmarks/compare.py) against PyTorch; BENCH_ARGS=…
	@test -f '$(BENCH)' || { echo "bench: there is no $(BENCH); say BENCH=path/to/compare.py" >&2; exit 2; }
	@$(setup) test demo conformance
	@$(MAKE) build
	$(python) '$(BENCH)' hwaro torch $(BENCH_ARGS)

asan:  ## all tests and 2,000 random programs under AddressSanitizer and UndefinedBehaviorSanitizer
	@$(setup) test demo conformance
	@$(MAKE) build PRESET=asan
	tools/sanitize.sh asan $(PYTEST_ARGS)

tsan:  ## C++ tests and the threading tests of Python under ThreadSanitizer
	@$(setup) test demo
	@$(MAKE) build PRESET=tsan
	tools/sanitize.sh tsan $(PYTEST_ARGS)

arm64:  ## cross-build for 64-bit ARM and its C++ tests under qemu
	@$(setup) test
	tools/arm64.sh

fuzz:  ## random programs against PyTorch (FUZZ_ARGS="--count 2000 --seed 1")
	@$(setup) test demo conformance
	@$(MAKE) build
	$(python) tests/fuzz/fuzz.py $(FUZZ_ARGS)

mutants:  ## seed bugs in a copy of the tree and expect the tests to notice (MUTANTS="name …" for some)
	@$(setup) test demo
	python3 tests/mutants/run.py $(MUTANTS)

full:  ## everything: check, test, conformance with every instruction set, arm64, sanitizers, 100,000 random programs, mutants (hours)
	@$(MAKE) check test
	@for isa in $$(tools/capability.sh '$(tree)' all); do HWARO_CPU_CAPABILITY=$$isa $(MAKE) conformance; done
	@$(MAKE) arm64 asan tsan
	@$(MAKE) fuzz FUZZ_ARGS="--count 50000 --jobs $$(nproc)"
	@$(MAKE) fuzz FUZZ_ARGS="--count 50000 --seed 50001 --jobs $$(nproc) --pool"
	@$(MAKE) mutants

coverage:  ## how much of PyTorch conforms, entry by entry of its own samples; writes docs/coverage.md
	@$(setup) test demo conformance
	@$(MAKE) build
	$(python) tests/conformance/coverage.py --markdown docs/coverage.md

lines:  ## which lines of the C++ engine the tests reach, in build/coverage/report
	@$(setup) test coverage
	tools/coverage.sh

docs:  ## the documentation as a web site, in site/
	@$(setup) test docs
	@$(MAKE) build
	tools/docs/build.sh $(tree)

wheel:  ## a wheel in dist/
	@$(setup)
	.venv/bin/python -m pip wheel --quiet --no-deps --no-build-isolation -w dist .
	@ls -l dist/*.whl

clean:  ## remove what was built (the .venv stays)
	rm -rf build dist site
