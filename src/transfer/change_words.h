/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Words as Dockerfile instructions have them: quotes, backslashes and variables, no more of a shell. Inside the room.
 *
 * 'text' is as it is; in "text" a backslash counts before $, " and \ only; $NAME, ${NAME}, ${NAME:-word} and ${NAME:+word} come from
 * environment, "NAME=value" each; what isn't there is empty. */
#ifndef DHOW_TRANSFER_CHANGE_WORDS_H
#define DHOW_TRANSFER_CHANGE_WORDS_H

#include "base/base.h"

/* Splits text at blanks outside of quotes; the words keep their quotes. */
int change_split(const char *text, struct strv *words, struct error **err);
/* One word (or a whole line) without its quotes, with its variables. Caller frees *out. -EINVAL for a ${ that doesn't end. */
int change_expand(const char *text, const struct strv *environment, char **out, struct error **err);

#endif
