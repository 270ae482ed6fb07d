# SPDX-License-Identifier: GPL-2.0-or-later
# containerd (ctr run --runc-binary) on dhow-oci; each test also on runc, which proves the test.

load engines

setup_file() {
	[ "$(id -u)" = 0 ] && command -v containerd >/dev/null && command -v runc >/dev/null || return 0
	make_world
	start_containerd
}

teardown_file() { drop_world; }

setup() {
	need_engine containerd
	need_engine runc
}

on_both() {
	local runtime n=0
	for runtime in "$(command -v runc)" "$DHOW_OCI"; do
		echo "on $runtime:"
		n=$((n + 1))
		"$@" "$runtime" "c$BATS_TEST_NUMBER-$n"
	done
}

c() { local runtime=$1; shift; ctr_ run --env PATH=/bin --runc-binary "$runtime" --rootfs "$@"; }
remove() { ctr_ task kill -s SIGKILL "$1" || true; await "end of $1" 10 stopped "$1"; ctr_ task rm "$1" || true; ctr_ container rm "$1"; }
stopped() { ctr_ task ls | grep -q "^$1 .*STOPPED" || ! ctr_ task ls | grep -q "^$1 "; }
running() { ctr_ task ls | grep -q "^$1 .*RUNNING"; }

runs() { [ "$(c "$1" --rm "$WORLD/rootfs" "$2" /bin/echo hello)" = hello ]; }
@test "containerd: run prints what the program prints" { on_both runs; }

status() { local s=0; c "$1" --rm "$WORLD/rootfs" "$2" /bin/sh -c 'exit 42' || s=$?; [ "$s" = 42 ]; }
@test "containerd: the exit status is the program's" { on_both status; }

missing() {
	local s=0
	c "$1" --rm "$WORLD/rootfs" "$2" /nosuchprogram 2>"$WORLD/err" || s=$?
	cat "$WORLD/err"
	[ "$s" != 0 ]
	grep -q 'no such file or directory' "$WORLD/err"
}
@test "containerd: a missing program is told by name" { on_both missing; }

execs() {
	c "$1" -d "$WORLD/rootfs" "$2" /bin/sleep 1000
	await "task" 10 running "$2"
	[ "$(ctr_ task exec --exec-id e1 "$2" /bin/echo inside)" = inside ]
	local s=0; ctr_ task exec --exec-id e2 "$2" /bin/sh -c 'exit 3' || s=$?; [ "$s" = 3 ]
	ctr_ task ps "$2" | grep -q '[0-9]'
	remove "$2"
}
@test "containerd: exec and ps" { on_both execs; }

pauses() {
	c "$1" -d "$WORLD/rootfs" "$2" /bin/sleep 1000
	await "task" 10 running "$2"
	ctr_ task pause "$2"
	ctr_ task ls | grep -q "^$2 .*PAUSED"
	ctr_ task resume "$2"
	ctr_ task ls | grep -q "^$2 .*RUNNING"
	remove "$2"
}
@test "containerd: pause and resume" { on_both pauses; }

limits() {
	c "$1" -d --memory-limit 33554432 "$WORLD/rootfs" "$2" /bin/sleep 1000
	await "task" 10 running "$2"
	ctr_ task metrics "$2" | grep -q '33554432'
	remove "$2"
}
@test "containerd: the memory limit shows in its metrics" { on_both limits; }

oom() {
	local s=0
	c "$1" --rm --memory-limit 16777216 "$WORLD/rootfs" "$2" /bin/sh -c 'x=$(head -c 400000000 /dev/zero | tr "\0" x); echo ${#x}' || s=$?
	[ "$s" = 137 ]
}
@test "containerd: out of memory is 137" { on_both oom; }

# As containerd's CRI plugin asks for it with SystemdCgroup = true, below a slice named as kubelet names a pod's.
as_scope() {
	local slice=kubepods-besteffort-pod$BATS_TEST_NUMBER.slice unit=cri-containerd-$2.scope pid
	c "$1" -d --runc-systemd-cgroup --cgroup "$slice:cri-containerd:$2" --memory-limit 33554432 "$WORLD/rootfs" "$2" /bin/sleep 1000
	await "task" 10 running "$2"
	pid=$(ctr_ task ls | awk -v name="$2" '$1 == name { print $2 }')
	grep -q "/kubepods.slice/kubepods-besteffort.slice/$slice/$unit\$" "/proc/$pid/cgroup"
	[ "$(systemctl show -p ActiveState -p MemoryMax --value "$unit" | sort | xargs)" = "33554432 active" ]
	ctr_ task metrics "$2" | grep -q 33554432
	[ "$(ctr_ task exec --exec-id e1 "$2" /bin/echo inside)" = inside ]
	remove "$2"
	await "end of the scope" 10 is_no_unit "$unit"
}
@test "containerd: the systemd driver makes a scope below the pod's slice" {
	[ -d /run/systemd/system ] || skip "no systemd on this host"
	on_both as_scope
	systemctl stop kubepods.slice
}

seccomp() { [ "$(c "$1" --rm --seccomp "$WORLD/rootfs" "$2" /bin/sh -c 'grep ^Seccomp: /proc/self/status' | tr -d '\t ')" = Seccomp:2 ]; }
@test "containerd: its seccomp profile is loaded" { on_both seccomp; }

# ctr drops what a program printed in its last moment, so this one stays until its line has arrived.
terminal() {
	local out=$WORLD/tty.$2 pid
	mkfifo "$WORLD/typed.$2"
	script -qec "ctr --address $WORLD/containerd.sock run --rm -t --runc-binary $1 --rootfs $WORLD/rootfs $2 /bin/sh -c 'tty; read x'" \
		/dev/null <>"$WORLD/typed.$2" >"$out" 2>&1 3>&- &
	pid=$!
	await "the terminal" 20 grep -q '/dev/pts/0' "$out" || { cat "$out"; return 1; }
	echo >"$WORLD/typed.$2"
	wait "$pid"
}
@test "containerd: -t gives a terminal" { command -v script >/dev/null || skip "no script(1)"; on_both terminal; }
