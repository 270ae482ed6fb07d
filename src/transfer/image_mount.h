/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Images as directories of the host: RUNROOT/mounts/HEX is the root file system of the image with that id, read-only. */
#ifndef DHOW_TRANSFER_IMAGE_MOUNT_H
#define DHOW_TRANSFER_IMAGE_MOUNT_H

#include "image/image.h"
#include "storage/storage.h"
#include "transfer/progress.h"

/* Mounts the image, or counts one more user of its mount. Unpacks what the driver lacks. *path is for free(). The image can't be removed until
 * image_unmount was called as often. Needs CAP_SYS_ADMIN. */
int image_mount(struct store *s, struct storage *storage, const struct image *image,
		struct progress *progress, char **path, struct error **err);
/* One user less; the last one's call unmounts. is_forced: unmounts whoever uses it (MNT_DETACH). -ENOENT where it isn't mounted, -EBUSY where files of it are
 * open. */
int image_unmount(struct store *s, struct storage *storage, const struct image *image,
		  bool is_forced, struct error **err);
/* Where the image is mounted, for free(), or NULL. */
int image_mountpoint(struct store *s, const struct image *image, char **path, struct error **err);

#endif
