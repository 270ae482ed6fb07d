/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The small controllers: pids, hugetlb, rdma, net_cls and net_prio.
 * Documentation/admin-guide/cgroup-v1/{pids,hugetlb,rdma,net_cls,net_prio}.rst; cgroup-v2.rst. */
#include <dirent.h>
#include <inttypes.h>
#include <string.h>

#include "runtime/cgroup_internal.h"

/* The same in v1 and v2. 0 would let nothing fork, as 1 does; systemd knows only the latter, and runc
 * writes it for both drivers. */
static int set_pids(const struct cgroup_target *t, const struct spec_resources *resources)
{
	int64_t limit = resources->pids_limit.value;

	/* No limit is what there is without the controller. */
	if (!resources->pids_limit.is_set || (limit < 0 && (!t->dir || !t->is_update)))
		return 0;
	if (limit < 0)
		return cgroup_put(t, "pids.limit", "pids.max", "max");
	return cgroup_put(t, "pids.limit", "pids.max", "%" PRId64, limit == 0 ? 1 : limit);
}

static int stat_pids(const struct cgroup_target *t, json_t *data)
{
	uint64_t limit = cgroup_get(t, "pids.max");

	return json_object_set_new(data, "pids",
				   json_pack("{s:o, s:o}", "current",
					     cgroup_number(cgroup_get(t, "pids.current")), "limit",
					     cgroup_number(limit == UINT64_MAX ? 0 : limit)));
}

/* suffix is the end of the limit's file. The reservation's limit follows the limit where the kernel (5.7)
 * has it: else a process could reserve pages that it then can't touch, and die of SIGBUS. */
static int set_hugepages(const struct cgroup_target *t, const struct spec_resources *resources,
			 const char *suffix)
{
	for (size_t i = 0; i < resources->hugepage_count; i++) {
		const struct spec_hugepage_limit *h = &resources->hugepages[i];
		char file[96];
		int r;

		if (strchr(h->page_size, '/'))
			return cgroup_refuse(t, "hugepageLimits", "a page size has no slash");
		snprintf(file, sizeof file, "hugetlb.%.32s.%s", h->page_size, suffix);
		r = cgroup_put(t, "hugepageLimits", file, "%" PRIu64, h->limit);
		if (r < 0)
			return r;
		snprintf(file, sizeof file, "hugetlb.%.32s.rsvd.%s", h->page_size, suffix);
		r = cgroup_put(t, "hugepageLimits", file, "%" PRIu64, h->limit);
		if (r == -ENOENT && t->err)
			error_freep(t->err);
		if (r < 0 && r != -ENOENT)
			return r;
	}
	return 0;
}

static int set_hugetlb_v1(const struct cgroup_target *t, const struct spec_resources *resources)
{
	return set_hugepages(t, resources, "limit_in_bytes");
}

static int set_hugetlb_v2(const struct cgroup_target *t, const struct spec_resources *resources)
{
	return set_hugepages(t, resources, "max");
}

/* "hugepages-2048kB" to "2MB", as the kernel names the files. */
int cgroup_hugepage_name(const char *entry, char *name, size_t size)
{
	uint64_t kib;
	char number[24];
	size_t n;

	if (!str_starts(entry, "hugepages-"))
		return -EINVAL;
	entry += strlen("hugepages-");
	n = strcspn(entry, "k");
	if (strcmp(entry + n, "kB") != 0 || n >= sizeof number)
		return -EINVAL;
	memcpy(number, entry, n);
	number[n] = '\0';
	if (parse_u64(number, UINT64_MAX, &kib) < 0)
		return -EINVAL;
	if (kib >= 1 << 20)
		snprintf(name, size, "%" PRIu64 "GB", kib >> 20);
	else if (kib >= 1 << 10)
		snprintf(name, size, "%" PRIu64 "MB", kib >> 10);
	else
		snprintf(name, size, "%" PRIu64 "KB", kib);
	return 0;
}

static json_t *hugepage_entry(const struct cgroup_target *t, const char *page_size, bool is_v2)
{
	char prefix[64], file[96];
	uint64_t usage, max = 0, failed = 0;

	/* The counters of reservations are the ones that grow first; older kernels lack them. */
	snprintf(prefix, sizeof prefix, "hugetlb.%s.rsvd", page_size);
	snprintf(file, sizeof file, "%s.%s", prefix, is_v2 ? "current" : "usage_in_bytes");
	if (faccessat(t->dir->fd, file, F_OK, 0) < 0)
		snprintf(prefix, sizeof prefix, "hugetlb.%s", page_size);
	snprintf(file, sizeof file, "%s.%s", prefix, is_v2 ? "current" : "usage_in_bytes");
	usage = cgroup_get(t, file);
	if (is_v2) {
		snprintf(file, sizeof file, "hugetlb.%s.events", page_size);
		if (cgroup_read_key(t->dir->fd, t->dir->path, file, "max", &failed, NULL) < 0)
			failed = 0;
	} else {
		snprintf(file, sizeof file, "%s.max_usage_in_bytes", prefix);
		max = cgroup_get(t, file);
		snprintf(file, sizeof file, "%s.failcnt", prefix);
		failed = cgroup_get(t, file);
	}
	return json_pack("{s:o, s:o, s:o}", "usage", cgroup_number(usage), "max",
			 cgroup_number(max), "failcnt", cgroup_number(failed));
}

static int stat_hugepages(const struct cgroup_target *t, json_t *data, bool is_v2)
{
	_cleanup_dir_ DIR *d = opendir("/sys/kernel/mm/hugepages");
	json_t *all = json_object();
	struct dirent *entry;

	while (d && (entry = readdir(d))) {
		char name[32];

		if (cgroup_hugepage_name(entry->d_name, name, sizeof name) == 0)
			json_object_set_new(all, name, hugepage_entry(t, name, is_v2));
	}
	return json_object_set_new(data, "hugetlb", all);
}

