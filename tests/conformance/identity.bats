# SPDX-License-Identifier: GPL-2.0-or-later
# process.capabilities, process.rlimits, linux.uidMappings and gidMappings, LSM labels.
load ../helpers

capsets='grep ^Cap /proc/self/status'
set_of() { sed -n "s/^Cap$1:\t*0*\([0-9a-f]*\)$/\1/p" <<<"$output"; }

# CAP_KILL is 5, CAP_NET_BIND_SERVICE 10, CAP_SYS_ADMIN 21.
@test "process.capabilities: bounding, effective and permitted" {
	runs_sh "$capsets" '.process.capabilities = {bounding: ["CAP_KILL", "CAP_NET_BIND_SERVICE", "CAP_SYS_ADMIN"],
		permitted: ["CAP_KILL", "CAP_NET_BIND_SERVICE"], effective: ["CAP_KILL", "CAP_NET_BIND_SERVICE"]}'
	is "$(set_of Bnd)" 200420
	is "$(set_of Inh)" ""
	is "$(set_of Amb)" ""
	# uid 0 gains the bounding set by execve, capabilities(7).
	is "$(set_of Eff)" 200420
}

@test "process.capabilities: for a user other than root the ambient set counts" {
	runs_sh "$capsets" '.process.user = {uid: 5, gid: 5} | .process.capabilities = {bounding: ["CAP_KILL", "CAP_SYS_ADMIN"],
		permitted: ["CAP_KILL"], effective: ["CAP_KILL"], inheritable: ["CAP_KILL"], ambient: ["CAP_KILL"]}'
	is "$(set_of Eff)" 20
	is "$(set_of Prm)" 20
	is "$(set_of Amb)" 20
	is "$(set_of Inh)" 20
	is "$(set_of Bnd)" 200020
}

@test "process.capabilities: for a user other than root without ambient none are left" {
	runs_sh "$capsets" '.process.user = {uid: 5, gid: 5} | caps(["CAP_KILL"])'
	is "$(set_of Eff)" ""
	is "$(set_of Prm)" ""
	is "$(set_of Bnd)" 20
}

@test "process.capabilities: inheritable is set without the others" {
	runs_sh "$capsets" '.process.capabilities = {bounding: ["CAP_KILL"], permitted: ["CAP_KILL"],
		effective: ["CAP_KILL"], inheritable: ["CAP_KILL"]}'
	is "$(set_of Inh)" 20
	is "$(set_of Amb)" ""
}

@test "process.capabilities: empty sets leave none" {
	runs_sh "$capsets" '.process.capabilities = {}'
	for which in Inh Prm Eff Bnd Amb; do is "$(set_of $which)" "" "$which"; done
}

@test "process.capabilities: absent, none are left" {
	runs_sh "$capsets" 'del(.process.capabilities)'
	is "$(set_of Eff)" ""
	is "$(set_of Bnd)" ""
}

@test "process.capabilities: work, as CAP_NET_ADMIN does" {
	runs_sh 'ip link set lo down && echo done' 'caps(["CAP_NET_ADMIN"])'
	is "$output" "done"
	bundle -n without 'sh("ip link set lo down || echo refused")'
	run_ok
	has "$output" refused
}

@test "process.capabilities: seen from the host" {
	sleeper 'caps(["CAP_KILL"])'
	like "$(cat "/proc/$(pid_of)/status")" $'CapBnd:\t0000000000000020'
}

@test "process.capabilities: a name that nobody knows is an error or a warning" {
	bundle 'sh("echo ran") | caps(["CAP_KILL", "CAP_FLY"])'
	run_it
	if is_dhow; then
		[ "$status" = 1 ]
		has "$output" CAP_FLY
	else
		[ "$status" -ne 0 ] || has "$output" ran
	fi
}

@test "process.rlimits: soft and hard limit reach the program" {
	runs_sh 'grep -E "open files|Max core|stack" /proc/self/limits' '.process.rlimits = [
		{type: "RLIMIT_NOFILE", soft: 100, hard: 200}, {type: "RLIMIT_CORE", soft: 0, hard: 0},
		{type: "RLIMIT_STACK", soft: 4194304, hard: 8388608}]'
	like "$output" 'open files +100 +200 '
	like "$output" 'core file size +0 +0 '
	like "$output" 'stack size +4194304 +8388608 '
}

