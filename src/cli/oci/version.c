/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What this program is: --version, in the form that docker and containerd read from runc. */
#include <seccomp.h>

#include "cli/oci/oci.h"
#include "dhow_commit.h"
#include "dhow_config.h"

const char oci_commit[] = DHOW_COMMIT;

void oci_libseccomp_version(char *buf, size_t size)
{
	const struct scmp_version *v = seccomp_version();

	snprintf(buf, size, "%u.%u.%u", v->major, v->minor, v->micro);
}

void oci_print_version(FILE *out)
{
	char libseccomp[40];

	oci_libseccomp_version(libseccomp, sizeof libseccomp);
	fprintf(out, "dhow-oci version %s\ncommit: %s\nspec: %s\nlibseccomp: %s\n", DHOW_VERSION,
		oci_commit, SPEC_VERSION, libseccomp);
}
