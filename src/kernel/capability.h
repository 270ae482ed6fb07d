/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Capabilities: names, and the calling thread's sets as bit masks (1 << CAP_x). capabilities(7). */
#ifndef DHOW_KERNEL_CAPABILITY_H
#define DHOW_KERNEL_CAPABILITY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"

/* "CAP_CHOWN" for 0; NULL for a number that has no name here. */
const char *capability_name(int number);
/* The number of a name such as "CAP_NET_RAW", or -EINVAL. */
int capability_parse(const char *name);
/* The running kernel's largest capability. */
int capability_last(void);
/* The names of a mask, with ", " between them, for messages. Returns buf. */
const char *capability_list(uint64_t mask, char *buf, size_t size);

struct capability_sets {
	uint64_t effective, permitted, inheritable;
};
int capability_get(struct capability_sets *out, struct error **err);
/* capset(2). */
int capability_set(const struct capability_sets *sets, struct error **err);

/* The bounding and the ambient set, one prctl(2) per capability. */
uint64_t capability_bounding(void);
uint64_t capability_ambient(void);
/* Drops every capability not in keep from the bounding set. Takes CAP_SETPCAP where there is one to drop. */
int capability_bound(uint64_t keep, struct error **err);
/* Makes the ambient set this one. Each must be permitted and inheritable. */
int capability_set_ambient(uint64_t mask, struct error **err);

#endif
