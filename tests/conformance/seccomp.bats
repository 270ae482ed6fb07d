# SPDX-License-Identifier: GPL-2.0-or-later
# linux.seccomp: actions, arguments, architectures, flags, the notify listener.
load ../helpers

# getcpu (309 on x86_64) is used by nobody here; probe makes the call and prints "= 0" or "! ERRNO".
setup()
{
	[ "$(uname -m)" = x86_64 ] || skip "the numbers are x86_64's"
	world_make
}
CALL="/bin/probe syscall 309"

# seccomp RULE...: a profile that allows all but one rule on getcpu.
profile='def rule(r): .linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", architectures: ["SCMP_ARCH_X86_64"],
	syscalls: [{names: ["getcpu"]} + r]}; '

probes()
{
	local filter=$1
	shift
	bundle "$profile .process.args = [\"/bin/probe\", \"syscall\", \"309\"] | $filter" "$@"
	run_it
}

@test "linux.seccomp: absent, no filter is in force" {
	runs_sh 'grep ^Seccomp: /proc/self/status; probe syscall 309 0 0 0'
	is "$output" $'Seccomp:\t0\n= 0'
}

@test "linux.seccomp: present, a filter is in force, also with no_new_privs" {
	runs_sh 'grep ^Seccomp: /proc/self/status' "$profile"'rule({action: "SCMP_ACT_ERRNO"})'
	is "$output" $'Seccomp:\t2'
	runs_sh 'grep -E "^(Seccomp|NoNewPrivs):" /proc/self/status' \
		"$profile"'rule({action: "SCMP_ACT_ERRNO"}) | .process.noNewPrivileges = true'
	is "$output" $'NoNewPrivs:\t1\nSeccomp:\t2'
}

@test "linux.seccomp: an exec'd process is under it, too" {
	sleeper "$profile"'rule({action: "SCMP_ACT_ERRNO"})'
	run oci exec "$CT" probe syscall 309 0 0 0
	is "$output" "! 1"
}

@test "linux.seccomp: works for a user without any capability" {
	probes 'rule({action: "SCMP_ACT_ERRNO"}) | .process.user = {uid: 5, gid: 5} | caps([])'
	is "$output" "! 1"
}

@test "linux.seccomp SCMP_ACT_ERRNO: EPERM when no number is given" {
	probes 'rule({action: "SCMP_ACT_ERRNO"})'
	is "$output" "! 1"
}

@test "linux.seccomp SCMP_ACT_ERRNO: errnoRet" {
	probes 'rule({action: "SCMP_ACT_ERRNO", errnoRet: 61})'
	is "$output" "! 61"
}

@test "linux.seccomp SCMP_ACT_ERRNO: errnoRet 0 is success without the call" {
	probes 'rule({action: "SCMP_ACT_ERRNO", errnoRet: 0})'
	is "$output" "= 0"
}

@test "linux.seccomp SCMP_ACT_ALLOW: under a default of ERRNO with defaultErrnoRet" {
	# The whole list that probe and the runtime's last steps need is everything but getcpu and getuid.
	runs_sh 'probe syscall 309; probe syscall 102' '.linux.seccomp = {defaultAction: "SCMP_ACT_ERRNO", defaultErrnoRet: 38,
		architectures: ["SCMP_ARCH_X86_64"], syscalls: [{action: "SCMP_ACT_ALLOW", names: ["execve", "execveat",
		"exit_group", "exit", "brk", "mmap", "munmap", "mprotect", "read", "write", "open", "openat", "close",
		"close_range", "fstat", "newfstatat", "stat", "lstat", "statx", "arch_prctl", "set_tid_address", "set_robust_list",
		"rseq", "prlimit64", "getrandom", "readlink", "readlinkat", "fork", "vfork", "clone", "clone3", "wait4", "rt_sigaction",
		"rt_sigprocmask", "rt_sigreturn", "getpid", "getppid", "geteuid", "getegid", "getgid", "fcntl", "dup", "dup2",
		"dup3", "ioctl", "getcwd", "chdir", "fchdir", "access", "faccessat", "faccessat2", "uname", "futex", "prctl", "capset",
		"capget", "setgroups", "getgroups", "setuid", "setgid", "setresuid", "setresgid", "umask", "seccomp",
		"lseek", "getdents64", "nanosleep", "clock_nanosleep", "sched_yield", "sigaltstack", "sched_getaffinity",
		"sched_setaffinity", "epoll_ctl", "epoll_pwait", "epoll_create1", "eventfd2", "pipe2", "pipe", "tgkill", "gettid", "madvise", "mincore",
		"statfs", "fstatfs", "socket", "connect", "sendto", "sendmsg", "recvmsg", "getsockname", "getsockopt", "poll", "ppoll", "select",
		"pselect6", "keyctl", "kill", "setsid", "getpgrp", "getpgid", "setpgid", "set_mempolicy", "ioprio_set", "sched_setattr", "time",
		"gettimeofday", "clock_gettime", "getrlimit", "setrlimit", "pread64", "writev", "readv", "openat2", "fchown", "personality", "capget"]}]}'
	is "${lines[0]}" "! 38"
	is "${lines[1]}" "! 38"
}

