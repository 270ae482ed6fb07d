/* SPDX-License-Identifier: GPL-2.0-or-later */
/* transfer: images in and out. Registries, archives, and the intake that puts them into the store. */
#ifndef DHOW_TRANSFER_TRANSFER_H
#define DHOW_TRANSFER_TRANSFER_H

#include "transfer/archive.h"
#include "transfer/credentials.h"
#include "transfer/image_mount.h"
#include "transfer/intake.h"
#include "transfer/progress.h"
#include "transfer/pull.h"
#include "transfer/push.h"
#include "transfer/registry.h"
#include "transfer/verify.h"

#endif
