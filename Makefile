# Thin: what to type. How it is built stands in CMakeLists.txt, what a run of the tests is in tools/run-tests.sh.
PREFIX ?= /usr/local
JOBS ?= $(shell getconf _NPROCESSORS_ONLN)
WERROR ?= OFF
INSTALL_DEPENDENCIES ?= tools/install-dependencies.sh
SUITES ?=
ARGS ?=
UPSTREAM ?=
export JOBS WERROR
MAKEFLAGS += --no-print-directory

.PHONY: help build run test test-tsan format format-check lint bench-programs bench bench-check install clean

help:
	@echo "make run                   install what is missing, build, and run the demo"
	@echo "make run UPSTREAM=URL      the same before your own API; more flags in ARGS='--exclude-get /api/poll'"
	@echo "make build                 build/sightglass"
	@echo "make test                  every test, in release and under sanitizers; SUITES='unit-asan' for some"
	@echo "make test-tsan             the unit and integration tests under ThreadSanitizer"
	@echo "make bench                 measure, beside other proxies; ARGS='--quick', '--help'"
	@echo "make bench-check           has a request become dearer than it was? ARGS=--update: so be it"
	@echo "make format                rewrite the C files as clang-format 14 has them"
	@echo "make format-check          what of the style a machine can check"
	@echo "make lint                  clang-tidy"
	@echo "make install PREFIX=DIR    install the program; DESTDIR is put before it"
	@echo "make clean                 remove what was built"
	@echo "Nothing is installed on the system with INSTALL_DEPENDENCIES=true."

build:
	@$(INSTALL_DEPENDENCIES) build
	@cmake --preset release --log-level=WARNING -DSIGHTGLASS_WERROR=$(WERROR) >/dev/null
	@cmake --build --preset release --target sightglass --parallel $(JOBS)

run: build
	build/sightglass $(if $(UPSTREAM),--upstream '$(UPSTREAM)',--demo) $(ARGS)

test:
	@$(INSTALL_DEPENDENCIES) build test
	@tools/run-tests.sh $(SUITES)

test-tsan:
	@$(INSTALL_DEPENDENCIES) build test
	@tools/run-tests.sh unit-tsan integration-tsan

bench-programs: build
	@$(INSTALL_DEPENDENCIES) bench
	@cmake --build --preset release --target bench_programs --parallel $(JOBS)

bench: bench-programs
	@python=/usr/bin/python3; [ -x $$python ] || python=python3; $$python tests/bench/bench.py $(ARGS)

bench-check: bench-programs
	@python=/usr/bin/python3; [ -x $$python ] || python=python3; $$python tests/bench/check.py $(ARGS)

format:
	@$(INSTALL_DEPENDENCIES) format
	@tools/format.sh

format-check:
	@$(INSTALL_DEPENDENCIES) format
	@tools/check-style.sh

lint:
	@$(INSTALL_DEPENDENCIES) build
	@cmake --preset release --log-level=WARNING >/dev/null
	@cmake --build --preset release --parallel $(JOBS)
	@tools/lint.sh build

install: build
	cmake --install build --prefix $(PREFIX)

clean:
	rm -rf build build-asan build-tsan build-results