static int stat_hugetlb_v1(const struct cgroup_target *t, json_t *data)
{
	return stat_hugepages(t, data, false);
}

static int stat_hugetlb_v2(const struct cgroup_target *t, json_t *data)
{
	return stat_hugepages(t, data, true);
}

/* The same in v1 and v2. */
static int set_rdma(const struct cgroup_target *t, const struct spec_resources *resources)
{
	for (size_t i = 0; i < resources->rdma_count; i++) {
		const struct spec_rdma *d = &resources->rdma[i];
		char handles[40] = "", objects[40] = "";
		int r;

		if (d->hca_handles.is_set)
			snprintf(handles, sizeof handles, " hca_handle=%" PRIu64,
				 d->hca_handles.value);
		if (d->hca_objects.is_set)
			snprintf(objects, sizeof objects, " hca_object=%" PRIu64,
				 d->hca_objects.value);
		r = cgroup_put(t, "rdma", "rdma.max", "%s%s%s", d->device, handles, objects);
		if (r < 0)
			return r;
	}
	return 0;
}

/* "mlx4_0 hca_handle=2 hca_object=max" lines. */
static json_t *rdma_entries(const struct cgroup_target *t, const char *file)
{
	_cleanup_free_ char *text = NULL;
	json_t *entries = json_array();
	char *save = NULL, *save_word = NULL;

	if (cgroup_read(t->dir->fd, t->dir->path, file, &text, NULL) < 0)
		text = NULL;
	for (char *line = text ? strtok_r(text, "\n", &save) : NULL; line;
	     line = strtok_r(NULL, "\n", &save)) {
		char *word = strtok_r(line, " ", &save_word);
		json_t *entry = json_pack("{s:s*}", "device", word);

		while (word && (word = strtok_r(NULL, " ", &save_word))) {
			uint64_t value = UINT32_MAX;
			char *equals = strchr(word, '=');

			if (!equals)
				continue;
			*equals = '\0';
			if (strcmp(equals + 1, "max") != 0 &&
			    parse_u64(equals + 1, UINT32_MAX, &value) < 0)
				continue;
			if (strcmp(word, "hca_handle") == 0)
				json_object_set_new(entry, "hcaHandles", cgroup_number(value));
			else if (strcmp(word, "hca_object") == 0)
				json_object_set_new(entry, "hcaObjects", cgroup_number(value));
		}
		json_array_append_new(entries, entry);
	}
	return entries;
}

static int stat_rdma(const struct cgroup_target *t, json_t *data)
{
	if (faccessat(t->dir->fd, "rdma.max", F_OK, 0) < 0)
		return 0;
	return json_object_set_new(data, "rdma",
				   json_pack("{s:o, s:o}", "limit", rdma_entries(t, "rdma.max"),
					     "current", rdma_entries(t, "rdma.current")));
}

static int set_class_v1(const struct cgroup_target *t, const struct spec_resources *resources)
{
	if (!resources->network.class_id.is_set || resources->network.class_id.value == 0)
		return 0;
	return cgroup_put(t, "network.classID", "net_cls.classid", "%" PRIu64,
			  resources->network.class_id.value);
}

static int set_class_v2(const struct cgroup_target *t, const struct spec_resources *resources)
{
	if (!resources->network.class_id.is_set || resources->network.class_id.value == 0)
		return 0;
	return cgroup_refuse(t, "network.classID", "cgroup v2 has no net_cls controller");
}

static int set_priorities_v1(const struct cgroup_target *t, const struct spec_resources *resources)
{
	for (size_t i = 0; i < resources->network.priority_count; i++) {
		const struct spec_interface_priority *p = &resources->network.priorities[i];
		int r = cgroup_put(t, "network.priorities", "net_prio.ifpriomap", "%s %" PRIu32,
				   p->name, p->priority);

		if (r < 0)
			return r;
	}
	return 0;
}

static int set_priorities_v2(const struct cgroup_target *t, const struct spec_resources *resources)
{
	return resources->network.priority_count == 0
		       ? 0
		       : cgroup_refuse(t, "network.priorities",
				       "cgroup v2 has no net_prio controller");
}

const struct cgroup_controller cgroup_controller_pids = {
	.name = "pids",
	.unified_name = "pids",
	.set_v1 = set_pids,
	.set_v2 = set_pids,
	.stat_v1 = stat_pids,
	.stat_v2 = stat_pids,
};

const struct cgroup_controller cgroup_controller_hugetlb = {
	.name = "hugetlb",
	.unified_name = "hugetlb",
	.set_v1 = set_hugetlb_v1,
	.set_v2 = set_hugetlb_v2,
	.stat_v1 = stat_hugetlb_v1,
	.stat_v2 = stat_hugetlb_v2,
};

const struct cgroup_controller cgroup_controller_rdma = {
	.name = "rdma",
	.unified_name = "rdma",
	.set_v1 = set_rdma,
	.set_v2 = set_rdma,
	.stat_v1 = stat_rdma,
	.stat_v2 = stat_rdma,
};

const struct cgroup_controller cgroup_controller_net_cls = {
	.name = "net_cls",
	.set_v1 = set_class_v1,
	.set_v2 = set_class_v2,
};

const struct cgroup_controller cgroup_controller_net_prio = {
	.name = "net_prio",
	.set_v1 = set_priorities_v1,
	.set_v2 = set_priorities_v2,
};
