# SPDX-License-Identifier: GPL-2.0-or-later
# checkpoint and restore through CRIU: a container goes on where it was.
load vm

setup()
{
	need_root
	command -v criu >/dev/null || skip "no criu"
	world_make
	IMAGES=$WORLD/images
}

teardown() { world_remove; }

# Counts in memory what it writes to a file of the host.
counter()
{
	mkdir -p "$WORLD/out"
	bundle 'sh("n=0; while :; do n=$((n+1)); echo $n >/mnt/n; sleep 0.1; done") |
		mnt("/mnt"; "bind"; $w + "/out"; ["rbind", "rw"]) | '"${1:-.}"
	start_it
	wait_until 10 counted 3
}

count() { cat "$WORLD/out/n" 2>/dev/null; }
counted() { [ "$(count)" -ge "$1" ] 2>/dev/null; }

why() { grep -E 'Error|Warn' "$IMAGES/$1" | tail -n 12; }

goes_on()
{
	local before
	oci checkpoint --image-path "$IMAGES" "$CT" || fail "checkpoint: $(why dump.log)"
	run oci state "$CT"
	[ "$status" != 0 ] || is "$(state_of)" stopped
	oci delete --force "$CT" 2>/dev/null || true
	before=$(count)
	# shellcheck disable=SC2024
	oci restore --detach --image-path "$IMAGES" --bundle "$BUNDLE" "$CT" </dev/null >"$WORLD/restore" 2>&1 ||
		fail "restore: $(cat "$WORLD/restore") $(why restore.log)"
	is "$(state_of)" running
	wait_until 10 counted $((before + 3)) || fail "it counts from $before to $(count)"
	[ "$(count)" -lt $((before + 200)) ]
	has "$(cat "/proc/$(pid_of)/cgroup")" "${1:-$CGROUP}"
	is "$(oci exec "$CT" /bin/echo inside)" inside
}

@test "checkpoint: a container is saved, gone, and goes on" {
	counter
	goes_on
}

@test "checkpoint: with the systemd driver it goes on in a scope" {
	OCI_FLAGS=--systemd-cgroup
	counter ".linux.cgroupsPath = \":vm:$TAG-c\""
	goes_on "vm-$TAG-c.scope"
}

@test "checkpoint: a stream that the program has at another number comes back" {
	counter 'sh("exec 3>&1 >/mnt/log; n=0; while :; do n=$((n+1)); echo $n >/mnt/n; echo $n >&3; sleep 0.1; done")'
	local lines
	goes_on
	lines=$(wc -l <"$BUNDLE/out")
	wait_until 10 more_lines_than "$lines"
}
more_lines_than() { [ "$(wc -l <"$BUNDLE/out")" -gt "$1" ]; }

@test "checkpoint: --leave-running leaves it running" {
	counter
	oci checkpoint --leave-running --image-path "$IMAGES" "$CT" || fail "$(why dump.log)"
	is "$(state_of)" running
	wait_until 10 counted $(($(count) + 3))
}

@test "checkpoint: after a --pre-dump less is to be saved" {
	counter
	oci checkpoint --pre-dump --image-path "$WORLD/pre" "$CT" || fail "$(tail "$WORLD/pre/dump.log")"
	is "$(state_of)" running
	oci checkpoint --parent-path ../pre --image-path "$IMAGES" "$CT" || fail "$(why dump.log)"
}

@test "checkpoint: a stopped container is refused" {
	counter
	kill_first
	wait_stopped
	run oci checkpoint --image-path "$IMAGES" "$CT"
	is "$status" 1
	has "$output" stopped
}

@test "checkpoint: masked and read-only paths, tmpfs, namespaces come back" {
	counter 'ns("cgroup") | mnt("/tmp"; "tmpfs"; "tmpfs"; ["nosuid"]) | mnt("/sys/fs/cgroup"; "cgroup"; "cgroup"; ["ro"]) |
		.linux.maskedPaths = ["/proc/keys", "/proc/scsi", "/sys/firmware"] | .linux.readonlyPaths = ["/proc/sys", "/proc/bus"]'
	oci exec "$CT" /bin/sh -c 'echo kept >/tmp/f'
	goes_on
	is "$(oci exec "$CT" /bin/cat /tmp/f)" kept
	is "$(oci exec "$CT" /bin/cat /proc/keys)" ""
	run oci exec "$CT" /bin/sh -c 'echo 1 >/proc/sys/kernel/panic'
	[ "$status" != 0 ]
}

@test "checkpoint: what was a pipe is the pipe of who restores" {
	bundle 'sh("n=0; while :; do n=$((n+1)); echo $n; sleep 0.1; done")'
	mkfifo "$WORLD/first" "$WORLD/second"
	cat "$WORLD/first" >"$WORLD/first.out" &
	cat "$WORLD/second" >"$WORLD/second.out" &
	# Through a cat each, so that the streams are pipes without a name.
	oci run --detach --bundle "$BUNDLE" "$CT" </dev/null 2>&1 | cat >"$WORLD/first" &
	wait_until 10 test -s "$WORLD/first.out"
	oci checkpoint --image-path "$IMAGES" "$CT" || fail "$(why dump.log)"
	oci restore --detach --image-path "$IMAGES" --bundle "$BUNDLE" "$CT" </dev/null 2>&1 | cat >"$WORLD/second" &
	wait_until 20 test -s "$WORLD/second.out" || fail "$(why restore.log)"
	like "$(head -n 1 "$WORLD/second.out")" '^[0-9]+$'
	oci delete --force "$CT"
	wait_until 5 no_processes_left || fail "who holds the pipe: $(pgrep -af "$WORLD/")"
}
