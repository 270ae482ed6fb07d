# SPDX-License-Identifier: GPL-2.0-or-later
# dhow-oci as a normal user: user namespace with newuidmap and newgidmap, his own cgroups by either driver.
load vm

setup()
{
	need_user
	world_make
	OWN=$CGROUP_BASE
}

teardown() { world_remove; }

@test "rootless: root inside is the user outside, with all his ids" {
	vm_bundle 'sh("id -u; cat /proc/self/uid_map | tr -s \" \"")'
	run_ok
	is "$(head -n 1 <<<"$output")" 0
	has "$output" " 0 1000 1"
	has "$output" " 1 100000 65536"
}

@test "rootless: one id is enough, without newuidmap" {
	vm_bundle 'sh("id -u; id -g") | .linux.uidMappings = [{containerID: 0, hostID: 1000, size: 1}] |
		.linux.gidMappings = [{containerID: 0, hostID: 1000, size: 1}]'
	run_ok
	is "$output" "$(printf '0\n0')"
}

@test "rootless: another user inside is one of the subordinate ids outside" {
	vm_bundle '.process.user = {uid: 5, gid: 6, additionalGids: [7]} | .process.args = ["/bin/sleep", "100"]'
	start_it
	is "$(stat -c %u "/proc/$(pid_of)")" 100004
	# Its streams become the process's user's, also the one that would be bats' own.
	is "$(oci exec "$CT" /bin/sh -c 'id -u; id -g; id -G' 2>"$WORLD/err" | tr '\n' ' ')" "5 6 6 7 "
}

@test "rootless: ids that are not the user's are refused, and nothing stays" {
	vm_bundle '.linux.uidMappings = [{containerID: 0, hostID: 0, size: 1}]'
	refuses uid
	vm_bundle '.linux.uidMappings[1].hostID = 300000'
	refuses newuidmap
}

@test "rootless: create, start, exec, kill and delete" {
	vm_bundle '.process.args = ["/bin/sleep", "100"]'
	create_it
	is "$(state_of)" created
	oci start "$CT"
	is "$(oci exec "$CT" /bin/echo hello)" hello
	run oci exec "$CT" /bin/sh -c 'exit 9'
	is "$status" 9
	oci kill "$CT" KILL
	wait_stopped
	oci delete "$CT"
	run oci state "$CT"
	is "$status" 1
}

@test "rootless: the default configuration of a normal user runs" {
	vm_bundle
	(cd "$BUNDLE" && rm config.json && oci spec --rootless)
	config '.process.terminal = false | .process.args = ["/bin/sh", "-c", "id -u; ls /sys >/dev/null && echo sys"]'
	run_ok
	is "$output" "$(printf '0\nsys')"
}

@test "rootless: state is in the user's runtime directory" {
	vm_bundle '.process.args = ["/bin/sleep", "100"]'
	at_end '"$RUNTIME_PATH" delete --force "$CT"'
	"$RUNTIME_PATH" run --detach --bundle "$BUNDLE" "$CT" </dev/null >/dev/null 2>&1 3>&- 4>&-
	[ -d "$XDG_RUNTIME_DIR/dhow-oci/$CT" ] || fail "not in $XDG_RUNTIME_DIR: $(ls "$XDG_RUNTIME_DIR")"
	"$RUNTIME_PATH" delete --force "$CT"
	[ ! -e "$XDG_RUNTIME_DIR/dhow-oci/$CT" ]
}

@test "rootless: cgroupfs limits in a delegated cgroup are in force" {
	vm_bundle '.process.args = ["/bin/sleep", "100"] | .linux.cgroupsPath = $p |
		.linux.resources = {memory: {limit: 33554432}, pids: {limit: 20}}' --arg p "$OWN/$TAG"
	start_it
	is "$(group_dir)" "/sys/fs/cgroup$OWN/$TAG"
	is "$(limit memory memory.max)" 33554432
	is "$(limit pids pids.max)" 20
	oci update --pids-limit 30 "$CT"
	is "$(limit pids pids.max)" 30
	oci delete --force "$CT"
	[ ! -e "/sys/fs/cgroup$OWN/$TAG" ] || fail "the cgroup stays"
}

