/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a transfer tells while it goes on. Items are blobs, named by their short digest. Calls may come from any thread.
 *
 * On a terminal one line each with a bar, the rate and the time left, rewritten ten times a second; else one plain line per change of state, as docker
 * prints it without a terminal ("4f4fb700ef54: Pull complete"). */
#ifndef DHOW_TRANSFER_PROGRESS_H
#define DHOW_TRANSFER_PROGRESS_H

#include "base/base.h"

struct progress;
enum progress_style { PROGRESS_NONE, PROGRESS_LINES, PROGRESS_BARS };
/* fd is borrowed. style by progress_style_for(fd, is_quiet). NULL when memory runs out; all functions take NULL. */
struct progress *progress_new(int fd, enum progress_style style);
enum progress_style progress_style_for(int fd, bool is_quiet);
/* Ends the bars, leaving their last state on the screen. */
void progress_free(struct progress *p);
/* A line of its own, above the bars: "Using default tag: latest". Nothing with PROGRESS_NONE. */
void progress_message(struct progress *p, const char *format, ...) _printf_(2, 3);
/* id is a digest. what is the state: "Downloading", "Extracting", "Pull complete", "Already exists", "Pushed", "Retrying in 2 seconds". total 0: unknown, no bar. */
void progress_state(struct progress *p, const char *id, const char *what, uint64_t total);
void progress_add(struct progress *p, const char *id, uint64_t bytes);

#endif
