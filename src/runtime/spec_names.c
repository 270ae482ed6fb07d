/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The names that the configuration parser knows, one list after the other. Its own tables are the
 * lists, so what is told is what is understood. Specification, "Features Structure". */
#include "kernel/capability.h"
#include "runtime/spec_internal.h"

static const struct spec_name *table_of(enum spec_names list)
{
	switch (list) {
	case SPEC_NAMES_SECCOMP_ACTIONS:
		return spec_seccomp_actions;
	case SPEC_NAMES_SECCOMP_ARCHITECTURES:
		return spec_seccomp_architectures;
	case SPEC_NAMES_SECCOMP_FLAGS:
		return spec_seccomp_flags;
	case SPEC_NAMES_SECCOMP_OPERATORS:
		return spec_seccomp_operators;
	case SPEC_NAMES_MEMORY_MODES:
		return spec_memory_modes;
	case SPEC_NAMES_MEMORY_FLAGS:
		return spec_memory_flags;
	case SPEC_NAMES_CAPABILITIES:
		break;
	}
	return NULL;
}

const char *spec_known_name(enum spec_names list, size_t index, uint64_t *value)
{
	const struct spec_name *table = table_of(list);

	if (!table) {
		if (value)
			*value = index;
		return capability_name((int)index);
	}
	for (size_t i = 0; i < index; i++)
		if (!table[i].name)
			return NULL;
	if (value)
		*value = table[index].value;
	return table[index].name;
}
