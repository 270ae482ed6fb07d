# SPDX-License-Identifier: GPL-2.0-or-later
# process: args, env, cwd, user, noNewPrivileges, oomScoreAdj, scheduler, ioPriority, execCPUAffinity;
# linux.personality, linux.memoryPolicy; and what the program inherits.
load ../helpers

@test "process.args: reach the program as given" {
	bundle '.process.args = ["/bin/sh", "-c", "for a; do echo \"[$a]\"; done", "zero", "one two", "", "drei\nvier", "ü"]'
	run_ok
	is "$output" $'[one two]\n[]\n[drei\nvier]\n[ü]'
}

@test "process.args: the program is looked up in env's PATH" {
	bundle '.process.args = ["tool"] | .process.env = ["PATH=/nowhere:/data"]'
	printf '#!/bin/sh\necho found\n' >"$BUNDLE/rootfs/data/tool"
	chmod 755 "$BUNDLE/rootfs/data/tool"
	run_ok
	is "$output" found
}

@test "process.args: a relative path counts from cwd" {
	bundle '.process.args = ["./tool"] | .process.cwd = "/data"'
	printf '#!/bin/sh\necho found\n' >"$BUNDLE/rootfs/data/tool"
	chmod 755 "$BUNDLE/rootfs/data/tool"
	run_ok
	is "$output" found
}

@test "process.args: a missing program fails at create, and is named" {
	bundle '.process.args = ["no-such-program"]'
	create_try
	[ "$status" -ne 0 ]
	has "$output" 'no-such-program'
	has "$output" 'not found'
	run oci state "$CT"
	[ "$status" -ne 0 ]
	refuses exec no-such-program 'executable file not found in $PATH'
}

@test "process.args: a missing absolute path fails at create with no such file" {
	bundle '.process.args = ["/bin/no-such-program"]'
	refuses /bin/no-such-program "no such file or directory"
}

@test "process.args: a file that is not executable is permission denied" {
	bundle '.process.args = ["/data/file"]'
	chmod 644 "$BUNDLE/rootfs/data/file"
	run_it
	[ "$status" -ne 0 ]
	has "${output,,}" "permission denied"
}

@test "process.args: empty is refused" {
	bundle '.process.args = []'
	refuses process.args
}

@test "process.args: a directory is refused" {
	bundle '.process.args = ["/bin"]'
	refuses /bin
}

@test "process: create works without one, start refuses" {
	bundle 'del(.process)'
	create_try
	[ "$status" = 0 ] || { refuses process; return; }
	run oci start "$CT"
	[ "$status" -ne 0 ]
}

@test "process.env: is exactly what is given" {
	bundle '.process.args = ["/bin/busybox", "env"] | .process.env = ["PATH=/bin", "A=1", "B=two words", "C=", "D=x=y"]'
	LEAK=host run_ok
	for wanted in PATH=/bin A=1 "B=two words" C= D=x=y; do has "$output" "$wanted"; done
	hasnt "$output" LEAK
	hasnt "$output" _LIBCONTAINER
}

@test "process.env: the last of two with one name counts" {
	runs_sh 'echo $A' '.process.env += ["A=1", "A=2"]'
	is "$output" 2
}

@test "process.env: HOME is the user's from the container's passwd when not given" {
	bundle 'sh("echo $HOME") | .process.user = {uid: 7, gid: 7}'
	echo 'seven:x:7:7::/home/seven:/bin/sh' >"$BUNDLE/rootfs/etc/passwd"
	run_ok
	is "$output" /home/seven
}

@test "process.env: a given HOME stays" {
	bundle 'sh("echo $HOME") | .process.env += ["HOME=/mine"]'
	echo 'root:x:0:0::/root:/bin/sh' >"$BUNDLE/rootfs/etc/passwd"
	run_ok
	is "$output" /mine
}

@test "process.cwd: the program starts there" {
	runs_sh 'pwd; readlink /proc/self/cwd' '.process.cwd = "/data"'
	is "$output" $'/data\n/data'
}

@test "process.cwd: is made when it does not exist" {
	runs_sh 'pwd' '.process.cwd = "/data/new/one"'
	is "$output" /data/new/one
}

