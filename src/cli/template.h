/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Go's text/template over JSON values, as far as people use it with --format. pkg.go.dev/text/template.
 *
 *   {{.Field.Sub}} {{json .}} {{range .List}}..{{else}}..{{end}} {{if eq .A "x"}}..{{else if}}..{{end}} {{with .X}}..{{end}}
 *   {{index .Map "key"}} {{len .L}} {{printf "%s %d" .A .B}} {{.A | upper}} {{$x := .A}} {{- trim -}}
 *   join, lower, upper, title, split, println, print, truncate, pad, and or not eq ne lt le gt ge
 * A member that is missing is an error where the value is an object of ours (as with Go's structs), and "<no value>" where it is a map that
 * people fill (labels). */
#ifndef DHOW_CLI_TEMPLATE_H
#define DHOW_CLI_TEMPLATE_H

#include "base/base.h"

struct template;

/* Errors are docker's: "template parsing error: ...". */
int template_parse(const char *text, struct template **out, struct error **err);
void template_free(struct template *t);
static inline void template_freep(struct template **t)
{
	template_free(*t);
}
#define _cleanup_template_ _cleanup_(template_freep)

/* Adds the template's text for value to out. */
int template_render(const struct template *t, const json_t *value, struct strbuf *out,
		    struct error **err);

#endif
