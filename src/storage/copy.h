/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copies of whole trees, by directory descriptors: owners, modes, times, extended attributes (ACLs and capabilities are some), hard
 * links, holes, devices. File content is shared (FICLONE) where the file system can, else copied inside the kernel. */
#ifndef DHOW_STORAGE_COPY_H
#define DHOW_STORAGE_COPY_H

#include "base/base.h"

/* Copies what is below from, and from's own metadata, into the empty directory to. Stays on from's file system. */
int copy_tree(int from, int to, struct error **err);

#endif