@test "rootless: an OOM kill is an OOM kill" {
	vm_bundle '.process.args = ["/bin/probe", "eat", "64"] | .linux.cgroupsPath = $p |
		.linux.resources = {memory: {limit: 16777216, swap: 16777216}}' --arg p "$OWN/$TAG"
	run_it
	is "$status" 137
}

@test "rootless: without limits a foreign cgroup is no error, with limits it is, and named" {
	vm_bundle 'sh("echo fine")'
	run_ok
	has "$output" fine
	vm_bundle 'sh("echo fine") | .linux.cgroupsPath = "/foreign" | .linux.resources.pids.limit = 5'
	refuses pids.limit
}

@test "rootless: terminal" {
	vm_bundle '.process.terminal = true | .process.args = ["/bin/sh", "-c", "tty; stty size"]'
	run script -qec "$RUNTIME_PATH --root $ROOT run --bundle $BUNDLE $CT" /dev/null </dev/null
	is "$status" 0
	has "$output" /dev/
}

@test "rootless: devices are the host's, bound" {
	vm_bundle 'sh("echo x >/dev/null && head -c 4 /dev/zero | wc -c; ls -l /dev/null | cut -c1")'
	run_ok
	has "$output" 4
}

@test "rootless: a network namespace has its loopback" {
	vm_bundle 'sh("ip addr show lo")'
	run_ok
	has "$output" 127.0.0.1
}

@test "rootless: mounts: tmpfs, bind, read-only, masked" {
	vm_bundle 'sh("cat /mnt/f; touch /mnt/g || echo ro; cat /proc/keys | wc -c; touch /tmp/x && echo tmp") |
		mnt("/mnt"; "bind"; $w + "/src"; ["rbind", "ro"]) | mnt("/tmp"; "tmpfs"; "tmpfs"; ["nosuid"]) |
		.linux.maskedPaths = ["/proc/keys"]'
	mkdir "$WORLD/src"
	echo content >"$WORLD/src/f"
	run_ok
	has "$output" content
	has "$output" ro
	has "$output" tmp
}

@test "rootless: joining a user's network namespace needs his user namespace" {
	vm_bundle '.process.args = ["/bin/sleep", "100"]'
	start_it
	local pid
	pid=$(pid_of)
	bundle -n second 'sh("id -u; readlink /proc/self/ns/net") | del(.linux.cgroupsPath, .linux.uidMappings, .linux.gidMappings) |
		join_ns("user"; $p + "user") |
		join_ns("network"; $p + "net")' --arg p "/proc/$pid/ns/"
	run_ok
	has "$output" "$(readlink "/proc/$pid/ns/net")"
	oci delete --force "$TAG-c"
}

@test "rootless: pause and events in a scope of the user's systemd" {
	OCI_FLAGS=--systemd-cgroup
	scope '.linux.resources.pids.limit = 12'
	has "$(group_dir)" "/user@1000.service/"
	oci pause "$CT"
	is "$(state_of)" paused
	oci resume "$CT"
	is "$(oci events --stats "$CT" | jq .data.pids.limit)" 12
}

@test "rootless: without his systemd the driver says so" {
	OCI_FLAGS=--systemd-cgroup
	scope_bundle
	status=0
	output=$(DBUS_SESSION_BUS_ADDRESS=unix:path=/nonesuch XDG_RUNTIME_DIR=/nonesuch "$RUNTIME_PATH" --root "$ROOT" \
		--systemd-cgroup run --bundle "$BUNDLE" "$CT" 2>&1 </dev/null) || status=$?
	is "$status" 1
	has "$output" "user manager"
}