@test "process.cwd: a relative one is refused" {
	bundle '.process.cwd = "data"'
	refuses process.cwd
}

@test "process.cwd: an absent one is refused" {
	bundle 'del(.process.cwd)'
	refuses process.cwd
}

@test "process.cwd: a file is refused" {
	bundle '.process.cwd = "/data/file"'
	refuses /data/file
}

@test "process.user.uid and gid: reach the program, in all four forms" {
	runs_sh 'id -u; id -g; grep -E "^(Uid|Gid):" /proc/self/status' '.process.user = {uid: 1234, gid: 5678}'
	is "${lines[0]} ${lines[1]}" "1234 5678"
	is "${lines[2]}" $'Uid:\t1234\t1234\t1234\t1234'
	is "${lines[3]}" $'Gid:\t5678\t5678\t5678\t5678'
}

@test "process.user.uid: seen from the host" {
	sleeper '.process.user = {uid: 1234, gid: 5678}'
	like "$(cat "/proc/$(pid_of)/status")" $'Uid:\t1234\t1234'
}

@test "process.user.additionalGids: are the supplementary groups" {
	runs_sh 'grep ^Groups: /proc/self/status' '.process.user = {uid: 1, gid: 2, additionalGids: [30, 4, 500]}'
	is "$(tr '\t' ' ' <<<"$output" | xargs -n1 | tail -n +2 | grep -v '^2$' | sort -n | xargs)" "4 30 500"
}

@test "process.user.additionalGids: absent, none of the caller's are left" {
	bundle 'sh("grep ^Groups: /proc/self/status") | .process.user = {uid: 1, gid: 2}'
	run setpriv --groups 4,20 "$RUNTIME_PATH" --root "$ROOT" run --bundle "$BUNDLE" "$CT" 3>&- </dev/null
	[ "$status" = 0 ] || fail "$output"
	hasnt "$output " " 4 "
	hasnt "$output" "20"
}

@test "process.user.umask: is set" {
	runs_sh 'umask; touch /tmp/x; stat -c %a /tmp/x' '.process.user.umask = 63'
	is "$output" $'0077\n600'
}

@test "process.user.umask: is 0022 when not given" {
	runs_sh 'umask'
	is "$output" 0022
}

@test "process.noNewPrivileges: true" {
	runs_sh 'grep ^NoNewPrivs: /proc/self/status' '.process.noNewPrivileges = true'
	is "$output" $'NoNewPrivs:\t1'
}

@test "process.noNewPrivileges: false" {
	runs_sh 'grep ^NoNewPrivs: /proc/self/status' '.process.noNewPrivileges = false'
	is "$output" $'NoNewPrivs:\t0'
}

@test "process.oomScoreAdj: is set" {
	runs_sh 'cat /proc/self/oom_score_adj' '.process.oomScoreAdj = 321'
	is "$output" 321
}

@test "process.oomScoreAdj: absent, the runtime's own stays" {
	echo 77 >"/proc/$BASHPID/oom_score_adj"
	runs_sh 'cat /proc/self/oom_score_adj'
	is "$output" 77
}

@test "process.oomScoreAdj: out of range is refused" {
	bundle '.process.oomScoreAdj = 1001'
	refuses oomScoreAdj
}

@test "process.oomScoreAdj: below what may be set without CAP_SYS_RESOURCE is refused, or set" {
	bundle 'sh("cat /proc/self/oom_score_adj") | .process.oomScoreAdj = -500'
	if setpriv --dump | grep -q '^Capability bounding set:.*sys_resource'; then
		run_ok
		is "$output" -500
	else
		refuses oom
	fi
}

@test "process.scheduler: SCHED_BATCH with nice" {
	runs_sh 'probe scheduler' '.process.scheduler = {policy: "SCHED_BATCH", nice: 5}'
	has "$output" "policy=3 "
	has "$output" "nice=5 "
}

@test "process.scheduler: SCHED_OTHER with nice" {
	runs_sh 'probe scheduler' '.process.scheduler = {policy: "SCHED_OTHER", nice: 3}'
	has "$output" "policy=0 "
	has "$output" "nice=3 "
}

