/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Manifests, indexes and configurations: OCI image spec 1.1 and Docker schema 2, parsed whole and strictly.
 *
 * What is taken apart here came from outside: every size, count and digest is checked before it is used. A document that could be read
 * as both a manifest and an index (CVE-2021-41190), or whose mediaType is not what it came as, is refused. */
#ifndef DHOW_IMAGE_MANIFEST_H
#define DHOW_IMAGE_MANIFEST_H

#include "base/base.h"
#include "store/store.h"

#define MEDIA_OCI_INDEX         "application/vnd.oci.image.index.v1+json"
#define MEDIA_OCI_MANIFEST      "application/vnd.oci.image.manifest.v1+json"
#define MEDIA_OCI_CONFIG        "application/vnd.oci.image.config.v1+json"
#define MEDIA_OCI_LAYER         "application/vnd.oci.image.layer.v1.tar"
#define MEDIA_OCI_LAYER_GZIP    "application/vnd.oci.image.layer.v1.tar+gzip"
#define MEDIA_OCI_LAYER_ZSTD    "application/vnd.oci.image.layer.v1.tar+zstd"
#define MEDIA_DOCKER_LIST       "application/vnd.docker.distribution.manifest.list.v2+json"
#define MEDIA_DOCKER_MANIFEST   "application/vnd.docker.distribution.manifest.v2+json"
#define MEDIA_DOCKER_CONFIG     "application/vnd.docker.container.image.v1+json"
#define MEDIA_DOCKER_LAYER      "application/vnd.docker.image.rootfs.diff.tar"
#define MEDIA_DOCKER_LAYER_GZIP "application/vnd.docker.image.rootfs.diff.tar.gzip"
#define MEDIA_DOCKER_LAYER_ZSTD "application/vnd.docker.image.rootfs.diff.tar.zstd"

enum layer_compression { LAYER_PLAIN, LAYER_GZIP, LAYER_ZSTD, LAYER_XZ, LAYER_BZIP2 };

struct platform {
	char *os, *architecture,
		*variant; /* Go's words: "linux", "amd64", "v8"; variant NULL or "" is none */
};
/* "linux/arm64/v8", "arm64", "linux". Normalised as containerd does (x86_64 is amd64, aarch64 arm64 ...). */
int platform_parse(const char *text, struct platform *out, struct error **err);
/* The host's. */
int platform_host(struct platform *out, struct error **err);
void platform_clear(struct platform *p);
/* "linux/amd64", "linux/arm/v7". Caller frees. */
char *platform_text(const struct platform *p);

struct descriptor {
	char *media_type, *digest;
	uint64_t size;
	struct platform platform; /* in an index; members may be NULL */
	char *name; /* annotation org.opencontainers.image.ref.name, or io.containerd.image.name when that is there; or NULL */
	bool has_urls; /* foreign: its content is elsewhere. Never followed. */
};
void descriptor_clear(struct descriptor *d);

struct manifest {
	const char *media_type; /* one of MEDIA_* */
	bool is_index;
	struct descriptor config; /* of a manifest */
	struct descriptor *items; /* an index's manifests, or a manifest's layers, lowest first */
	size_t count;
	char *artifact_type; /* or NULL */
};
/* content_type is the header's or descriptor's, NULL when there is none. A layer of an unknown media type is refused when it is to be
 * unpacked (layer_media_compression), not here. */
int manifest_parse(const char *text, size_t length, const char *content_type,
		   const struct store_limits *limits, struct manifest *out, struct error **err);
void manifest_clear(struct manifest *m);
#define _cleanup_manifest_ _cleanup_(manifest_clear)
/* The item of an index that serves the platform best (variants: containerd's order; arm64 takes none or v8; arm takes lower ones), or NULL. Attestations
 * (platform unknown/unknown) are never chosen. */
const struct descriptor *manifest_select(const struct manifest *index,
					 const struct platform *platform);
/* -EINVAL for a type that is no layer's. */
int layer_media_compression(const char *media_type, enum layer_compression *out,
			    struct error **err);

/* An image's configuration, as far as dhow acts on it. document is the whole. */
struct image_config {
	json_t *document;
	struct platform platform;
	int64_t created_ns;   /* 0 when absent */
	struct strv diff_ids; /* valid digests, lowest first */
};
int image_config_parse(const char *text, size_t length, const struct store_limits *limits,
		       struct image_config *out, struct error **err);
void image_config_clear(struct image_config *c);
#define _cleanup_image_config_ _cleanup_(image_config_clear)

/* RFC 3339 with fractions and zone, as Go writes it. -EINVAL. */
int time_parse_rfc3339(const char *text, int64_t *ns);

#endif
