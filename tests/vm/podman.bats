# SPDX-License-Identifier: GPL-2.0-or-later
# podman with the systemd cgroup driver, its default on such hosts: as root, and as a normal user. Each test also on
# runc, which proves the test.
load vm

setup()
{
	command -v podman >/dev/null || skip "no podman"
	world_make
	# The store must be on the guest's own disk; the sockets' paths short.
	STORE=$(mktemp -d /var/tmp/vmpod.XXXXXX)
	vm_bundle
	# conmon passes on nothing of the environment.
	DHOW=$STORE/dhow-oci
	printf '#!/bin/sh\nDHOW_LIBEXECDIR=%s exec %s "$@"\n' "$DHOW_LIBEXECDIR" "$DHOW_OCI" >"$DHOW"
	chmod 755 "$DHOW"
}

teardown()
{
	[ -z "${STORE-}" ] || {
		pod "$DHOW" rm -af -t 0 >/dev/null 2>&1
		if is_user; then podman unshare rm -rf "$STORE"; else rm -rf "$STORE"; fi
	}
	world_remove
}

pod()
{
	local runtime=$1
	shift
	podman --root "$STORE/root" --runroot "$STORE/run" --tmpdir "$STORE/tmp" --storage-driver vfs --events-backend file \
		--cgroup-manager systemd --runtime "$runtime" "$@" 3>&- 4>&-
}

on_both()
{
	local runtime
	for runtime in "$(command -v runc)" "$DHOW"; do
		echo "on $runtime:"
		"$@" "$runtime"
	done
}

runs() { is "$(pod "$1" run --rm --network none --rootfs "$BUNDLE/rootfs" echo hello)" hello; }
@test "podman, systemd driver: run" { on_both runs; }

limits()
{
	local id pid group
	id=$(pod "$1" run -d --network none -m 32m --pids-limit 50 --rootfs "$BUNDLE/rootfs" sleep 1000)
	pid=$(pod "$1" inspect -f '{{.State.Pid}}' "$id")
	has "$(cat "/proc/$pid/cgroup")" "libpod-$id.scope"
	if is_pure_v2; then
		group=/sys/fs/cgroup$(sed -n 's/^0:://p' "/proc/$pid/cgroup")
		is "$(cat "$group/memory.max")" 33554432
		is "$(cat "$group/pids.max")" 50
	else
		is "$(cat "/sys/fs/cgroup/memory$(sed -n 's/^[0-9]*:memory://p' "/proc/$pid/cgroup")/memory.limit_in_bytes")" 33554432
	fi
	is "$(pod "$1" exec "$id" echo inside)" inside
	pod "$1" stop -t 0 "$id" || true
	pod "$1" rm -f -t 0 "$id"
	is "$(manager show -p ActiveState --value "libpod-$id.scope")" inactive
}
@test "podman, systemd driver: limits, exec, stop" { on_both limits; }

updates()
{
	local id pid group
	id=$(pod "$1" run -d --network none --rootfs "$BUNDLE/rootfs" sleep 1000)
	pod "$1" pause "$id"
	is "$(pod "$1" inspect -f '{{.State.Status}}' "$id")" paused
	pod "$1" unpause "$id"
	pod "$1" kill "$id"
	is "$(pod "$1" wait "$id")" 137
	pod "$1" rm -f -t 0 "$id"
}
@test "podman, systemd driver: pause, kill, wait" { on_both updates; }
