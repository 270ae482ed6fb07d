/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The configuration file: /etc/dhow/config.json, then $XDG_CONFIG_HOME/dhow/config.json, whose keys win.
 *
 * {
 *   "storage-driver": "overlay",
 *   "storage-opts": ["overlay.mount_program=/usr/bin/fuse-overlayfs"],
 *   "default-registry": "docker.io",
 *   "short-names": {"debian": "registry.example/debian"},
 *   "insecure-registries": ["registry.example:5000", "10.0.0.0/8"],
 *   "registries": {"docker.io": {"mirrors": ["https://mirror.example"], "insecure": false, "ca": "/path", "blocked": false}},
 *   "max-concurrent-downloads": 6, "max-concurrent-uploads": 5,
 *   "limits": {"layer-bytes": "64g", "layer-entries": 4000000, "ratio": 1000, "depth": 512, "layers": 500,
 *              "manifest-bytes": "4m", "config-bytes": "8m"}
 * }
 * An unknown key is an error that names it, with a suggestion. */
#ifndef DHOW_STORE_CONFIG_H
#define DHOW_STORE_CONFIG_H

#include "base/base.h"

/* What an image may be before it is refused. */
struct store_limits {
	uint64_t layer_bytes; /* of a layer's tar, uncompressed */
	uint64_t layer_entries;
	uint64_t ratio;  /* uncompressed to compressed, once past 64 MiB */
	uint64_t depth;  /* components of a path */
	uint64_t layers; /* of an image */
	uint64_t manifest_bytes, config_bytes;
};

struct store_registry {
	char *name;          /* "docker.io", "host:port" */
	struct strv mirrors; /* URLs, asked first, in order */
	char *ca;            /* file of certificates, or NULL */
	bool is_insecure;    /* plain HTTP and unverified TLS are taken */
	bool is_blocked;
};

struct store_short_name {
	char *name, *target;
};

struct store_config {
	char *storage_driver; /* NULL: not set */
	struct strv storage_opts;
	char *default_registry; /* "docker.io" */
	struct store_short_name *short_names;
	size_t short_name_count;
	struct strv insecure_registries; /* host, host:port or CIDR */
	struct store_registry *registries;
	size_t registry_count;
	uint32_t downloads, uploads; /* at a time */
	struct store_limits limits;
};

/* Reads the defaults and then the files; a file that is absent is none, unless path names it. path NULL: the two of the
 * head comment. */
int store_config_read(const char *path, struct store_config *out, struct error **err);
void store_config_clear(struct store_config *c);
extern const struct store_limits store_limits_default;

#endif
