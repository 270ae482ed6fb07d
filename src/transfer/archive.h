/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Images as files: docker-archive (docker save), oci-archive, OCI layout directories, docker-dir; and file system tars (import, export).
 *
 * load detects what it reads, compressed or not, from a file, a directory or a pipe. Everything that arrives is as untrusted as from a registry. */
#ifndef DHOW_TRANSFER_ARCHIVE_H
#define DHOW_TRANSFER_ARCHIVE_H

#include "transfer/intake.h"

enum archive_format { ARCHIVE_DOCKER, ARCHIVE_OCI, ARCHIVE_OCI_DIR, ARCHIVE_DOCKER_DIR };

struct save_opts {
	struct store *store;
	enum archive_format format;
	bool is_compressed; /* --compress: plain layers are gzipped */
	bool is_uncompressed; /* --uncompressed: layers are plain tars; else they are as they are stored */
	const struct platform *platform; /* NULL: any */
	struct progress *progress;       /* or NULL */
};
struct save_image {
	const struct image *image;
	struct strv names; /* references to record: "docker.io/library/a:b"; none: by id only */
};
/* To fd (an archive), or to path, a directory that is made, or was empty: it appears when it is whole. Each image once. The same images,
 * names and options give the same bytes. docker-dir holds one image. */
int image_save(const struct save_image *images, size_t count, const struct save_opts *opts, int fd,
	       const char *path, struct error **err);

struct load_opts {
	struct store *store;
	struct storage *storage;
	struct progress *progress;
	const struct platform *platform; /* NULL: the host's when there are several */
};
struct load_result {
	struct strv names; /* "debian:latest", or the id of an image without a name, in order */
	struct strv ids;
};
/* fd is a stream or a file; or path is a directory (then fd is -1). */
int image_load(int fd, const char *path, const struct load_opts *opts, struct load_result *out,
	       struct error **err);
void load_result_clear(struct load_result *r);

/* --change: Dockerfile instructions CMD ENTRYPOINT ENV EXPOSE LABEL ONBUILD STOPSIGNAL USER VOLUME WORKDIR HEALTHCHECK applied to a configuration document. Shared with commit. */
int config_change(json_t *config, const char *instruction, struct error **err);
/* All of them (NULL: none), in order: an ENTRYPOINT without a CMD before it takes away the CMD that was there, as docker's. */
int config_changes(json_t *config, const struct strv *changes, struct error **err);

struct import_opts {
	struct store *store;
	struct storage *storage;
	struct progress *progress;
	const struct strv *changes;
	const char *message;
	const struct platform *platform;
	const struct reference *name; /* NULL: none */
	int64_t created_ns;
};
int image_import(struct source source, const struct import_opts *opts, char **image_id,
		 struct error **err);

/* commit: the changes in diff become a layer on top of parent (NULL: none). The engine calls it for containers. */
struct commit_opts {
	struct store *store;
	struct storage *storage;
	struct progress *progress;
	const struct image *parent;
	json_t *config; /* the document's "config" member; taken over as it is (borrowed) */
	const struct diff_opts *diff;
	const struct strv *changes;
	const char *author, *message, *created_by;
	const struct reference *name;
	enum layer_compression compression;
	bool is_docker; /* --format docker */
	bool is_squashed;
	int64_t created_ns; /* SOURCE_DATE_EPOCH or now */
};
int image_commit(const struct commit_opts *opts, char **image_id, struct error **err);

#endif