@test "process.scheduler: SCHED_IDLE" {
	runs_sh 'probe scheduler' '.process.scheduler = {policy: "SCHED_IDLE"}'
	has "$output" "policy=5 "
}

# Where the kernel shares realtime out to v1 groups, a new one has none, and its parents have to be given some.
need_realtime()
{
	[ ! -e /sys/fs/cgroup/cpu/cpu.rt_runtime_us ] || skip "a new v1 cgroup has no realtime to run in"
}

@test "process.scheduler: SCHED_FIFO where the cgroup has no realtime is refused, and told why" {
	[ -e /sys/fs/cgroup/cpu/cpu.rt_runtime_us ] || skip "realtime is not shared out to cgroups here"
	bundle '.process.scheduler = {policy: "SCHED_FIFO", priority: 10}'
	refuses process.scheduler cpu.realtimeRuntime
}

@test "process.scheduler: SCHED_FIFO with priority and SCHED_FLAG_RESET_ON_FORK" {
	chrt -f 10 true || skip "this host allows no realtime scheduling"
	need_realtime
	bundle '.process.args = ["/bin/probe", "scheduler"] |
		.process.scheduler = {policy: "SCHED_FIFO", priority: 10, flags: ["SCHED_FLAG_RESET_ON_FORK"]}'
	run_ok
	has "$output" "policy=1 flags=0x1 "
	has "$output" "priority=10 "
}

@test "process.scheduler: SCHED_RR with priority" {
	chrt -r 7 true || skip "this host allows no realtime scheduling"
	need_realtime
	runs_sh 'probe scheduler' '.process.scheduler = {policy: "SCHED_RR", priority: 7}'
	has "$output" "policy=2 "
	has "$output" "priority=7 "
}

@test "process.scheduler: SCHED_DEADLINE with runtime, deadline and period" {
	chrt -d --sched-runtime 1000000 --sched-deadline 20000000 --sched-period 30000000 0 true ||
		skip "this host allows no deadline scheduling"
	bundle '.process.args = ["/bin/probe", "scheduler"] |
		.process.scheduler = {policy: "SCHED_DEADLINE", runtime: 10000000, deadline: 20000000, period: 30000000}'
	run_ok
	has "$output" "policy=6 "
	has "$output" "runtime=10000000 deadline=20000000 period=30000000"
}

@test "process.scheduler: each flag is taken, or refused by the kernel" {
	is_dhow || skip "younger than the peers"
	local flag
	for flag in RECLAIM DL_OVERRUN KEEP_POLICY KEEP_PARAMS UTIL_CLAMP_MIN UTIL_CLAMP_MAX; do
		bundle 'sh("probe scheduler") | .process.scheduler = {policy: "SCHED_OTHER", flags: ["SCHED_FLAG_" + $f]}' --arg f "$flag"
		run_it
		[ "$status" = 0 ] && has "$output" "policy=0 " || has "$output" "process.scheduler: set the scheduling policy"
	done
}

@test "process.scheduler: SCHED_ISO, which Linux reserves and does not have, is refused by the kernel" {
	is_dhow || skip "younger than the peers"
	bundle '.process.scheduler = {policy: "SCHED_ISO"}'
	refuses process.scheduler "Invalid argument"
}

@test "process.scheduler: an exec'd process has it, too" {
	sleeper '.process.scheduler = {policy: "SCHED_BATCH", nice: 5}'
	run oci exec "$CT" probe scheduler
	has "$output" "policy=3 "
}

@test "process.scheduler: an unknown policy is refused" {
	bundle '.process.scheduler = {policy: "SCHED_LATER"}'
	refuses scheduler SCHED_LATER
}

@test "process.scheduler: an unknown flag is refused" {
	bundle '.process.scheduler = {policy: "SCHED_OTHER", flags: ["SCHED_FLAG_NONE_SUCH"]}'
	refuses scheduler SCHED_FLAG_NONE_SUCH
}

@test "process.scheduler: without policy it is refused" {
	bundle '.process.scheduler = {nice: 1}'
	refuses scheduler.policy
}

