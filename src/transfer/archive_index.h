/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The documents by which archives say what is in them. Inside the room; index.json is image/manifest.h's.
 *
 * manifest.json of docker save is a list of images: a configuration, names, and layers, each by its member's name. That of
 * docker-dir is an image's manifest: an object, not a list. All of it is from outside: numbers of images, names and layers are bounded
 * here, what they say is checked by who uses it. */
#ifndef DHOW_TRANSFER_ARCHIVE_INDEX_H
#define DHOW_TRANSFER_ARCHIVE_INDEX_H

#include "store/config.h"

struct docker_entry {
	char *config;
	struct strv names;  /* RepoTags */
	struct strv layers; /* lowest first */
};
struct docker_index {
	struct docker_entry *entries;
	size_t count;
};
int docker_index_parse(const char *text, size_t length, const struct store_limits *limits,
		       struct docker_index *out, struct error **err);
void docker_index_clear(struct docker_index *index);
#define _cleanup_docker_index_ _cleanup_(docker_index_clear)

/* oci-layout: OCI image spec, image-layout.md. Version 1 is what we know. */
int oci_layout_check(const char *text, size_t length, struct error **err);

/* The digest that a member's name claims: "blobs/sha256/HEX", "HEX.json", "HEX.tar", "HEX". False: none. out holds DIGEST_SIZE. */
bool archive_name_digest(const char *name, char *out);

#endif
