/* SPDX-License-Identifier: GPL-2.0-or-later */
/* features: prints what this runtime can do, as JSON. Specification, "Features Structure".
 *
 * Names come from the tables that the runtime itself works by. As the specification wants it, the
 * answer is about the runtime as it is installed and not about the host, except where it says so
 * (seccomp's supported flags). */
#include <errno.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cli/oci/oci.h"
#include "dhow_config.h"
#include "kernel/namespace.h"
#include "runtime/helper.h"
#include "runtime/rootfs.h"

#define OLDEST_VERSION "1.0.0"

static const char *const hooks[] = {
	"prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop",
	NULL};

/* Annotations by which a configuration changes more than its own container. */
static const char *const unsafe_annotations[] = {"org.systemd.property.", NULL};

/* json_t functions take NULL for a value that could not be made, and fail: one check at the end does. */
static json_t *array_of(const char *const *names)
{
	json_t *array = json_array();

	for (; *names; names++)
		json_array_append_new(array, json_string(*names));
	return array;
}

static json_t *known(enum spec_names list)
{
	json_t *array = json_array();
	const char *name;

	for (size_t i = 0; (name = spec_known_name(list, i, NULL)); i++)
		json_array_append_new(array, json_string(name));
	return array;
}

static json_t *namespaces(void)
{
	json_t *array = json_array();

	for (size_t i = 0; i < ARRAY_SIZE(namespace_types); i++)
		json_array_append_new(array, json_string(namespace_types[i].spec_name));
	return array;
}

/* Those of the specification's that the libseccomp we are built with can make filters for. */
static json_t *architectures(void)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	json_t *array = json_array();
	const char *name;
	uint64_t token;

	for (size_t i = 0; (name = spec_known_name(SPEC_NAMES_SECCOMP_ARCHITECTURES, i, &token));
	     i++)
		if (filter && seccomp_arch_exist(filter, (uint32_t)token) != -EINVAL)
			json_array_append_new(array, json_string(name));
	seccomp_release(filter);
	return array;
}

/* The kernel looks at the flags first, and then at the filter, which isn't there (seccomp(2)). */
static bool kernel_takes(uint64_t flag)
{
	if (flag == SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV)
		flag |= SECCOMP_FILTER_FLAG_NEW_LISTENER;
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flag, NULL) < 0 && errno == EFAULT;
}

static json_t *supported_flags(void)
{
	json_t *array = json_array();
	const char *name;
	uint64_t flag;

	for (size_t i = 0; (name = spec_known_name(SPEC_NAMES_SECCOMP_FLAGS, i, &flag)); i++)
		if (kernel_takes(flag))
			json_array_append_new(array, json_string(name));
	return array;
}

static json_t *seccomp_features(void)
{
	return json_pack("{s:b, s:o, s:o, s:o, s:o, s:o}", "enabled", 1, "actions",
			 known(SPEC_NAMES_SECCOMP_ACTIONS), "operators",
			 known(SPEC_NAMES_SECCOMP_OPERATORS), "archs", architectures(),
			 "knownFlags", known(SPEC_NAMES_SECCOMP_FLAGS), "supportedFlags",
			 supported_flags());
}

/* What needs a program of its own is a feature only where that is installed. */
static json_t *linux_features(void)
{
	int has_systemd = helper_exists("dhow-systemd");

	return json_pack("{s:o, s:o, s:{s:b, s:b, s:b, s:b, s:b}, s:o, s:{s:b}, s:{s:b},"
			 " s:{s:b, s:b, s:b}, s:{s:o, s:o}, s:{s:{s:b}}, s:{s:b}}",
			 "namespaces", namespaces(), "capabilities", known(SPEC_NAMES_CAPABILITIES),
			 "cgroup", "v1", 1, "v2", 1, "systemd", has_systemd, "systemdUser",
			 has_systemd, "rdma", 1, "seccomp", seccomp_features(), "apparmor",
			 "enabled", 1, "selinux", "enabled", 1, "intelRdt", "enabled", 1,
			 "schemata", 1, "monitoring", 1, "memoryPolicy", "modes",
			 known(SPEC_NAMES_MEMORY_MODES), "flags", known(SPEC_NAMES_MEMORY_FLAGS),
			 "mountExtensions", "idmap", "enabled", 1, "netDevices", "enabled", 1);
}

static json_t *annotations(void)
{
	bool has_criu = helper_exists("dhow-criu");
	char libseccomp[40];

	oci_libseccomp_version(libseccomp, sizeof libseccomp);
	return json_pack("{s:s, s:s, s:s, s:s}", "run.oci.dhow.version", DHOW_VERSION,
			 "run.oci.dhow.commit", oci_commit, "io.github.seccomp.libseccomp.version",
			 libseccomp, "org.opencontainers.runc.checkpoint.enabled",
			 has_criu ? "true" : "false");
}

static int run(const struct command_call *call, struct error **err)
{
	_cleanup_json_ json_t *features = json_pack(
		"{s:s, s:s, s:o, s:o, s:o, s:o, s:o}", "ociVersionMin", OLDEST_VERSION,
		"ociVersionMax", SPEC_VERSION, "hooks", array_of(hooks), "mountOptions",
		array_of(rootfs_mount_option_names()), "linux", linux_features(), "annotations",
		annotations(), "potentiallyUnsafeConfigAnnotations", array_of(unsafe_annotations));

	return oci_print_json(features, JSON_INDENT(4), err);
}

const struct command oci_features = {
	.name = "features",
	.arguments = "",
	.summary = "show the enabled features",
	.description =
		"The result is JSON: what the runtime knows of the OCI runtime specification, whether\n"
		"or not this host has it.\n",
	.run = run,
};
