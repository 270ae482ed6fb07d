/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Statistics: the "data" object of runc's `events --stats`, put together by the controllers.
 *
 * JSON integers are signed here: what is above 2^63-1 ("max") is shown as that, near v1's own unlimited. */
#include <inttypes.h>
#include <string.h>

#include "runtime/cgroup_internal.h"

uint64_t cgroup_get(const struct cgroup_target *t, const char *file)
{
	uint64_t value = 0;

	return cgroup_read_u64(t->dir->fd, t->dir->path, file, &value, NULL) < 0 ? 0 : value;
}

json_t *cgroup_number(uint64_t value)
{
	return json_integer(value > INT64_MAX ? INT64_MAX : (json_int_t)value);
}

json_t *cgroup_pairs(const struct cgroup_target *t, const char *file)
{
	_cleanup_free_ char *text = NULL;
	json_t *object = json_object();
	char *save = NULL;

	if (cgroup_read(t->dir->fd, t->dir->path, file, &text, NULL) < 0)
		return object;
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char *blank = strchr(line, ' ');
		uint64_t value;

		if (!blank)
			continue;
		*blank = '\0';
		if (parse_u64(blank + 1, UINT64_MAX, &value) == 0)
			json_object_set_new(object, line, cgroup_number(value));
	}
	return object;
}

/* "some avg10=0.00 avg60=0.00 avg300=0.00 total=0" */
json_t *cgroup_pressure(const struct cgroup_target *t, const char *file)
{
	_cleanup_free_ char *text = NULL;
	json_t *psi = NULL;
	char *save = NULL;

	if (cgroup_read(t->dir->fd, t->dir->path, file, &text, NULL) < 0)
		return NULL;
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		double avg10, avg60, avg300;
		uint64_t total;
		char kind[8];

		if (sscanf(line, "%7s avg10=%lf avg60=%lf avg300=%lf total=%" SCNu64, kind, &avg10,
			   &avg60, &avg300, &total) != 5)
			continue;
		if (!psi)
			psi = json_object();
		json_object_set_new(psi, kind,
				    json_pack("{s:f, s:f, s:f, s:o}", "avg10", avg10, "avg60",
					      avg60, "avg300", avg300, "total",
					      cgroup_number(total)));
	}
	return psi;
}

int cgroup_stats(const struct cgroup *cg, json_t **out, struct error **err)
{
	/* Sections that every reader expects, also of a host without the controller. */
	_cleanup_json_ json_t *data = json_pack("{s:{}, s:{}, s:{}, s:{}, s:{}, s:{}}", "cpu",
						"cpuset", "memory", "pids", "blkio", "hugetlb");

	if (!data)
		return error_errno(err, ENOMEM, "read the cgroup's statistics");
	for (size_t i = 0; cgroup_controllers[i]; i++) {
		const struct cgroup_controller *c = cgroup_controllers[i];
		struct cgroup_target t = {
			.cg = (struct cgroup *)cg,
			.dir = cgroup_find_controller(cg, c->name, c->unified_name),
			.controller = c->name,
			.err = err,
		};
		int (*stat)(const struct cgroup_target *, json_t *);

		if (!t.dir)
			continue;
		stat = t.dir->is_unified ? c->stat_v2 : c->stat_v1;
		if (!stat)
			continue;
		if (cgroup_dir_open(t.dir, err) < 0)
			return error_prefix(err, "read the cgroup's statistics");
		if (stat(&t, data) < 0)
			return error_errno(err, ENOMEM, "read the cgroup's statistics");
	}
	*out = TAKE_PTR(data);
	return 0;
}
