# SPDX-License-Identifier: GPL-2.0-or-later
# podman and conmon (podman --runtime) on dhow-oci; each test also on runc, which proves the test.

load engines

setup_file() {
	[ "$(id -u)" = 0 ] && command -v podman >/dev/null || return 0
	make_world
}

teardown_file() {
	[ -z "${WORLD:-}" ] || podman_ rm -af -t 0 >/dev/null 2>&1 || true
	drop_world
}

setup() {
	need_engine podman
	need_engine runc
}

on_both() {
	local runtime
	for runtime in "$(command -v runc)" "$DHOW_OCI"; do
		echo "on $runtime:"
		"$@" "$runtime"
	done
}

# podman asks for higher limits of its own than a host without CAP_SYS_RESOURCE grants.
p() { local runtime=$1; shift; podman_ --runtime "$runtime" run --network none --ulimit nofile=1024:1024 --ulimit nproc=1024:1024 "$@"; }
at() { local runtime=$1; shift; podman_ --runtime "$runtime" "$@"; }
R() { echo "$WORLD/rootfs"; }

runs() { [ "$(p "$1" --rm --rootfs "$(R)" echo hello)" = hello ]; }
@test "podman: run prints what the program prints" { on_both runs; }

status() { local s=0; p "$1" --rm --rootfs "$(R)" sh -c 'exit 42' || s=$?; [ "$s" = 42 ]; }
@test "podman: the exit status is the program's" { on_both status; }

missing() { local s=0; p "$1" --rm --rootfs "$(R)" nosuchprogram 2>"$WORLD/err" || s=$?; cat "$WORLD/err"; [ "$s" = 127 ]; }
@test "podman: a missing program is status 127" { on_both missing; }

execs() {
	local id s=0; id=$(p "$1" -d --rootfs "$(R)" sleep 1000)
	[ "$(at "$1" exec "$id" echo inside)" = inside ]
	at "$1" exec "$id" sh -c 'exit 3' || s=$?; [ "$s" = 3 ]
	[ "$(at "$1" exec -u 12:34 "$id" sh -c 'id -u; id -g' | tr '\n' ' ')" = "12 34 " ]
	at "$1" rm -f -t 0 "$id"
}
@test "podman: exec runs in the container" { on_both execs; }

stops() {
	local id; id=$(p "$1" -d --rootfs "$(R)" sh -c 'trap "exit 7" TERM; echo ready; while :; do sleep 0.1; done')
	await ready 10 ready "$1" "$id"
	at "$1" stop -t 10 "$id"
	[ "$(at "$1" inspect -f '{{.State.ExitCode}}' "$id")" = 7 ]
	at "$1" rm "$id"
}
ready() { at "$1" logs "$2" | grep -q ready; }
@test "podman: stop sends SIGTERM and the status is recorded" { on_both stops; }

kills() {
	local id; id=$(p "$1" -d --rootfs "$(R)" sleep 1000)
	at "$1" kill "$id"
	[ "$(at "$1" wait "$id")" = 137 ]
	at "$1" rm "$id"
}
@test "podman: kill ends it with 137" { on_both kills; }

limits() {
	local id; id=$(p "$1" -d -m 32m --pids-limit 50 --rootfs "$(R)" sleep 1000)
	local pid; pid=$(at "$1" inspect -f '{{.State.Pid}}' "$id")
	local group; group=$(sed -n 's/^[0-9]*:memory://p' "/proc/$pid/cgroup")
	if [ -n "$group" ]; then [ "$(cat "/sys/fs/cgroup/memory$group/memory.limit_in_bytes")" = 33554432 ]
	else [ "$(cat "/sys/fs/cgroup$(sed -n 's/^0:://p' "/proc/$pid/cgroup")/memory.max")" = 33554432 ]; fi
	at "$1" rm -f -t 0 "$id"
}
@test "podman: limits reach the cgroup" { on_both limits; }

oom() {
	local id; id=$(p "$1" -d -m 16m --rootfs "$(R)" sh -c 'x=$(head -c 400000000 /dev/zero | tr "\0" x); echo ${#x}')
	[ "$(at "$1" wait "$id")" = 137 ]
	at "$1" rm "$id"
}
@test "podman: out of memory is 137" { on_both oom; }

tty() { [ "$(p "$1" --rm -t --rootfs "$(R)" tty | tr -d '\r')" = /dev/pts/0 ]; }
@test "podman: -t gives a terminal" { on_both tty; }

logs() {
	local id; id=$(p "$1" -d --log-driver k8s-file --rootfs "$(R)" sh -c 'echo out; echo err >&2')
	at "$1" wait "$id"
	[ "$(at "$1" logs "$id" 2>/dev/null)" = out ]
	at "$1" rm "$id"
}
@test "podman: logs" { on_both logs; }

pauses() {
	local id; id=$(p "$1" -d --rootfs "$(R)" sleep 1000)
	at "$1" pause "$id"
	[ "$(at "$1" inspect -f '{{.State.Status}}' "$id")" = paused ]
	at "$1" unpause "$id"
	at "$1" rm -f -t 0 "$id"
}
@test "podman: pause and unpause" { on_both pauses; }

userns() { [ "$(p "$1" --rm --uidmap 0:100000:65536 --gidmap 0:100000:65536 --rootfs "$(R)" cat /proc/self/uid_map | tr -s ' ')" = " 0 100000 65536" ]; }
@test "podman: a user namespace with its map" { on_both userns; }

pod() {
	local id second; id=$(p "$1" -d --rootfs "$(R)" sleep 1000)
	second=$(podman_ --runtime "$1" run --rm --ulimit nofile=1024:1024 --ulimit nproc=1024:1024 --network "container:$id" --ipc "container:$id" --pid "container:$id" --rootfs "$(R)" ps)
	echo "$second" | grep -q 'sleep 1000'
	at "$1" rm -f -t 0 "$id"
}
@test "podman: namespaces of another container are joined" { on_both pod; }
