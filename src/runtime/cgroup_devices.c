/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The device controller: linux.resources.devices, on v1 as writes to devices.allow and devices.deny, on
 * v2 as a BPF program.
 *
 * Both go through the state that the rules lead to, since neither the kernel's v1 list nor a row of BPF
 * tests acts on rules one by one as the specification means them (a later rule overrides an earlier one).
 * Documentation/admin-guide/cgroup-v1/devices.rst; cgroup-v2.rst, "Device controller". */
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>

#include "kernel/bpf.h"
#include "runtime/cgroup_devices.h"
#include "runtime/cgroup_internal.h"

/* What every container may have, after all rules, as runc. */
static const struct spec_device_rule default_rules[] = {
	{true, 'c', -1, -1, "m"},    {true, 'b', -1, -1, "m"}, {true, 'c', 1, 3, "rwm"}, /* null */
	{true, 'c', 1, 8, "rwm"},    /* random */
	{true, 'c', 1, 7, "rwm"},    /* full */
	{true, 'c', 5, 0, "rwm"},    /* tty */
	{true, 'c', 1, 5, "rwm"},    /* zero */
	{true, 'c', 1, 9, "rwm"},    /* urandom */
	{true, 'c', 136, -1, "rwm"}, /* ptys */
	{true, 'c', 5, 2, "rwm"},    /* ptmx */
	{true, 'c', 10, 200, "rwm"}, /* net/tun */
};

static unsigned access_bits(const char *text)
{
	unsigned bits = 0;

	for (; *text; text++)
		bits |= *text == 'm' ? DEVICE_MKNOD : *text == 'r' ? DEVICE_READ : DEVICE_WRITE;
	return bits;
}

static bool covers(int64_t wide, int64_t narrow)
{
	return wide == -1 || wide == narrow;
}

static int add_exception(struct device_state *state, const struct device_exception *added)
{
	struct device_exception *grown;

	for (size_t i = 0; i < state->count; i++) {
		struct device_exception *e = &state->exceptions[i];

		if (e->type == added->type && e->major == added->major &&
		    e->minor == added->minor) {
			e->access |= added->access;
			return 0;
		}
	}
	grown = reallocarray(state->exceptions, state->count + 1, sizeof *grown);
	if (!grown)
		return -ENOMEM;
	state->exceptions = grown;
	grown[state->count++] = *added;
	return 0;
}

/* Takes the accesses out of all exceptions that gone covers. */
static int remove_exceptions(struct device_state *state, const struct device_exception *gone,
			     struct error **err)
{
	size_t kept = 0;

	for (size_t i = 0; i < state->count; i++) {
		const struct device_exception *e = &state->exceptions[i];
		bool is_inside = covers(gone->major, e->major) && covers(gone->minor, e->minor);

		if (e->type == gone->type && (e->access & gone->access) && !is_inside &&
		    (e->major == -1 || covers(gone->major, e->major)) &&
		    (e->minor == -1 || covers(gone->minor, e->minor)))
			return error_set(err, EINVAL,
					 "linux.resources.devices: a rule for %c %" PRId64
					 ":%" PRId64
					 " can't take back a part of the one for %" PRId64
					 ":%" PRId64 " before it (-1 is all)",
					 gone->type, gone->major, gone->minor, e->major, e->minor);
	}
	for (size_t i = 0; i < state->count; i++) {
		struct device_exception e = state->exceptions[i];

		if (e.type == gone->type && covers(gone->major, e.major) &&
		    covers(gone->minor, e.minor))
			e.access &= ~gone->access;
		if (e.access)
			state->exceptions[kept++] = e;
	}
	state->count = kept;
	return 0;
}

static int apply_rule(struct device_state *state, const struct spec_device_rule *rule,
		      struct error **err)
{
	const struct device_exception e = {
		.type = rule->type,
		.major = rule->major,
		.minor = rule->minor,
		.access = access_bits(rule->access),
	};
	int r;

	/* As in the kernel, numbers and accesses of an 'a' rule say nothing: it resets all. */
	if (rule->type == 'a') {
		state->is_allowed = rule->allow;
		state->count = 0;
		return 0;
	}
	if (rule->allow == state->is_allowed)
		return remove_exceptions(state, &e, err);
	r = add_exception(state, &e);
	return r < 0 ? error_errno(err, -r, "linux.resources.devices") : 0;
}

int device_state_build(const struct spec_device_rule *rules, size_t count, struct device_state *out,
		       struct error **err)
{
	struct device_state state = {0};
	int r = 0;

