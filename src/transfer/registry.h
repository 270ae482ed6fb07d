/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A registry: OCI distribution spec 1.1 over libcurl.
 *
 * One struct registry is one repository of one registry with its mirrors, its token and its connections; threads may share it. Authentication follows the challenge of
 * a 401: Basic, or Bearer with a token from its realm (GET, or POST with an identity token). Credentials go only to the registry's own host and to a realm that is on https (or on the same
 * host), never along with a redirect to another host. Requests that fail for a reason that may pass (connection, 408, 429 with Retry-After, 5xx) are tried
 * again with growing pauses; there are limits on connecting, idling, headers and bodies.
 * Plain HTTP: on loopback (127.0.0.0/8, ::1, localhost) when TLS isn't answered, and where the configuration or tls_verify=false allows. */
#ifndef DHOW_TRANSFER_REGISTRY_H
#define DHOW_TRANSFER_REGISTRY_H

#include "image/manifest.h"
#include "image/reference.h"
#include "layer/stream.h"
#include "store/config.h"
#include "transfer/credentials.h"

struct registry;
struct registry_opts {
	const struct store_config *config;
	const char *authfile;
	const struct credentials *credentials; /* --creds; NULL: looked up */
	const char *
		cert_dir; /* ca.crt, client.cert, client.key; NULL: /etc/docker/certs.d/HOST, /etc/containers/certs.d/HOST, ~/.config/... */
	bool no_tls_verify;
	bool is_push;     /* scope of the token: pull or pull,push. Mirrors are not used for push */
	uint32_t retries; /* 0: 3 */
	/* Told before a pause; may be NULL. */
	void (*on_retry)(void *data, const char *what, uint64_t pause_ms, const char *why);
	void *data;
};
int registry_open(const struct reference *repository, const struct registry_opts *opts,
		  struct registry **out, struct error **err);
void registry_close(struct registry *r);
/* GET /v2/ with the credentials: login. */
int registry_check(struct registry *r, struct error **err);

struct registry_document {
	char *data; /* caller frees; NULL for registry_manifest_head */
	size_t length;
	char *content_type;
	char digest
		[136]; /* computed from data, and compared with what was asked for when that was a digest; for head: Docker-Content-Digest, "" without one */
};
void registry_document_clear(struct registry_document *d);
/* what is a tag or a digest. At most limits.manifest_bytes. -ENOENT: no such manifest; -EACCES: denied. Docker schema 1 is an error that says so. */
int registry_manifest_head(struct registry *r, const char *what, struct registry_document *out,
			   struct error **err);
int registry_manifest_get(struct registry *r, const char *what, struct registry_document *out,
			  struct error **err);
/* A small blob (a configuration) into memory: at most max, its digest verified. */
int registry_blob_get(struct registry *r, const struct descriptor *d, size_t max, char **data,
		      size_t *length, struct error **err);
/* A blob's bytes from offset on, to sink, in order, until its size is reached: a connection that breaks is resumed by range; a server that answers without range restarts and skips. More bytes than the descriptor's size
 * are an error. Verifying the digest is the caller's. *cancel (may be NULL) becoming true ends it with -ECANCELED. */
int registry_blob_fetch(struct registry *r, const struct descriptor *d, uint64_t offset,
			struct sink sink, const bool *cancel, struct error **err);
int registry_tags(struct registry *r, struct strv *out,
		  struct error **err); /* all pages, bounded */

int registry_blob_exists(struct registry *r, const char *digest,
			 struct error **err); /* 1, 0 or a negative errno */
/* POST ?mount=digest&from=path: 1 mounted, 0 not (an upload that the registry opened instead is cancelled). */
int registry_blob_mount(struct registry *r, const char *digest, const char *from,
			struct error **err);
/* Uploads size bytes of fd, in chunks where the registry wants or a try failed; resumes where it stands. progress counts what was sent. */
int registry_blob_upload(struct registry *r, const char *digest, int fd, uint64_t size,
			 void (*progress)(void *data, uint64_t bytes), void *data,
			 struct error **err);
int registry_manifest_put(struct registry *r, const char *what, const char *media_type,
			  const char *data, size_t length, struct error **err);

/* docker search: GET https://index/v1/search, or for registries without it the catalogue's names that have the term. */
struct search_result {
	char *name, *description;
	uint64_t stars;
	bool is_official, is_automated;
};
int registry_search(struct registry *r, const char *term, size_t limit, struct search_result **out,
		    size_t *count, struct error **err);
void search_results_free(struct search_result *results, size_t count);

#endif
