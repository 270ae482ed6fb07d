/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names and places that drivers share. Inside the room. */
#ifndef DHOW_STORAGE_PLACES_H
#define DHOW_STORAGE_PLACES_H

#include "storage/driver.h"

/* HEX of a chain id "sha256:HEX", which is its name in layers/ and staging/. */
static inline const char *storage_hex(const char *id)
{
	const char *colon = strchr(id, ':');

	return colon ? colon + 1 : id;
}

/* Moves layers/HEX or containers/ID into trash/ under a name of its own, so that it is gone at once. *trash is that
 * name ("trash/..."), the caller's, or NULL where it wasn't there, which is success. */
int storage_discard(struct storage *s, const char *folder, const char *name, char **trash,
		    struct error **err);
/* The staged layer becomes visible: staging/HEX is layers/HEX. */
int storage_publish(struct storage *s, const struct storage_staging *staging, struct error **err);
/* Makes the directory containers/ID. complete is a name in it that is made last: with that it is another container's, -EEXIST,
 * without it a rest, which is taken over. Returns its descriptor. */
int storage_make_container(struct storage *s, const char *id, const char *complete,
			   struct error **err);
/* The value of the driver's own option NAME=VALUE, borrowed, or NULL. The last one counts. */
const char *storage_option(const struct storage *s, const char *name);
/* The file system behind dir as a mount of its own. Returns its descriptor. */
int storage_bind(int dir, bool is_read_only, struct error **err);

#endif
