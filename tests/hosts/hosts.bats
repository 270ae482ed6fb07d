#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Hosts that lack something: cgroups that are read-only or absent, CAP_SYS_RESOURCE, and hosts that are containers.
load ../helpers

# From here on the runtime is called on a host where SCRIPT was run first, in a mount namespace of its own.
on_host()
{
	cat >"$WORLD/on-host" <<-EOF
		#!/bin/sh
		exec unshare --mount --propagation private sh -c 'set -e; $1; exec "\$0" "\$@"' "$RUNTIME_PATH" "\$@"
	EOF
	chmod 755 "$WORLD/on-host"
	RUNTIME_PATH=$WORLD/on-host
}

READ_ONLY='for m in $(sed -n "s/^[^ ]* [^ ]* [^ ]* [^ ]* \(\/sys\/fs\/cgroup[^ ]*\) .*/\1/p" /proc/self/mountinfo); do
	mount -o remount,bind,ro "$m"; done'
ABSENT='umount --recursive /sys/fs/cgroup'

runs_a_life()
{
	sleeper
	is "$(state_of)" running
	is "$(oci exec "$CT" echo hello 2>&1)" hello
	oci kill "$CT" KILL
	wait_stopped
	oci delete "$CT"
	[ ! -e "$ROOT/$CT" ]
}

@test "read-only cgroups: a container runs without one of its own" {
	on_host "$READ_ONLY"
	runs_a_life
}

@test "read-only cgroups: a limit is refused, and named" {
	on_host "$READ_ONLY"
	bundle '.linux.resources.memory.limit = 33554432'
	refuses linux.resources.memory.limit "Read-only file system"
}

@test "absent cgroups: a container runs without" {
	on_host "$ABSENT"
	runs_a_life
}

@test "absent cgroups: a limit is refused, and named" {
	on_host "$ABSENT"
	bundle '.linux.resources.pids.limit = 10'
	refuses linux.resources.pids.limit cgroup
}

@test "absent cgroups: the cgroup mount of the default configuration is an empty directory" {
	on_host "$ABSENT"
	bundle 'sh("ls /sys/fs/cgroup") | mnt("/sys/fs/cgroup"; "cgroup"; "cgroup"; ["nosuid", "noexec", "nodev", "ro"])'
	run_ok
	hasnt "$output" memory
}

@test "no sysfs: a container runs" {
	on_host 'umount --recursive --lazy /sys'
	runs_a_life
}

# Keeps what setpriv takes away from all of the runtime's life.
without_resource()
{
	printf '#!/bin/sh\nexec setpriv --bounding-set=-sys_resource --inh-caps=-sys_resource "%s" "$@"\n' "$RUNTIME_PATH" >"$WORLD/poor"
	chmod 755 "$WORLD/poor"
	RUNTIME_PATH=$WORLD/poor
}

@test "without CAP_SYS_RESOURCE: the default configuration runs" {
	without_resource
	BUNDLE=$WORLD/c CT=$TAG-c
	mkdir "$BUNDLE"
	cp -al "$DHOW_TESTS_BASE/rootfs" "$BUNDLE/rootfs"
	oci spec --bundle "$BUNDLE"
	config '.process.terminal = false | .process.args = ["/bin/echo", "hello"] | .linux.cgroupsPath = "/" + $t' --arg t "$TAG-c"
	run_ok
	is "$output" hello
}

@test "without CAP_SYS_RESOURCE: a limit above the caller's is refused, named with its value" {
	without_resource
	bundle '.process.rlimits = [{type: "RLIMIT_NPROC", soft: 10, hard: 99}]'
	ulimit -u 50
	refuses RLIMIT_NPROC 99 50
}

@test "without CAP_SYS_RESOURCE: a limit at the caller's is set" {
	without_resource
	ulimit -n 2000
	bundle 'sh("ulimit -n") | .process.rlimits = [{type: "RLIMIT_NOFILE", soft: 2000, hard: 2000}]'
	run_ok
	is "$output" 2000
}

