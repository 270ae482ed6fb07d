/* SPDX-License-Identifier: GPL-2.0-or-later */
/* layer: file systems as archives. Hashing, compression, placing a layer's files, and writing changes as a layer.
 *
 * Everything streams: a source is read, a sink is written, memory is bounded whatever the size. OCI image spec, layer.md. */
#ifndef DHOW_LAYER_LAYER_H
#define DHOW_LAYER_LAYER_H

#include "layer/compress.h"
#include "layer/diff.h"
#include "layer/hash.h"
#include "layer/stream.h"
#include "layer/unpack.h"

#endif