@test "linux.seccomp SCMP_ACT_KILL_PROCESS: the process dies of SIGSYS" {
	probes 'rule({action: "SCMP_ACT_KILL_PROCESS"})'
	is "$status" 159
}

@test "linux.seccomp SCMP_ACT_KILL and KILL_THREAD: the only thread dies of SIGSYS" {
	probes 'rule({action: "SCMP_ACT_KILL"})'
	is "$status" 159
	probes 'rule({action: "SCMP_ACT_KILL_THREAD"})'
	is "$status" 159
}

@test "linux.seccomp SCMP_ACT_TRAP: SIGSYS is sent" {
	probes 'rule({action: "SCMP_ACT_TRAP"}) | no_ns("pid")'
	is "$status" 159
}

@test "linux.seccomp SCMP_ACT_TRACE: without a tracer it is ENOSYS" {
	probes 'rule({action: "SCMP_ACT_TRACE"})'
	is "$output" "! 38"
}

@test "linux.seccomp SCMP_ACT_LOG: the call is made" {
	probes 'rule({action: "SCMP_ACT_LOG"})'
	is "$output" "= 0"
}

@test "linux.seccomp: a list with several names" {
	runs_sh 'probe syscall 309; probe syscall 102' '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW",
		syscalls: [{names: ["getcpu", "getuid"], action: "SCMP_ACT_ERRNO", errnoRet: 5}]}'
	is "$output" $'! 5\n! 5'
}

@test "linux.seccomp: a name that the host does not know is left out" {
	probes '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW",
		syscalls: [{names: ["no_such_syscall", "getcpu"], action: "SCMP_ACT_ERRNO", errnoRet: 5}]}'
	is "$output" "! 5"
}

# arg OP VALUE [VALUETWO]: getcpu is refused when its third argument, unused by the kernel, compares so; try 0 to 4.
compares()
{
	bundle "$profile"'sh("for i in 0 1 2 3 4; do probe syscall 309 0 0 $i; done") | rule({action: "SCMP_ACT_ERRNO", errnoRet: 5,
		args: [{index: 2, op: $op, value: $v, valueTwo: $t}]})' --arg op "$1" --argjson v "$2" --argjson t "${3:-0}"
	run_ok
	is "$(sed 's/= 0/y/; s/! 5/n/' <<<"$output" | tr -d '\n')" "$4" "$1"
}

@test "linux.seccomp args: SCMP_CMP_EQ" {
	compares SCMP_CMP_EQ 2 0 yynyy
}

@test "linux.seccomp args: SCMP_CMP_NE" {
	compares SCMP_CMP_NE 2 0 nnynn
}

@test "linux.seccomp args: SCMP_CMP_LT" {
	compares SCMP_CMP_LT 2 0 nnyyy
}

@test "linux.seccomp args: SCMP_CMP_LE" {
	compares SCMP_CMP_LE 2 0 nnnyy
}

@test "linux.seccomp args: SCMP_CMP_GT" {
	compares SCMP_CMP_GT 2 0 yyynn
}

@test "linux.seccomp args: SCMP_CMP_GE" {
	compares SCMP_CMP_GE 2 0 yynnn
}

@test "linux.seccomp args: SCMP_CMP_MASKED_EQ" {
	compares SCMP_CMP_MASKED_EQ 1 1 ynyny
}

@test "linux.seccomp args: 64 bits are compared" {
	bundle "$profile"'sh("probe syscall 309 0 0 4294967296; probe syscall 309 0 0 0") |
		rule({action: "SCMP_ACT_ERRNO", errnoRet: 5, args: [{index: 2, op: "SCMP_CMP_EQ", value: 4294967296}]})'
	run_ok
	is "$output" $'! 5\n= 0'
}

