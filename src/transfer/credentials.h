/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who we are to a registry: docker's config.json ("auths", "credHelpers", "credsStore") and credential helpers
 * (docker-credential-NAME get, store, erase). Looked for in --authfile, $REGISTRY_AUTH_FILE, $DOCKER_CONFIG/config.json, ~/.docker/config.json, and podman's
 * $XDG_RUNTIME_DIR/containers/auth.json, in this order. A secret is never printed or logged, and is given only to the registry it belongs to. */
#ifndef DHOW_TRANSFER_CREDENTIALS_H
#define DHOW_TRANSFER_CREDENTIALS_H

#include "base/base.h"

struct credentials {
	char *user, *password; /* NULL: anonymous */
	char *identity_token;  /* OAuth2 refresh token, or NULL */
};
/* registry is "docker.io" or "host:port"; repository ("host/a/b") finds the more specific entries that podman knows; may be NULL. */
int credentials_find(const char *authfile, const char *registry, const char *repository,
		     struct credentials *out, struct error **err);
/* Writes to the file that find would read first, or gives it to the helper; 0600, atomically. *where (caller frees) tells the place. */
int credentials_store(const char *authfile, const char *registry, const struct credentials *c,
		      char **where, struct error **err);
/* -ENOENT when there are none. registry NULL: all. */
int credentials_erase(const char *authfile, const char *registry, struct error **err);
/* Wipes the memory, too. */
void credentials_clear(struct credentials *c);

#endif