@test "process.ioPriority: best effort with priority" {
	runs_sh 'probe ioprio' '.process.ioPriority = {class: "IOPRIO_CLASS_BE", priority: 6}'
	is "$output" "class=2 priority=6"
}

@test "process.ioPriority: idle" {
	runs_sh 'probe ioprio' '.process.ioPriority = {class: "IOPRIO_CLASS_IDLE"}'
	is "$output" "class=3 priority=0"
}

@test "process.ioPriority: realtime" {
	runs_sh 'probe ioprio' '.process.ioPriority = {class: "IOPRIO_CLASS_RT", priority: 1}'
	is "$output" "class=1 priority=1"
}

@test "process.ioPriority: an exec'd process has it, too" {
	sleeper '.process.ioPriority = {class: "IOPRIO_CLASS_BE", priority: 6}'
	run oci exec "$CT" probe ioprio
	is "$output" "class=2 priority=6"
}

@test "process.ioPriority: an unknown class is refused" {
	bundle '.process.ioPriority = {class: "IOPRIO_CLASS_SOME"}'
	refuses ioPriority IOPRIO_CLASS_SOME
}

@test "process.ioPriority: without class it is refused" {
	bundle '.process.ioPriority = {priority: 1}'
	refuses ioPriority.class
}

@test "process.execCPUAffinity: an exec'd process ends up on the final CPUs" {
	[ "$(nproc)" -gt 1 ] || skip "one CPU only"
	sleeper '.process.execCPUAffinity = {initial: "0", final: "1"}'
	run oci exec "$CT" probe cpus
	is "$output" "1 1"
}

@test "process.execCPUAffinity: without final it is the container's default in the end" {
	[ "$(nproc)" -gt 1 ] || skip "one CPU only"
	sleeper '.process.execCPUAffinity = {initial: "1"}'
	run oci exec "$CT" probe cpus
	is "$output" "$(nproc) 0"
}

@test "process.execCPUAffinity: does not touch the first process" {
	[ "$(nproc)" -gt 1 ] || skip "one CPU only"
	runs_sh 'probe cpus' '.process.execCPUAffinity = {initial: "1", final: "1"}'
	is "$output" "$(nproc) 0"
}

@test "process.execCPUAffinity: exec --process has its own" {
	[ "$(nproc)" -gt 1 ] || skip "one CPU only"
	sleeper
	jq '.process | .args = ["/bin/probe", "cpus"] | .execCPUAffinity = {final: "1"}' "$BUNDLE/config.json" \
		>"$WORLD/process.json"
	run oci exec --process "$WORLD/process.json" "$CT"
	is "$output" "1 1"
}

@test "process.execCPUAffinity: a list that is none is refused" {
	bundle '.process.execCPUAffinity = {initial: "one"}'
	refuses execCPUAffinity.initial
}

@test "linux.personality: LINUX32 is what uname sees" {
	[ "$(uname -m)" = x86_64 ] || skip "x86_64 only"
	bundle '.process.args = ["/bin/busybox", "uname", "-m"] | .linux.personality = {domain: "LINUX32"}'
	run_ok
	is "$output" i686
}

@test "linux.personality: LINUX" {
	runs_sh 'cat /proc/self/personality' '.linux.personality = {domain: "LINUX"}'
	is "$output" 00000000
}

@test "linux.personality: an exec'd process has it, too" {
	[ "$(uname -m)" = x86_64 ] || skip "x86_64 only"
	sleeper '.linux.personality = {domain: "LINUX32"}'
	run oci exec "$CT" cat /proc/self/personality
	like "$output" '^0*8$'
}

@test "linux.personality.flags: are in force, or refused; an unknown one is refused" {
	bundle 'sh("cat /proc/self/personality") | .linux.personality = {domain: "LINUX", flags: ["ADDR_NO_RANDOMIZE"]}'
	run_it
	# The specification lists none yet.
	if [ "$status" = 0 ] && is_dhow; then like "$output" '^0*40000$'; fi
	is_dhow || return 0
	config '.linux.personality.flags = ["NONE_SUCH"]'
	refuses personality.flags NONE_SUCH
}

@test "linux.personality: an unknown domain is refused" {
	bundle '.linux.personality = {domain: "MULTICS"}'
	refuses personality MULTICS
}