@test "linux.seccomp args: several on different arguments must all hold" {
	bundle "$profile"'sh("probe syscall 309 0 0 1; probe syscall 309 0 0 2") | rule({action: "SCMP_ACT_ERRNO", errnoRet: 5,
		args: [{index: 0, op: "SCMP_CMP_EQ", value: 0}, {index: 2, op: "SCMP_CMP_EQ", value: 1}]})'
	run_ok
	is "$output" $'! 5\n= 0'
}

@test "linux.seccomp args: several on one argument are alternatives" {
	bundle "$profile"'sh("for i in 0 1 2; do probe syscall 309 0 0 $i; done") | rule({action: "SCMP_ACT_ERRNO", errnoRet: 5,
		args: [{index: 2, op: "SCMP_CMP_EQ", value: 1}, {index: 2, op: "SCMP_CMP_EQ", value: 2}]})'
	run_ok
	is "$output" $'= 0\n! 5\n! 5'
}

@test "linux.seccomp architectures: SCMP_ARCH_X86 and X32 are taken along" {
	probes 'rule({action: "SCMP_ACT_ERRNO"}) |
		.linux.seccomp.architectures = ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"]'
	is "$output" "! 1"
}

@test "linux.seccomp architectures: all of the specification's names are known" {
	# Those that libseccomp 2.5 has; newer names are tested by features.
	probes 'rule({action: "SCMP_ACT_ERRNO"}) | .linux.seccomp.architectures = ["SCMP_ARCH_X86_64", "SCMP_ARCH_AARCH64",
		"SCMP_ARCH_RISCV64", "SCMP_ARCH_PPC64LE", "SCMP_ARCH_MIPSEL64N32"]'
	is "$output" "! 1"
}

@test "linux.seccomp architectures: each name is taken, or it is said why not" {
	is_dhow || skip "names younger than the peers"
	local name
	# The second line has the other byte order than x86 and most others, or is younger than libseccomp 2.5.
	for name in X86 X86_64 X32 ARM AARCH64 MIPSEL MIPSEL64 MIPSEL64N32 PPC64LE RISCV64 \
		MIPS MIPS64 MIPS64N32 PPC PPC64 S390 S390X PARISC PARISC64 LOONGARCH64 M68K SH SHEB; do
		probes 'rule({action: "SCMP_ACT_ERRNO"}) | .linux.seccomp.architectures = ["SCMP_ARCH_" + $a]' --arg a "$name"
		[ "$status" = 0 ] || like "$output" "architectures\[0\]: (its byte order|this libseccomp)" || fail "$name: $output"
	done
}

@test "linux.seccomp architectures: an unknown one is refused" {
	probes 'rule({action: "SCMP_ACT_ERRNO"}) | .linux.seccomp.architectures = ["SCMP_ARCH_PDP11"]'
	refuses SCMP_ARCH_PDP11
}

@test "linux.seccomp flags: LOG, SPEC_ALLOW and TSYNC are accepted" {
	local flag
	for flag in SECCOMP_FILTER_FLAG_LOG SECCOMP_FILTER_FLAG_SPEC_ALLOW SECCOMP_FILTER_FLAG_TSYNC; do
		probes 'rule({action: "SCMP_ACT_ERRNO"}) | .linux.seccomp.flags = [$f]' --arg f "$flag"
		is "$output" "! 1" "$flag"
	done
}

@test "linux.seccomp flags: WAIT_KILLABLE_RECV with a listener is accepted" {
	is_dhow || skip "younger than the peers"
	need_kernel 5.19 SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
	agent seccomp "$WORLD/s" "$WORLD/o" 77
	bundle "$profile"'.process.args = ["/bin/probe", "syscall", "309"] | rule({action: "SCMP_ACT_NOTIFY"}) |
		.linux.seccomp.listenerPath = $w + "/s" | .linux.seccomp.flags = ["SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"]'
	run_ok
	is "$output" "= 77"
}

@test "linux.seccomp flags: an empty list is fine" {
	probes 'rule({action: "SCMP_ACT_ERRNO"}) | .linux.seccomp.flags = []'
	is "$output" "! 1"
}

@test "linux.seccomp flags: an unknown one is refused" {
	bundle "$profile"'rule({action: "SCMP_ACT_ERRNO"}) | .linux.seccomp.flags = ["SECCOMP_FILTER_FLAG_FUN"]'
	refuses SECCOMP_FILTER_FLAG_FUN
}

@test "linux.seccomp: an errno for an action that has none is refused" {
	local action
	for action in ALLOW KILL TRAP LOG; do
		bundle "$profile"' rule({action: ("SCMP_ACT_" + $a), errnoRet: 5})' --arg a "$action"
		is_dhow || continue
		refuses errnoRet
	done
	bundle '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", defaultErrnoRet: 5}'
	is_dhow || return 0
	refuses defaultErrnoRet
}

