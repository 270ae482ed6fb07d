/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where bytes come from and where they go. */
#ifndef DHOW_LAYER_STREAM_H
#define DHOW_LAYER_STREAM_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/base.h"

/* read: up to size bytes, 0 at the end, or a negative errno with *err. Short reads are fine. */
struct source {
	ssize_t (*read)(void *data, void *buf, size_t size, struct error **err);
	void *data;
};
/* write: all of it, 0 or a negative errno. */
struct sink {
	int (*write)(void *data, const void *buf, size_t size, struct error **err);
	void *data;
};
/* A file from its position on; fd is borrowed and must outlive the source. data is the pointer to it. */
struct source source_fd(int *fd);
struct sink sink_fd(int *fd);

#endif
