/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of device rules: the state they lead to, and the BPF program, which is run here by an interpreter of
 * the few instructions that it is made of. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "runtime/cgroup_devices.h"

#define R DEVICE_READ
#define W DEVICE_WRITE
#define M DEVICE_MKNOD

static const struct spec_device_rule deny_all = {false, 'a', -1, -1, "rwm"};
static const struct spec_device_rule allow_all = {true, 'a', -1, -1, "rwm"};

/* Runs the program on one access; -1 when it does what the interpreter doesn't know or never ends. */
static int run(const struct bpf_insn *insns, size_t count, const struct bpf_cgroup_dev_ctx *ctx)
{
	uint32_t r[11] = {0};
	size_t pc = 0;

	for (int steps = 0; steps < 10000 && pc < count; steps++) {
		const struct bpf_insn *i = &insns[pc++];
		uint32_t operand = (i->code & 0x08) == BPF_X ? r[i->src_reg] : (uint32_t)i->imm;
		bool jumps = false;

		switch (i->code) {
		case BPF_LDX | BPF_MEM | BPF_W:
			memcpy(&r[i->dst_reg], (const char *)ctx + i->off, sizeof r[0]);
			continue;
		case BPF_JMP | BPF_EXIT:
			return (int)r[0];
		case BPF_JMP | BPF_JNE | BPF_K:
			jumps = r[i->dst_reg] != operand;
			break;
		case BPF_JMP | BPF_JEQ | BPF_K:
			jumps = r[i->dst_reg] == operand;
			break;
		case BPF_ALU | BPF_AND | BPF_K:
			r[i->dst_reg] &= operand;
			continue;
		case BPF_ALU | BPF_RSH | BPF_K:
			r[i->dst_reg] >>= operand;
			continue;
		case BPF_ALU | BPF_MOV | BPF_K:
		case BPF_ALU | BPF_MOV | BPF_X:
			r[i->dst_reg] = operand;
			continue;
		default:
			return -1;
		}
		if (jumps)
			pc += (size_t)i->off;
	}
	return -1;
}

static struct device_state built(const struct spec_device_rule *rules, size_t count)
{
	_cleanup_error_ struct error *err = NULL;
	struct device_state state;

	if (device_state_build(rules, count, &state, &err) < 0)
		fail_msg("%s", error_text(err));
	return state;
}

static bool is_allowed(const struct device_state *state, char type, unsigned major, unsigned minor,
		       unsigned access)
{
	_cleanup_free_ struct bpf_insn *insns = NULL;
	const struct bpf_cgroup_dev_ctx ctx = {
		.access_type =
			access << 16 | (type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR),
		.major = major,
		.minor = minor,
	};
	ssize_t count = device_state_program(state, &insns);
	int verdict;

	assert_true(count > 0);
	verdict = run(insns, (size_t)count, &ctx);
	assert_in_range(verdict, 0, 1);
	return verdict == 1;
}

static void given_no_rules_then_default_devices_alone_are_allowed(void **unused)
{
	struct device_state state = built(&deny_all, 1);

	(void)unused;
	assert_false(state.is_allowed);
	assert_int_equal(state.count, 11);
	assert_true(is_allowed(&state, 'c', 1, 3, R | W | M));
	assert_true(is_allowed(&state, 'c', 5, 2, R | W));
	assert_true(is_allowed(&state, 'c', 136, 4711, R | W));
	assert_true(is_allowed(&state, 'c', 10, 200, R));
	assert_false(is_allowed(&state, 'b', 1, 3, R));
	assert_false(is_allowed(&state, 'c', 1, 1, R));
	assert_false(is_allowed(&state, 'b', 8, 0, R));
	/* Any node may be made; using it is another matter. */
	assert_true(is_allowed(&state, 'b', 8, 0, M));
	assert_false(is_allowed(&state, 'b', 8, 0, M | R));
	free(state.exceptions);
}

static void given_allow_rules_then_each_access_counts(void **unused)
{
	const struct spec_device_rule rules[] = {
		deny_all,
		{true, 'b', 8, -1, "r"},
		{true, 'b', 8, 16, "w"},
		{true, 'c', -1, 229, "rw"},
	};
	struct device_state state = built(rules, ARRAY_SIZE(rules));

	(void)unused;
	assert_true(is_allowed(&state, 'b', 8, 0, R));
	assert_false(is_allowed(&state, 'b', 8, 0, W));
	assert_true(is_allowed(&state, 'b', 8, 16, W));
	assert_true(is_allowed(&state, 'b', 8, 16, R));
	assert_false(is_allowed(&state, 'b', 9, 16, R));
	assert_true(is_allowed(&state, 'c', 10, 229, R | W));
	assert_true(is_allowed(&state, 'c', 4000, 229, R | W));
	assert_false(is_allowed(&state, 'c', 10, 229, R | W | M));
	free(state.exceptions);
}