@test "linux.seccomp: a rule without names is refused" {
	bundle '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{action: "SCMP_ACT_ERRNO", names: []}]}'
	is_dhow || skip "the others let it be"
	refuses "linux.seccomp.syscalls[0].names"
}

@test "linux.seccomp.listenerMetadata: without listenerPath is refused" {
	bundle '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", listenerMetadata: "m"}'
	is_dhow || skip "the others let it be"
	refuses linux.seccomp.listenerMetadata
}

@test "linux.seccomp: an unknown action is refused" {
	bundle "$profile"'rule({action: "SCMP_ACT_PARDON"})'
	refuses SCMP_ACT_PARDON
}

@test "linux.seccomp: an unknown operator is refused" {
	bundle "$profile"'rule({action: "SCMP_ACT_ERRNO", args: [{index: 0, op: "SCMP_CMP_IS", value: 1}]})'
	refuses SCMP_CMP_IS
}

@test "linux.seccomp: defaultAction is required" {
	bundle "$profile"'rule({action: "SCMP_ACT_ERRNO"}) | del(.linux.seccomp.defaultAction)'
	refuses linux.seccomp defaultAction
}

@test "linux.seccomp: an argument's index above 5 is refused" {
	bundle "$profile"'rule({action: "SCMP_ACT_ERRNO", args: [{index: 6, op: "SCMP_CMP_EQ", value: 1}]})'
	refuses index
}

@test "linux.seccomp SCMP_ACT_NOTIFY: the listener gets the state and answers the calls" {
	agent seccomp "$WORLD/s" "$WORLD/o" 77
	bundle "$profile"'.process.args = ["/bin/probe", "syscall", "309"] | rule({action: "SCMP_ACT_NOTIFY"}) | .annotations = {k: "v"} |
		.linux.seccomp.listenerPath = $w + "/s" | .linux.seccomp.listenerMetadata = "the metadata"'
	run_it
	[ "$status" = 0 ] || fail "$output"
	is "$output" "= 77"
	like "$(cat "$WORLD/o.calls")" '^309 [0-9]+'
	is "$(jq -r .metadata "$WORLD/o")" "the metadata"
	is "$(jq -r .state.id "$WORLD/o")" "$CT"
	is "$(jq -r .state.annotations.k "$WORLD/o")" v
	is "$(jq -r .state.status "$WORLD/o")" creating
	is "$(jq -c .fds "$WORLD/o")" '["seccompFd"]'
	[ "$(jq -r .pid "$WORLD/o")" -gt 0 ]
	like "$(jq -r .ociVersion "$WORLD/o")" '^1\.'
}

@test "linux.seccomp SCMP_ACT_NOTIFY: an exec'd process has a listener, too" {
	agent seccomp "$WORLD/s" "$WORLD/o" 77
	bundle "$profile"'.process.args = ["/bin/sleep", "100"] | rule({action: "SCMP_ACT_NOTIFY"}) | .linux.seccomp.listenerPath = $w + "/s"'
	start_it
	rm "$WORLD/s"
	agent seccomp "$WORLD/s" "$WORLD/o2" 78
	run oci exec "$CT" probe syscall 309
	is "$output" "= 78"
	is "$(jq -r .state.status "$WORLD/o2")" running
}

@test "linux.seccomp SCMP_ACT_NOTIFY: without a listener path it is refused" {
	bundle "$profile"'rule({action: "SCMP_ACT_NOTIFY"})'
	refuses listenerPath
}

@test "linux.seccomp SCMP_ACT_NOTIFY: nobody listening is refused" {
	bundle "$profile"'rule({action: "SCMP_ACT_NOTIFY"}) | .linux.seccomp.listenerPath = $w + "/nobody"'
	refuses nobody
}

@test "linux.seccomp: Docker's shape of profile, twice, the second from the cache" {
	local again
	for again in 1 2; do
		bundle -n "n$again" "$profile"'.process.args = ["/bin/probe", "syscall", "309"] | .linux.seccomp = {
			defaultAction: "SCMP_ACT_ALLOW", architectures: ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"],
			flags: ["SECCOMP_FILTER_FLAG_SPEC_ALLOW"], syscalls: [{names: ["getcpu"], action: "SCMP_ACT_ERRNO", errnoRet: 9},
			{names: ["personality"], action: "SCMP_ACT_ERRNO", args: [{index: 0, value: 7, op: "SCMP_CMP_EQ"}]}]}'
		run_it
		is "$output" "! 9"
	done
}
