/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What every harness defines: libFuzzer's entry point. */
#ifndef DHOW_TESTS_FUZZ_H
#define DHOW_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