@test "process.rlimits: every type of the kernel is known" {
	runs_sh 'cat /proc/self/limits' '.process.rlimits = [
		("AS", "CORE", "CPU", "DATA", "FSIZE", "LOCKS", "MEMLOCK", "MSGQUEUE", "NICE", "NOFILE", "NPROC", "RSS",
		"RTPRIO", "RTTIME", "SIGPENDING", "STACK") | . as $t | {type: ("RLIMIT_" + $t),
		soft: ({AS: 4294967296, DATA: 4294967296, STACK: 4194304, NICE: 0, RTPRIO: 0}[$t] // 1000),
		hard: ({AS: 4294967296, DATA: 4294967296, STACK: 4194304, NICE: 0, RTPRIO: 0}[$t] // 1000)}]'
	like "$output" 'address space +4294967296'
	like "$output" 'Max processes +1000 +1000'
	like "$output" 'pending signals +1000'
	like "$output" 'msgqueue size +1000'
	like "$output" 'realtime timeout +1000'
}

@test "process.rlimits: 2^64-1 is unlimited" {
	runs_sh 'grep "Max cpu time" /proc/self/limits' \
		'.process.rlimits = [{type: "RLIMIT_CPU", soft: 18446744073709551615, hard: 18446744073709551615}]' || true
	# jq 1.6 rounds such numbers: write it as text.
	sed -i 's/1844674407370955[0-9]*/18446744073709551615/g' "$BUNDLE/config.json"
	run_ok
	like "$output" 'cpu time +unlimited +unlimited'
}

@test "process.rlimits: others are the caller's" {
	bundle 'sh("grep \"Max open files\" /proc/self/limits")'
	run prlimit --nofile=321:654 "$RUNTIME_PATH" --root "$ROOT" run --bundle "$BUNDLE" "$CT" 3>&- </dev/null
	like "$output" 'open files +321 +654'
}

@test "process.rlimits: an unknown type is refused" {
	bundle '.process.rlimits = [{type: "RLIMIT_FUN", soft: 1, hard: 1}]'
	refuses RLIMIT_FUN
}

@test "process.rlimits: one type twice is refused" {
	bundle '.process.rlimits = [{type: "RLIMIT_CORE", soft: 1, hard: 1}, {type: "RLIMIT_CORE", soft: 1, hard: 1}]'
	refuses RLIMIT_CORE
}

@test "process.rlimits: soft above hard is refused" {
	bundle '.process.rlimits = [{type: "RLIMIT_CORE", soft: 2, hard: 1}]'
	refuses RLIMIT_CORE
}

@test "process.rlimits: type, soft and hard are required" {
	is_dhow || skip "the schema asks for them; peers take absent ones for 0"
	local key
	for key in type soft hard; do
		bundle -n "$key" '.process.rlimits = [{type: "RLIMIT_CORE", soft: 0, hard: 0} | del(.[$k])]' --arg k "$key"
		refuses "process.rlimits" "$key"
	done
}

@test "process.rlimits: a limit that may not be raised is refused and named with its value, or raised" {
	bundle 'sh("grep \"Max open files\" /proc/self/limits") | .process.rlimits =
		[{type: "RLIMIT_NOFILE", soft: 20, hard: 30}]'
	if setpriv --dump | grep -q '^Capability bounding set:.*sys_resource'; then
		run prlimit --nofile=20:20 "$RUNTIME_PATH" --root "$ROOT" run --bundle "$BUNDLE" "$CT" 3>&- </dev/null
		like "$output" 'open files +20 +30'
	else
		# With so few descriptors runc sometimes waits for ever.
		run timeout --kill-after 1 20 prlimit --nofile=20:20 "$RUNTIME_PATH" --root "$ROOT" run --bundle "$BUNDLE" "$CT" 3>&- </dev/null
		[ "$status" -ne 0 ]
		if is_dhow; then
			has "$output" RLIMIT_NOFILE
			has "$output" 30
		else
			PEER_REFUSED=1
		fi
	fi
}

@test "process.rlimits: an exec'd process has them, too" {
	sleeper '.process.rlimits = [{type: "RLIMIT_NOFILE", soft: 100, hard: 200}]'
	run oci exec "$CT" grep "open files" /proc/self/limits
	like "$output" 'open files +100 +200 '
}

@test "linux.uidMappings and gidMappings: are in force, seen from both sides" {
	sleeper userns
	local pid
	pid=$(pid_of)
	is "$(xargs <"/proc/$pid/uid_map")" "0 100000 65536"
	is "$(xargs <"/proc/$pid/gid_map")" "0 100000 65536"
	like "$(cat "/proc/$pid/status")" $'Uid:\t100000\t100000'
	run oci exec "$CT" id -u
	is "$output" 0
}

@test "linux.uidMappings: several ranges" {
	runs_sh 'cat /proc/self/uid_map' 'ns("user") |
		.linux.uidMappings = [{containerID: 0, hostID: 100000, size: 10}, {containerID: 10, hostID: 0, size: 1}] |
		.linux.gidMappings = map_ids'
	is "$(xargs <<<"$output")" "0 100000 10 10 0 1"
}

@test "linux.uidMappings: the program's user is counted inside" {
	sleeper 'userns | .process.user = {uid: 7, gid: 8}'
	like "$(cat "/proc/$(pid_of)/status")" $'Uid:\t100007\t100007'
}

@test "linux.uidMappings: the mounts work in a user namespace" {
	runs_sh 'echo x >/dev/shm/x; cat /proc/1/comm; ls /sys >/dev/null; ls /dev/pts; echo $(stat -c %u /proc/1)' \
		'userns | .mounts |= map(if .destination == "/sys" then .options += ["ro"] else . end)'
	has "$output" sh
	has "$output" ptmx
}

@test "linux.uidMappings: capabilities are those of the user namespace" {
	runs_sh 'hostname changed && hostname; touch /proc/sysrq-trigger 2>/dev/null || true' 'userns | caps(["CAP_SYS_ADMIN"])'
	is "$output" changed
}

@test "linux.uidMappings: setgroups works in the namespace" {
	runs_sh 'grep ^Groups: /proc/self/status' 'userns | .process.user = {uid: 1, gid: 2, additionalGids: [30]}'
	has "$output" 30
}

@test "linux.uidMappings: a user namespace without them is refused" {
	is_dhow || [ "$RUNTIME_NAME" = runc ] || skip "crun maps the caller by itself"
	bundle 'ns("user")'
	refuses uidMappings
}

@test "linux.uidMappings: a user that is not mapped is refused" {
	bundle 'userns | .process.user = {uid: 70000, gid: 0}'
	refuses 70000
}

@test "linux.uidMappings: overlapping ranges are refused" {
	bundle 'userns | .linux.uidMappings += [{containerID: 5, hostID: 300000, size: 10}]'
	refuses uid
}

@test "linux.uidMappings: containerID, hostID and size are required" {
	is_dhow || skip "the schema asks for them; peers take absent ones for 0"
	local key
	for key in containerID hostID size; do
		bundle -n "$key" 'userns | .linux.uidMappings[0] |= del(.[$k])' --arg k "$key"
		refuses linux.uidMappings "$key"
	done
}

@test "process.apparmorProfile: is in force" {
	[ -e /sys/module/apparmor/parameters/enabled ] && grep -q Y /sys/module/apparmor/parameters/enabled ||
		skip "AppArmor is not active on this host"
	runs_sh 'cat /proc/self/attr/current' '.process.apparmorProfile = "unconfined"'
	has "$output" unconfined
}

@test "process.apparmorProfile: without AppArmor it is refused" {
	[ ! -e /sys/module/apparmor/parameters/enabled ] || skip "AppArmor is active on this host"
	bundle '.process.apparmorProfile = "some-profile"'
	refuses apparmor
}

@test "process.selinuxLabel: is in force" {
	[ -e /sys/fs/selinux/enforce ] || skip "SELinux is not active on this host"
	runs_sh 'cat /proc/self/attr/current' '.process.selinuxLabel = "system_u:system_r:container_t:s0"'
	has "$output" container_t
}

@test "process.selinuxLabel: without SELinux it is refused" {
	[ ! -e /sys/fs/selinux/enforce ] || skip "SELinux is active on this host"
	bundle '.process.selinuxLabel = "system_u:system_r:container_t:s0"'
	refuses selinux
}
