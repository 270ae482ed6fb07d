/* SPDX-License-Identifier: GPL-2.0-or-later */
/* base: what every room stands on. Errors, strings, files, JSON, logging and the trace point.
 *
 * This is the door; each subject has its own header, which says how it works. Nothing here knows about
 * containers, and nothing here prints or exits. */
#ifndef DHOW_BASE_H
#define DHOW_BASE_H

#include "base/cleanup.h"
#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/number.h"
#include "base/str.h"
#include "base/trace.h"

#endif
