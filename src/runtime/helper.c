/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Running the programs in libexec/dhow. See helper.h. */
#include "dhow_config.h"
#include "kernel/subprocess.h"
#include "runtime/helper.h"

void helper_find(const char *name, struct helper_path *path)
{
	const char *directory = getenv("DHOW_LIBEXECDIR");

	if (!directory || *directory != '/' ||
	    snprintf(path->text, sizeof path->text, "%s/%s", directory, name) >=
		    (int)sizeof path->text)
		snprintf(path->text, sizeof path->text, DHOW_LIBEXECDIR "/%s", name);
}

bool helper_exists(const char *name)
{
	struct helper_path path;

	helper_find(name, &path);
	return access(path.text, X_OK) == 0;
}

int helper_run(const struct strv *argv, char **answer, struct error **err)
{
	struct helper_path path;

	helper_find(argv->items[0], &path);
	return subprocess_run(path.text, argv, answer, err);
}
