# SPDX-License-Identifier: GPL-2.0-or-later
# A container that manages cgroups of its own: with a cgroup namespace and a writable cgroup mount on pure v2, whoever
# its user is. As systemd in a container does.
load vm

setup()
{
	need_pure_v2
	world_make
}

teardown() { world_remove; }

MANAGES='set -e; cd /sys/fs/cgroup
	mkdir init work; echo $$ >init/cgroup.procs
	echo "+memory +pids" >cgroup.subtree_control
	echo 16777216 >work/memory.max; echo 9 >work/pids.max
	cat work/memory.max work/pids.max; cat /proc/self/cgroup'
MOUNT='ns("cgroup") | mnt("/sys/fs/cgroup"; "cgroup"; "cgroup"; ["nosuid", "noexec", "nodev", "relatime"])'

manages()
{
	vm_bundle "sh(\$s) | $MOUNT | $1" --arg s "$MANAGES"
	run_ok
	is "$output" "$(printf '16777216\n9\n0::/init')"
}

@test "delegation: root of a container manages sub-cgroups, cgroupfs" {
	need_root
	manages '.linux.cgroupsPath = $cg'
}

@test "delegation: root of a container manages sub-cgroups, systemd" {
	OCI_FLAGS=--systemd-cgroup
	manages .
}

@test "delegation: root of a user namespace does, cgroupfs" {
	need_root
	manages 'userns | .linux.cgroupsPath = $cg'
}

@test "delegation: root of a user namespace does, systemd" {
	need_root
	OCI_FLAGS=--systemd-cgroup
	manages userns
}

@test "delegation: a user that is not root does" {
	need_root
	OCI_FLAGS=--systemd-cgroup
	manages '.process.user = {uid: 1234, gid: 1234}'
}

@test "delegation: limits of the container itself stay the host's" {
	need_root
	OCI_FLAGS=--systemd-cgroup
	vm_bundle "sh(\"echo 99 >/sys/fs/cgroup/pids.max && echo changed; cat /sys/fs/cgroup/pids.max\") | $MOUNT | userns |
		.linux.resources.pids.limit = 20"
	run_it
	hasnt "$output" changed
	has "$output" 20
}

@test "delegation: exec follows a container whose cgroup has become an inner one" {
	OCI_FLAGS=--systemd-cgroup
	vm_bundle "sh(\$s) | $MOUNT" --arg s "$MANAGES; exec sleep 100"
	start_it
	wait_file "$BUNDLE/out"
	wait_until 5 grep -q init "$BUNDLE/out"
	is "$(oci exec "$CT" /bin/cat /proc/self/cgroup)" "0::/init"
	oci delete --force "$CT"
}