# A container whose program is the runtime, with a bundle of its own in /inner: nested OUTER-FILTER INNER-FILTER
nested()
{
	bundle -n inner "$2 | del(.linux.cgroupsPath)"
	local inner=$BUNDLE/config.json
	bundle '.process.args = ["/bin/sh", "-c", "cd /inner && exec /bin/runtime --root /tmp/root run in"] |
		mnt("/tmp"; "tmpfs"; "tmpfs"; ["mode=1777"]) | '"$1"
	mkdir -p "$BUNDLE/rootfs/inner"
	cp -al "$DHOW_TESTS_BASE/rootfs" "$BUNDLE/rootfs/inner/rootfs"
	cp "$inner" "$BUNDLE/rootfs/inner/config.json"
	cp "$RUNTIME_PATH" "$BUNDLE/rootfs/bin/runtime"
}

ALL_CAPS='caps(["CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FSETID", "CAP_FOWNER", "CAP_MKNOD", "CAP_NET_RAW", "CAP_SETGID", "CAP_SETUID",
	"CAP_SETFCAP", "CAP_SETPCAP", "CAP_NET_BIND_SERVICE", "CAP_SYS_CHROOT", "CAP_KILL", "CAP_AUDIT_WRITE", "CAP_SYS_ADMIN",
	"CAP_NET_ADMIN", "CAP_SYS_PTRACE"])'

need_static() { is_dhow && ! ldd "$RUNTIME_PATH" >/dev/null 2>&1 || skip "the inner program must be static"; }

@test "inside a container: with its capabilities, a container runs in the container" {
	need_static
	nested "$ALL_CAPS | mnt(\"/sys\"; \"sysfs\"; \"sysfs\"; []) | mnt(\"/sys/fs/cgroup\"; \"cgroup\"; \"cgroup\"; [\"rw\"])" \
		'sh("echo inner $$; id -u; ls /data")'
	run_ok
	is "$output" $'inner 1\n0\nfile'
}

@test "inside a container: a limit is honoured in the container's own cgroup" {
	need_static
	nested "$ALL_CAPS"' | ns("cgroup") | mnt("/sys"; "sysfs"; "sysfs"; []) | mnt("/sys/fs/cgroup"; "cgroup"; "cgroup"; ["rw"])' \
		'sh("cat /sys/fs/cgroup/pids/pids.max /sys/fs/cgroup/pids.max 2>/dev/null; true") | .linux.resources.pids.limit = 77 |
		ns("cgroup") | mnt("/sys"; "sysfs"; "sysfs"; []) | mnt("/sys/fs/cgroup"; "cgroup"; "cgroup"; ["ro"])'
	run_ok
	is "$output" 77
}

@test "inside a container: with read-only cgroups, a container runs without" {
	need_static
	nested "$ALL_CAPS | mnt(\"/sys\"; \"sysfs\"; \"sysfs\"; [\"ro\"]) | mnt(\"/sys/fs/cgroup\"; \"cgroup\"; \"cgroup\"; [\"ro\"])" \
		'sh("echo inner")'
	run_ok
	has "$output" inner
}

@test "inside a container: without capabilities it is refused in one line" {
	need_static
	nested 'caps(["CAP_CHOWN"])' 'sh("echo inner")'
	run_it
	is "$status" 1
	is "$(grep -c level=error <<<"$output")" 1
	has "$(tail -n 1 <<<"$output")" "Operation not permitted"
}

@test "inside a container: without capabilities, a user namespace makes it work" {
	need_static
	# Not as root: to map that takes CAP_SETFCAP.
	nested 'caps([]) | .process.user = {uid: 1000, gid: 1000} | .linux.maskedPaths = [] | .linux.readonlyPaths = [] | .mounts |= map(select(.destination != "/sys"))' \
		'sh("id -u; echo inner") | ns("user") | no_ns("cgroup") | .linux.uidMappings = [{containerID: 0, hostID: 1000, size: 1}] |
		.linux.gidMappings = [{containerID: 0, hostID: 1000, size: 1}] | .mounts |= map(select(.destination != "/sys"))'
	run_ok
	has "$output" $'0\ninner'
}
