# SPDX-License-Identifier: BSD-3-Clause
# The front door. Each target installs what is missing (scripts/install-deps), says what it does and
# shows progress. The build proper is CMake and Ninja: cmake --preset default && ninja -C build
SHELL := /bin/bash
BUILD := build
.DEFAULT_GOAL := help
.PHONY: help deps configure build test run bench soak verify format tidy clean

help:
	@echo "make build    build everything; the tool is then $(BUILD)/tutti"
	@echo "make test     build, run all tests; results in $(BUILD)/test/"
	@echo "              of one platform, or at one number of CPUs: make test PLATFORM=q35 CPUS=4"
	@echo "make run      build, run Debian's zstd and xz on 4 CPUs and on 1, and compare"
	@echo "make bench    build, measure, beside a Linux guest; results in $(BUILD)/bench/"
	@echo "make soak     an hour of storm on 2, 4 and 8 CPUs"
	@echo "make verify   check every interleaving deeper, and that each weakened memory order is noticed"
	@echo "make format   format the sources; make tidy: clang-tidy; make clean: remove $(BUILD)/"

deps:
	@scripts/install-deps

configure: deps
	@[ -f $(BUILD)/build.ninja ] || cmake --preset default

build: configure
	@cmake --build $(BUILD)

test: build
	@PLATFORM='$(PLATFORM)' CPUS='$(CPUS)' scripts/run-tests $(BUILD)

run: build
	@scripts/only-if-there tests/apps/demo $(BUILD)

bench: build
	@scripts/only-if-there bench/run --build $(BUILD)

soak: build
	@scripts/only-if-there tests/soak/run_soak $(BUILD)

verify: build
	@tests/interleave/run_verify $(BUILD)

format:
	@scripts/install-deps format
	@git ls-files '*.cpp' '*.hpp' | xargs clang-format-19 -i && echo "Formatted."

tidy: configure
	@scripts/install-deps format
	@cmake --build $(BUILD)
	@git ls-files 'kernel/*.cpp' 'tools/*.cpp' | xargs -P 2 -n 8 clang-tidy-19 --quiet -p $(BUILD)

clean:
	@rm -rf $(BUILD) && echo "Removed $(BUILD)/"
