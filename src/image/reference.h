/* SPDX-License-Identifier: GPL-2.0-or-later */
/* References to images, with docker's grammar and normalisation (github.com/distribution/reference):
 *   debian                    docker.io/library/debian:latest
 *   host:5000/a/b:tag@sha256:...
 * The first component is a registry if it has a '.' or a ':', is "localhost", or has a capital letter; else it is the default
 * registry. A name is at most 255 bytes, a tag 128. */
#ifndef DHOW_IMAGE_REFERENCE_H
#define DHOW_IMAGE_REFERENCE_H

#include "base/base.h"
#include "store/config.h"

struct reference {
	char *registry;   /* "docker.io", "host:5000" */
	char *path;       /* "library/debian" */
	char *repository; /* "docker.io/library/debian" */
	char *tag;        /* NULL when none was given and a digest was; else "latest" by default */
	char *digest;     /* NULL when none was given */
	bool is_tag_default; /* no tag was written */
};

/* config gives the default registry and the short names; NULL: docker's. Wrong syntax is -EINVAL with docker's words:
 * "invalid reference format", "... repository name must be lowercase". */
int reference_parse(const char *text, const struct store_config *config, struct reference *out,
		    struct error **err);
void reference_clear(struct reference *r);
#define _cleanup_reference_ _cleanup_(reference_clear)

/* As people see it: "debian:latest", "host:5000/a:b", "debian@sha256:...". Caller frees; NULL when memory runs out. */
char *reference_familiar(const char *repository, const char *tag, const char *digest);
/* "docker.io/library/debian" is "debian". Caller frees. */
char *repository_familiar(const char *repository);
bool reference_tag_is_valid(const char *tag);

#endif