@test "linux.memoryPolicy: MPOL_BIND to a node" {
	runs_sh 'probe mempolicy' '.linux.memoryPolicy = {mode: "MPOL_BIND", nodes: "0"}'
	is "$output" "mode=2 flags=0 nodes=0x1"
}

@test "linux.memoryPolicy: MPOL_INTERLEAVE with MPOL_F_STATIC_NODES" {
	runs_sh 'probe mempolicy' \
		'.linux.memoryPolicy = {mode: "MPOL_INTERLEAVE", nodes: "0", flags: ["MPOL_F_STATIC_NODES"]}'
	is "$output" "mode=3 flags=0x8000 nodes=0x1"
}

@test "linux.memoryPolicy: MPOL_PREFERRED with MPOL_F_RELATIVE_NODES" {
	runs_sh 'probe mempolicy' \
		'.linux.memoryPolicy = {mode: "MPOL_PREFERRED", nodes: "0", flags: ["MPOL_F_RELATIVE_NODES"]}'
	has "$output" "mode=1 flags=0x4000"
}

@test "linux.memoryPolicy: MPOL_LOCAL without nodes" {
	runs_sh 'probe mempolicy' '.linux.memoryPolicy = {mode: "MPOL_LOCAL"}'
	has "$output" "mode=4 "
}

@test "linux.memoryPolicy: MPOL_PREFERRED_MANY" {
	runs_sh 'probe mempolicy' '.linux.memoryPolicy = {mode: "MPOL_PREFERRED_MANY", nodes: "0"}'
	has "$output" "mode=5 "
}

@test "linux.memoryPolicy.flags: MPOL_F_NUMA_BALANCING" {
	is_dhow || skip "younger than the peers"
	bundle 'sh("probe mempolicy") | .linux.memoryPolicy = {mode: "MPOL_BIND", nodes: "0", flags: ["MPOL_F_NUMA_BALANCING"]}'
	run_it
	[ "$status" = 0 ] || has "$output" "linux.memoryPolicy"
	[ "$status" -ne 0 ] || has "$output" "flags=0x2000"
}

@test "linux.memoryPolicy: MPOL_WEIGHTED_INTERLEAVE" {
	need_kernel 6.9 "it"
	runs_sh 'probe mempolicy' '.linux.memoryPolicy = {mode: "MPOL_WEIGHTED_INTERLEAVE", nodes: "0"}'
	has "$output" "mode=6 "
}

@test "linux.memoryPolicy: MPOL_DEFAULT" {
	runs_sh 'probe mempolicy' '.linux.memoryPolicy = {mode: "MPOL_DEFAULT"}'
	has "$output" "mode=0 "
}

@test "linux.memoryPolicy: an unknown mode is refused" {
	bundle '.linux.memoryPolicy = {mode: "MPOL_FAR", nodes: "0"}'
	refuses memoryPolicy MPOL_FAR
}

@test "linux.memoryPolicy: an unknown flag is refused" {
	bundle '.linux.memoryPolicy = {mode: "MPOL_BIND", nodes: "0", flags: ["MPOL_F_FAR"]}'
	refuses memoryPolicy MPOL_F_FAR
}

@test "linux.memoryPolicy: nodes that are no list are refused" {
	bundle '.linux.memoryPolicy = {mode: "MPOL_BIND", nodes: "a-b"}'
	refuses memoryPolicy
}

@test "program: no descriptor of the host is left open" {
	bundle '.process.args = ["/bin/probe", "fds"]'
	exec 17</etc/passwd
	run_ok
	exec 17<&-
	is "$output" ""
}

@test "program: no signal is blocked or ignored" {
	bundle '.process.args = ["/bin/probe", "signals"]'
	run_ok
	is "$output" end
}

@test "program: leads its session" {
	bundle '.process.args = ["/bin/sh", "-c", "read -r _ _ _ _ group session _ </proc/1/stat; echo $group $session"]'
	run_ok
	is "$output" "1 1"
}

@test "program: has a session keyring of its own, named after the id" {
	runs_sh 'probe session-keyring'
	has "$output" "_ses.$CT"
}