	for (size_t i = 0; r == 0 && i < count; i++)
		r = apply_rule(&state, &rules[i], err);
	/* Where all is allowed, so are these, unless a rule took one away. */
	for (size_t i = 0; r == 0 && !state.is_allowed && i < ARRAY_SIZE(default_rules); i++)
		r = apply_rule(&state, &default_rules[i], err);
	if (r < 0)
		free(state.exceptions);
	else
		*out = state;
	return r;
}

#define REGISTER_TYPE   BPF_REG_2
#define REGISTER_ACCESS BPF_REG_3
#define REGISTER_MAJOR  BPF_REG_4
#define REGISTER_MINOR  BPF_REG_5
/* Prologue, epilogue, and the most that one exception takes. */
#define INSNS_FIXED         8
#define INSNS_PER_EXCEPTION 8

static struct bpf_insn load_word(uint8_t to, int16_t offset)
{
	return (struct bpf_insn){.code = BPF_LDX | BPF_MEM | BPF_W,
				 .dst_reg = to,
				 .src_reg = BPF_REG_1,
				 .off = offset};
}

static struct bpf_insn alu(uint8_t operation, uint8_t reg, int32_t value)
{
	return (struct bpf_insn){
		.code = (uint8_t)(BPF_ALU | operation | BPF_K), .dst_reg = reg, .imm = value};
}

static struct bpf_insn jump_unless(uint8_t reg, int32_t value)
{
	return (struct bpf_insn){.code = BPF_JMP | BPF_JNE | BPF_K, .dst_reg = reg, .imm = value};
}

static struct bpf_insn copy_register(uint8_t to, uint8_t from)
{
	return (struct bpf_insn){.code = BPF_ALU | BPF_MOV | BPF_X, .dst_reg = to, .src_reg = from};
}

/* The tests of one exception; each that fails jumps behind its end. is_any: one of the accesses suffices (an
 * exception that denies), else all that are wanted must be in it. Returns the number of instructions. */
static size_t emit_exception(struct bpf_insn *to, const struct device_exception *e, bool is_allowed)
{
	const unsigned all = DEVICE_MKNOD | DEVICE_READ | DEVICE_WRITE;
	size_t n = 0;

	to[n++] = jump_unless(REGISTER_TYPE,
			      e->type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR);
	if (e->access != all) {
		to[n++] = copy_register(BPF_REG_1, REGISTER_ACCESS);
		if (is_allowed) {
			/* Denies: skipped when no wanted access is in it. */
			to[n++] = alu(BPF_AND, BPF_REG_1, (int32_t)e->access);
			to[n++] = (struct bpf_insn){
				.code = BPF_JMP | BPF_JEQ | BPF_K, .dst_reg = BPF_REG_1, .imm = 0};
		} else {
			/* Allows: skipped when a wanted access is not in it. */
			to[n++] = alu(BPF_AND, BPF_REG_1, (int32_t)(all & ~e->access));
			to[n++] = jump_unless(BPF_REG_1, 0);
		}
	}
	if (e->major >= 0)
		to[n++] = jump_unless(REGISTER_MAJOR, (int32_t)e->major);
	if (e->minor >= 0)
		to[n++] = jump_unless(REGISTER_MINOR, (int32_t)e->minor);
	to[n++] = alu(BPF_MOV, BPF_REG_0, !is_allowed);
	to[n++] = (struct bpf_insn){.code = BPF_JMP | BPF_EXIT};
	for (size_t i = 0; i < n - 1; i++) {
		if (BPF_CLASS(to[i].code) == BPF_JMP && BPF_OP(to[i].code) != BPF_EXIT)
			to[i].off = (int16_t)(n - i - 1);
	}
	return n;
}

ssize_t device_state_program(const struct device_state *state, struct bpf_insn **insns)
{
	size_t n = 0;
	struct bpf_insn *p = calloc(INSNS_FIXED + state->count * INSNS_PER_EXCEPTION, sizeof *p);

	if (!p)
		return -ENOMEM;
	/* struct bpf_cgroup_dev_ctx: access_type is access << 16 | type. */
	p[n++] = load_word(REGISTER_TYPE, offsetof(struct bpf_cgroup_dev_ctx, access_type));
	p[n++] = alu(BPF_AND, REGISTER_TYPE, 0xffff);
	p[n++] = load_word(REGISTER_ACCESS, offsetof(struct bpf_cgroup_dev_ctx, access_type));
	p[n++] = alu(BPF_RSH, REGISTER_ACCESS, 16);
	p[n++] = load_word(REGISTER_MAJOR, offsetof(struct bpf_cgroup_dev_ctx, major));
	p[n++] = load_word(REGISTER_MINOR, offsetof(struct bpf_cgroup_dev_ctx, minor));
	for (size_t i = 0; i < state->count; i++)
		n += emit_exception(p + n, &state->exceptions[i], state->is_allowed);
	p[n++] = alu(BPF_MOV, BPF_REG_0, state->is_allowed);
	p[n++] = (struct bpf_insn){.code = BPF_JMP | BPF_EXIT};
	*insns = p;
	return (ssize_t)n;
}

