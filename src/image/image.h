/* SPDX-License-Identifier: GPL-2.0-or-later */
/* image: what images there are. Their names, what they consist of, finding, tagging and removing them.
 *
 * An image is its configuration: its id is that blob's digest, as docker has it. Names (repository and tag) and digests (repository and
 * the digest of a manifest or index) point to it. This room needs no TLS, archive or compression library. */
#ifndef DHOW_IMAGE_IMAGE_H
#define DHOW_IMAGE_IMAGE_H

#include "base/base.h"
#include "image/manifest.h"
#include "image/reference.h"
#include "store/store.h"

struct image_name {
	char *repository, *tag, *digest; /* either tag or digest */
};
struct image_layer {
	char *chain_id, *diff_id, *blob, *media_type;
	uint64_t blob_size, size;
};
struct image {
	char *id, *manifest, *manifest_type, *os, *architecture, *variant, *parent;
	int64_t created_ns, arrived_ns;
	uint64_t size;
	struct image_name *names; /* tags first, sorted; then digests */
	size_t name_count;
	struct image_layer *layers; /* lowest first; only where image_get was asked for them */
	size_t layer_count;
};
void image_free(struct image *i);
static inline void image_freep(struct image **i)
{
	image_free(*i);
}
#define _cleanup_image_ _cleanup_(image_freep)

struct image_list {
	struct image **items;
	size_t count;
};
void image_list_clear(struct image_list *l);
#define _cleanup_image_list_ _cleanup_(image_list_clear)

/* By name, repository@digest, id, or an unambiguous prefix of an id (docker's order: a name wins). -ENOENT:
 * "no such image: TEXT". With layers. *name_used (NULL: not wanted) tells whether a name was meant: its tag, else NULL members. */
int image_find(struct store *s, const char *text, struct image **out, struct reference *name_used,
	       struct error **err);
/* -ENOENT when the image has been removed since it was found. Inside a transaction. */
int image_check(struct store *s, const struct image *image, struct error **err);
/* The chain ids of its lowest count layers, top first, as storage takes them. The array is for free(), the ids are the image's; NULL when memory runs out. */
const char **image_chain(const struct image *image, size_t count);
/* What to call it in a message: its first name as people write it, else its id. Caller frees; NULL when memory runs out. */
char *image_title(const struct image *image);
/* All, newest first; without layers. Three queries, whatever the number. */
int image_list(struct store *s, struct image_list *out, struct error **err);

/* What an intake brings: one transaction that adds the image or gives an existing one further names and blobs. */
struct image_record {
	const struct image *image; /* names included; layers required */
	const struct strv *blobs;  /* all blobs it needs, the configuration's among them */
};
int image_register(struct store *s, const struct image_record *record, struct error **err);
int image_tag(struct store *s, const struct image *image, const struct reference *name,
	      struct error **err);

/* The name goes (NULL: all of them), and the image stays. -ENOENT when it has no such name. */
int image_untag(struct store *s, const struct image *image, const struct reference *name,
		struct error **err);

/* Removal, as docker's rmi: a name of several only untags. */
struct image_removal {
	struct strv untagged; /* "debian:latest", "debian@sha256:..." */
	struct strv deleted;  /* ids of images and chain ids of layers, as "sha256:..." */
};
struct image_remove_opts {
	bool is_forced;    /* also with several names by id, and when stopped containers use it */
	bool keep_parents; /* --no-prune */
	/* Tells who uses the image (a container's name); fills *user for free() or leaves NULL. NULL: none. */
	int (*find_user)(void *data, const struct image *image, char **user, struct error **err);
	void *data;
	/* For image_collect: the chain ids of all unpacked layers, and the removal of one, by every driver that has it. Both NULL: layers stay. */
	int (*list_layers)(void *data, struct strv *ids, struct error **err);
	int (*drop_layer)(void *data, const char *chain_id, struct error **err);
};
int image_remove(struct store *s, const char *text, const struct image_remove_opts *opts,
		 struct image_removal *out, struct error **err);
void image_removal_clear(struct image_removal *r);
/* Removes blobs and layers that no image, use or lease needs: what a crash or a removal left. Adds freed bytes to *freed (may be NULL). */
int image_collect(struct store *s, const struct image_remove_opts *opts, uint64_t *freed,
		  struct error **err);

/* Layers in use by others than images: user is "mount:HEX" for a mount on the host. Removal leaves the image and its layers alone until the use is removed. -ENOENT when
 * the image has gone. */
int image_use_add(struct store *s, const struct image *image, const char *user, struct error **err);
int image_use_remove(struct store *s, const char *user, struct error **err);
/* Removes the uses whose owners are gone: mounts of before a reboot, or of a killed process. Inside a transaction. */
int image_use_sweep(struct store *s, struct error **err);

/* The configuration and the manifest of an image, whole. */
int image_read_config(struct store *s, const struct image *image, struct image_config *out,
		      struct error **err);
int image_read_manifest(struct store *s, const struct image *image, struct manifest *out,
			struct error **err);

/* docker's filters, with podman's: dangling, label, before, since, until, reference, id, digest, intermediate, readonly. terms are "key=value". Keeps the matching
 * ones in list. An unknown key is -EINVAL: "invalid filter 'KEY'". */
int image_filter(struct store *s, struct image_list *list, const struct strv *terms,
		 struct error **err);

/* The image that a registry's digest (of a manifest or index) stands for on that platform: with layers, or -ENOENT. */
int image_find_digest(struct store *s, const char *repository, const char *digest,
		      const struct platform *platform, struct image **out, struct error **err);
/* Size of a layer's files, as some image has it; -ENOENT when none has that layer. */
int image_layer_size(struct store *s, const char *chain_id, uint64_t *size, struct error **err);

/* The image is known by that digest in that repository from now on: it was pushed there. */
int image_digest_add(struct store *s, const struct image *image, const char *repository,
		     const char *digest, struct error **err);

/* Where blobs were seen: what a push may have mounted from another repository of the same registry. */
int blob_source_add(struct store *s, const char *repository, const struct strv *digests,
		    struct error **err);
/* Repositories of registry ("host:port") that have the blob. */
int blob_source_list(struct store *s, const char *registry, const char *digest,
		     struct strv *repositories, struct error **err);

/* sha256:... to 12 digits, in a static buffer of the caller: at least 13 bytes. */
void image_short_id(const char *id, char *buf);

#endif
