/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See bpf.h; bpf(2), Documentation/admin-guide/cgroup-v2.rst "Device controller". */
#include <string.h>
#include <sys/syscall.h>

#include "kernel/bpf.h"

/* More than anybody attaches; the kernel's own limit for one cgroup is 64. */
#define PROGRAMS_MAX      64
#define VERIFIER_LOG_SIZE 4096

static int sys_bpf(enum bpf_cmd command, union bpf_attr *attr)
{
	int r = (int)syscall(SYS_bpf, command, attr, sizeof *attr);

	return r < 0 ? -errno : r;
}

int bpf_load_device_program(const struct bpf_insn *insns, size_t count, struct error **err)
{
	uint64_t begin = trace_begin();
	char log[VERIFIER_LOG_SIZE] = "";
	union bpf_attr attr = {
		.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE,
		.insns = (uint64_t)(uintptr_t)insns,
		.insn_cnt = (uint32_t)count,
		.license = (uint64_t)(uintptr_t) "GPL",
		.prog_name = "dhow_device",
	};
	int r = sys_bpf(BPF_PROG_LOAD, &attr);

	trace_step(TRACE_CGROUP, begin, "bpf", r < 0 ? r : 0,
		   "BPF_PROG_LOAD, cgroup device, %zu instructions", count);
	if (r >= 0)
		return r;
	/* Once more for what the verifier says; it has no say in EPERM and ENOSYS. */
	if (r == -EINVAL || r == -EACCES) {
		int again;

		attr.log_level = 1;
		attr.log_buf = (uint64_t)(uintptr_t)log;
		attr.log_size = sizeof log;
		again = sys_bpf(BPF_PROG_LOAD, &attr);
		if (again >= 0)
			return again;
		log[strcspn(log, "\n")] = '\0';
	}
	return *log ? error_errno(err, -r, "load the device program (verifier: %s)", log)
		    : error_errno(err, -r, "load the device program");
}

/* NOLINTNEXTLINE(readability-non-const-parameter): the kernel writes the ids */
static int query(int cgroup_fd, uint32_t ids[PROGRAMS_MAX], uint32_t *flags)
{
	union bpf_attr attr = {
		.query.target_fd = (uint32_t)cgroup_fd,
		.query.attach_type = BPF_CGROUP_DEVICE,
		.query.prog_ids = (uint64_t)(uintptr_t)ids,
		.query.prog_cnt = PROGRAMS_MAX,
	};
	int r = sys_bpf(BPF_PROG_QUERY, &attr);

	if (r < 0)
		return r;
	*flags = attr.query.attach_flags;
	return (int)attr.query.prog_cnt;
}

int bpf_count_device_programs(int cgroup_fd, struct error **err)
{
	uint32_t ids[PROGRAMS_MAX], flags;
	int r = query(cgroup_fd, ids, &flags);

	return r < 0 ? error_errno(err, -r, "ask for the cgroup's device programs") : r;
}

static int open_program(uint32_t id)
{
	union bpf_attr attr = {.prog_id = id};

	return sys_bpf(BPF_PROG_GET_FD_BY_ID, &attr);
}

static int attach(int cgroup_fd, int prog_fd, uint32_t flags, int replaced_fd)
{
	uint64_t begin = trace_begin();
	union bpf_attr attr = {
		.target_fd = (uint32_t)cgroup_fd,
		.attach_bpf_fd = (uint32_t)prog_fd,
		.attach_type = BPF_CGROUP_DEVICE,
		.attach_flags = flags,
		.replace_bpf_fd = replaced_fd < 0 ? 0 : (uint32_t)replaced_fd,
	};
	int r = sys_bpf(BPF_PROG_ATTACH, &attr);

	trace_step(TRACE_CGROUP, begin, "bpf", r, "BPF_PROG_ATTACH, cgroup device%s",
		   replaced_fd < 0 ? "" : ", in place of the old one");
	return r;
}

static int detach(int cgroup_fd, int prog_fd)
{
	uint64_t begin = trace_begin();
	union bpf_attr attr = {
		.target_fd = (uint32_t)cgroup_fd,
		.attach_bpf_fd = (uint32_t)prog_fd,
		.attach_type = BPF_CGROUP_DEVICE,
	};
	int r = sys_bpf(BPF_PROG_DETACH, &attr);

	trace_step(TRACE_CGROUP, begin, "bpf", r, "BPF_PROG_DETACH, cgroup device");
	return r;
}

int bpf_set_device_program(int cgroup_fd, int prog_fd, struct error **err)
{
	uint32_t ids[PROGRAMS_MAX] = {0}, flags = 0;
	_cleanup_fd_ int old = -1;
	int count = query(cgroup_fd, ids, &flags), r;

	/* Kernels before 4.15 have neither query nor program; attaching says so. */
	if (count < 0)
		count = 0;
	if (count == 1) {
		old = open_program(ids[0]);
		/* What was attached alone, without BPF_F_ALLOW_MULTI, is exchanged by any attach alike. */
		if (old >= 0 && !(flags & BPF_F_ALLOW_MULTI) &&
		    attach(cgroup_fd, prog_fd, flags & BPF_F_ALLOW_OVERRIDE, -1) == 0)
			return 0;
		if (old >= 0 &&
		    attach(cgroup_fd, prog_fd, BPF_F_ALLOW_MULTI | BPF_F_REPLACE, old) == 0)
			return 0;
		close_fd(&old);
	}
	r = attach(cgroup_fd, prog_fd, BPF_F_ALLOW_MULTI, -1);
	if (r < 0)
		return error_errno(err, -r, "attach the device program");
	for (int i = 0; i < count; i++) {
		_cleanup_fd_ int fd = open_program(ids[i]);

		r = fd < 0 ? fd : detach(cgroup_fd, fd);
		if (r < 0 && r != -ENOENT)
			return error_errno(err, -r, "detach the old device program");
	}
	return 0;
}
