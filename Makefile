# SPDX-License-Identifier: GPL-2.0-or-later
# A thin front over meson, for people. Every target sets up what it needs.
BUILD  ?= build
PREFIX ?= /usr/local
DESTDIR ?=
MESON_ARGS ?=

.PHONY: all install run test test-vm bench lint sanitize format clean deps fuzz

all: $(BUILD)/build.ninja
	@ninja -C $(BUILD)

$(BUILD)/build.ninja:
	@scripts/deps build
	@meson setup $(BUILD) --prefix $(PREFIX) $(MESON_ARGS)

# Meson keeps the prefix of the set-up; PREFIX= on the command line changes it.
install: all
	@meson configure $(BUILD) --prefix $(PREFIX) && DESTDIR=$(DESTDIR) meson install -C $(BUILD)

run: all
	@scripts/first-run $(BUILD)

test:
	@scripts/deps build test engines
	@tests/run

test-vm:
	@scripts/deps build
	@tests/vm/run

bench: all
	@scripts/deps bench
	@bench/run $(BUILD) | tee $(BUILD)/bench.md
	@bench/images $(BUILD) | tee $(BUILD)/bench-images.md

lint: all
	@scripts/deps lint
	@scripts/lint $(BUILD)

sanitize:
	@scripts/deps build test engines
	@tests/run --sanitize

fuzz:
	@scripts/deps build lint
	@tests/fuzz/run

format:
	@clang-format -i $$(git ls-files '*.c' '*.h')

deps:
	@scripts/deps build test bench lint

clean:
	@rm -rf $(BUILD) build-*