static void given_everything_allowed_then_any_denied_access_is_enough_to_refuse(void **unused)
{
	const struct spec_device_rule rules[] = {
		allow_all,
		{false, 'b', 8, -1, "w"},
		{false, 'c', 1, 1, "rwm"},
	};
	struct device_state state = built(rules, ARRAY_SIZE(rules));

	(void)unused;
	assert_true(state.is_allowed);
	assert_true(is_allowed(&state, 'b', 8, 0, R));
	assert_false(is_allowed(&state, 'b', 8, 0, W));
	assert_false(is_allowed(&state, 'b', 8, 0, R | W));
	assert_true(is_allowed(&state, 'b', 9, 0, R | W));
	assert_false(is_allowed(&state, 'c', 1, 1, M));
	assert_true(is_allowed(&state, 'c', 1, 2, R | W | M));
	free(state.exceptions);
}

static void given_a_later_rule_then_it_overrides_the_earlier(void **unused)
{
	const struct spec_device_rule rules[] = {
		deny_all,
		{true, 'b', 8, 0, "rw"},
		{true, 'b', 8, 1, "rw"},
		{false, 'b', 8, 1, "w"},
		{true, 'c', 99, 1, "r"},
		{false, 'c', 99, -1, "rwm"}, /* takes back what is narrower, too */
	};
	const struct spec_device_rule reset[] = {{true, 'b', 8, 0, "rw"}, deny_all};
	struct device_state state = built(rules, ARRAY_SIZE(rules));

	(void)unused;
	assert_true(is_allowed(&state, 'b', 8, 0, W));
	assert_true(is_allowed(&state, 'b', 8, 1, R));
	assert_false(is_allowed(&state, 'b', 8, 1, W));
	assert_false(is_allowed(&state, 'c', 99, 1, R));
	free(state.exceptions);
	state = built(reset, ARRAY_SIZE(reset));
	assert_false(is_allowed(&state, 'b', 8, 0, R));
	free(state.exceptions);
}

static void given_a_hole_in_a_broader_rule_then_it_is_refused(void **unused)
{
	static const struct spec_device_rule bad[][2] = {
		{{true, 'b', 8, -1, "rw"}, {false, 'b', 8, 1, "w"}},
		{{true, 'b', -1, -1, "rw"}, {false, 'b', 8, -1, "w"}},
		{{true, 'b', -1, 1, "rw"}, {false, 'b', 8, -1, "w"}},
	};
	const struct spec_device_rule other_access[] = {{true, 'b', 8, -1, "r"},
							{false, 'b', 8, 1, "w"}};
	struct device_state state;

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		_cleanup_error_ struct error *err = NULL;

		assert_int_equal(device_state_build(bad[i], 2, &state, &err), -EINVAL);
		assert_true(str_starts(error_text(err), "linux.resources.devices: "));
	}
	state = built(other_access, 2);
	assert_true(is_allowed(&state, 'b', 8, 1, R));
	free(state.exceptions);
}

static void given_numbers_beyond_31_bits_then_they_are_still_compared(void **unused)
{
	const struct spec_device_rule rule = {true, 'b', 0xfff, 0xfffff, "r"};
	struct device_state state = built(&rule, 1);

	(void)unused;
	assert_true(is_allowed(&state, 'b', 0xfff, 0xfffff, R));
	assert_false(is_allowed(&state, 'b', 0xfff, 0xffffe, R));
	free(state.exceptions);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(given_no_rules_then_default_devices_alone_are_allowed),
		cmocka_unit_test(given_allow_rules_then_each_access_counts),
		cmocka_unit_test(
			given_everything_allowed_then_any_denied_access_is_enough_to_refuse),
		cmocka_unit_test(given_a_later_rule_then_it_overrides_the_earlier),
		cmocka_unit_test(given_a_hole_in_a_broader_rule_then_it_is_refused),
		cmocka_unit_test(given_numbers_beyond_31_bits_then_they_are_still_compared),
	};

	return cmocka_run_group_tests_name("device rules", tests, NULL, NULL);
}