/* One write for each exception, through one descriptor. */
static int put_exceptions(const struct cgroup_target *t, const char *file,
			  const struct device_state *state)
{
	_cleanup_fd_ int fd = openat(t->dir->fd, file, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return error_errno(t->err, errno, "linux.resources.devices: open %s/%s",
				   t->dir->path, file);
	for (size_t i = 0; i < state->count; i++) {
		const struct device_exception *e = &state->exceptions[i];
		uint64_t begin = trace_begin();
		char major[24] = "*", minor[24] = "*", text[72];
		int n, r;

		if (e->major >= 0)
			snprintf(major, sizeof major, "%" PRId64, e->major);
		if (e->minor >= 0)
			snprintf(minor, sizeof minor, "%" PRId64, e->minor);
		n = snprintf(text, sizeof text, "%c %s:%s %s%s%s", e->type, major, minor,
			     e->access & DEVICE_READ ? "r" : "",
			     e->access & DEVICE_WRITE ? "w" : "",
			     e->access & DEVICE_MKNOD ? "m" : "");
		r = write(fd, text, (size_t)n) < 0 ? -errno : 0;
		trace_step(TRACE_CGROUP, begin, "write", r, "%s/%s, \"%s\"", t->dir->path, file,
			   text);
		if (r < 0)
			return error_errno(t->err, -r,
					   "linux.resources.devices: write \"%s\" to %s/%s", text,
					   t->dir->path, file);
	}
	return 0;
}

static int set_state_v1(const struct cgroup_target *t, const struct device_state *state)
{
	int r = cgroup_put(t, "devices", state->is_allowed ? "devices.allow" : "devices.deny", "a");

	if (r < 0)
		return r;
	return put_exceptions(t, state->is_allowed ? "devices.deny" : "devices.allow", state);
}

static int set_state_v2(const struct cgroup_target *t, const struct device_state *state)
{
	_cleanup_free_ struct bpf_insn *insns = NULL;
	_cleanup_fd_ int cgroup_fd = -1, prog_fd = -1;
	ssize_t count;
	int r;

	if (!t->dir)
		return cgroup_put(t, "devices", "devices.deny", "a");
	count = device_state_program(state, &insns);
	if (count < 0)
		return error_errno(t->err, ENOMEM, "linux.resources.devices");
	cgroup_fd = open(t->dir->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (cgroup_fd < 0)
		return error_errno(t->err, errno, "linux.resources.devices: open %s", t->dir->path);
	prog_fd = bpf_load_device_program(insns, (size_t)count, t->err);
	r = prog_fd < 0 ? prog_fd : bpf_set_device_program(cgroup_fd, prog_fd, t->err);
	return r < 0 ? error_prefix(t->err, "linux.resources.devices of %s", t->dir->path) : 0;
}

/* A normal user can neither make device nodes nor bpf programs: the devices that his container has are
 * those the host lets him open anyway. */
static int tolerate(const struct cgroup_target *t, int r)
{
	if (!t->cg->is_rootless || (r != -EPERM && r != -EACCES && r != -ENODEV))
		return r;
	if (t->err)
		error_freep(t->err);
	return 0;
}

static int set_devices(const struct cgroup_target *t, const struct spec_resources *resources,
		       int (*set_state)(const struct cgroup_target *, const struct device_state *))
{
	struct device_state state;
	int r;

	if (resources->device_count == 0 && t->is_update)
		return 0;
	r = device_state_build(resources->devices, resources->device_count, &state, t->err);
	if (r < 0)
		return r;
	r = set_state(t, &state);
	free(state.exceptions);
	return tolerate(t, r);
}

static int set_v1(const struct cgroup_target *t, const struct spec_resources *resources)
{
	return set_devices(t, resources, set_state_v1);
}

static int set_v2(const struct cgroup_target *t, const struct spec_resources *resources)
{
	return set_devices(t, resources, set_state_v2);
}

const struct cgroup_controller cgroup_controller_devices = {
	.name = "devices",
	.unified_name = "",
	.set_v1 = set_v1,
	.set_v2 = set_v2,
};
