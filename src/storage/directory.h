/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Layers as plain directories with only their own files, for drivers that let something else merge them. A layer is layers/HEX; a
 * container is containers/ID with its changes in fs. Inside the room; the functions are those of struct storage_driver. */
#ifndef DHOW_STORAGE_DIRECTORY_H
#define DHOW_STORAGE_DIRECTORY_H

#include "storage/driver.h"

int directory_layer_begin(struct storage *s, struct storage_staging *staging, struct error **err);
int directory_layer_commit(struct storage *s, struct storage_staging *staging, struct error **err);
void directory_layer_abort(struct storage *s, struct storage_staging *staging);
int directory_layer_remove(struct storage *s, const char *id, struct error **err);
/* fs, whose owner and mode are those of the top layer's "/", and the directory work. A size is an error. */
int directory_container_create(struct storage *s, const struct storage_container_opts *opts,
			       struct error **err);
int directory_container_remove(struct storage *s, const char *id, struct error **err);

/* The layer's directory, O_RDONLY. */
int directory_open_layer(struct storage *s, const char *id, struct error **err);

#endif
