/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The session keyring. keyctl(2), session-keyring(7). */
#ifndef DHOW_KERNEL_KEYRING_H
#define DHOW_KERNEL_KEYRING_H

#include <stdint.h>

#include "base/base.h"

/* Leaves the session keyring and joins the one of that name, making it when there is none. Returns its serial
 * number, or a negative errno. */
int keyring_join(const char *name, struct error **err);
/* Adds bits (KEY_USR_SEARCH and so on, <linux/keyctl.h>) to the permissions of a keyring. */
int keyring_permit(int serial, uint32_t bits, struct error **err);

#endif
