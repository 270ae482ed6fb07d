# SPDX-License-Identifier: GPL-2.0-or-later
# docker (dockerd with --add-runtime) on dhow-oci; each test also on runc, which proves the test.

load engines

setup_file() {
	[ "$(id -u)" = 0 ] && command -v dockerd >/dev/null && command -v docker >/dev/null || return 0
	make_world
	start_docker
}

teardown_file() { drop_world; }

setup() {
	need_engine dockerd
	need_engine docker
}

on_both() {
	local runtime
	for runtime in runc dhow; do
		echo "on $runtime:"
		"$@" "$runtime"
	done
}

d() { docker_ run --network none --runtime "$@"; }

runs() { [ "$(d "$1" --rm base echo hello)" = hello ]; }
@test "docker: run prints what the program prints" { on_both runs; }

status() { local s=0; d "$1" --rm base sh -c 'exit 42' || s=$?; [ "$s" = 42 ]; }
@test "docker: the exit status is the program's" { on_both status; }

missing() { local s=0; d "$1" --rm base nosuchprogram 2>"$WORLD/err" || s=$?; cat "$WORLD/err"; [ "$s" = 127 ]; }
@test "docker: a missing program is status 127" { on_both missing; }

execs() {
	local id; id=$(d "$1" -d base sleep 1000)
	[ "$(docker_ exec "$id" echo inside)" = inside ]
	[ "$(docker_ exec -e A=b "$id" sh -c 'echo $A')" = b ]
	local s=0; docker_ exec "$id" sh -c 'exit 3' || s=$?; [ "$s" = 3 ]
	[ "$(docker_ exec "$id" id -u)" = 0 ]; [ "$(docker_ exec -u 12:34 "$id" sh -c 'id -u; id -g' | tr '\n' ' ')" = "12 34 " ]
	docker_ rm -f "$id"
}
@test "docker: exec runs in the container" { on_both execs; }

stops() {
	local id; id=$(d "$1" -d base sh -c 'trap "exit 7" TERM; while :; do sleep 0.1; done')
	docker_ stop -t 10 "$id"
	[ "$(docker_ inspect -f '{{.State.ExitCode}}' "$id")" = 7 ]
	docker_ rm "$id"
}
@test "docker: stop sends SIGTERM and the status is recorded" { on_both stops; }

kills() {
	local id; id=$(d "$1" -d base sleep 1000)
	docker_ kill "$id"
	[ "$(docker_ wait "$id")" = 137 ]
	docker_ rm "$id"
}
@test "docker: kill ends it with 137" { on_both kills; }

restarts() {
	local id; id=$(d "$1" -d base sleep 1000)
	docker_ restart -t 0 "$id"
	[ "$(docker_ inspect -f '{{.State.Running}}' "$id")" = true ]
	docker_ rm -f "$id"
}
@test "docker: restart" { on_both restarts; }

memory() {
	local id; id=$(d "$1" -d -m 32m --cpu-shares 512 --pids-limit 50 base sleep 1000)
	local pid; pid=$(docker_ inspect -f '{{.State.Pid}}' "$id")
	local group; group=$(grep -oE '(memory)?:/.*' "/proc/$pid/cgroup" | grep -E '^(memory)?:' | head -n 1 | sed 's/^[^:]*://')
	[ "$(cat "/sys/fs/cgroup/memory$group/memory.limit_in_bytes" 2>/dev/null || cat "/sys/fs/cgroup$group/memory.max")" = 33554432 ]
	docker_ update -m 64m --memory-swap 64m "$id" >/dev/null
	[ "$(cat "/sys/fs/cgroup/memory$group/memory.limit_in_bytes" 2>/dev/null || cat "/sys/fs/cgroup$group/memory.max")" = 67108864 ]
	docker_ rm -f "$id"
}
@test "docker: limits reach the cgroup, and update changes them" { on_both memory; }

# Docker's own choice of a driver where systemd runs and cgroup v2 is.
as_scope() {
	local id pid
	id=$(d "$1" -d -m 32m base sleep 1000)
	pid=$(docker_ inspect -f '{{.State.Pid}}' "$id")
	grep -q "/system.slice/docker-$id.scope\$" "/proc/$pid/cgroup"
	docker_ update -m 64m --memory-swap 64m "$id" >/dev/null
	[ "$(systemctl show -p ActiveState -p MemoryMax --value "docker-$id.scope" | sort | xargs)" = "67108864 active" ]
	docker_ exec "$id" true
	docker_ rm -f "$id"
	await "end of the scope" 10 is_no_unit "docker-$id.scope"
}
@test "docker: the systemd driver makes a scope, and update changes it" {
	[ "$(docker_ info -f '{{.CgroupDriver}}')" = systemd ] || skip "docker takes the cgroupfs driver on this host"
	on_both as_scope
}

oom() {
	local id; id=$(d "$1" -d -m 16m base sh -c 'x=$(head -c 400000000 /dev/zero | tr "\0" x); echo ${#x}')
	[ "$(docker_ wait "$id")" = 137 ]
	[ "$(docker_ inspect -f '{{.State.OOMKilled}}' "$id")" = true ]
	docker_ rm "$id"
}
@test "docker: out of memory is 137 and OOMKilled" { on_both oom; }

tty() { [ "$(d "$1" --rm -t base tty | tr -d '\r')" = /dev/pts/0 ]; }
@test "docker: -t gives a terminal" { on_both tty; }

logs() {
	local id; id=$(d "$1" -d base sh -c 'echo out; echo err >&2')
	docker_ wait "$id"
	[ "$(docker_ logs "$id" 2>/dev/null)" = out ]
	[ "$(docker_ logs "$id" 2>&1 >/dev/null)" = err ]
	docker_ rm "$id"
}
@test "docker: logs" { on_both logs; }

pauses() {
	local id; id=$(d "$1" -d base sleep 1000)
	docker_ pause "$id"
	[ "$(docker_ inspect -f '{{.State.Paused}}' "$id")" = true ]
	docker_ unpause "$id"
	docker_ exec "$id" true
	docker_ top "$id" | grep -q 'sleep 1000'
	docker_ rm -f "$id"
}
@test "docker: pause, unpause, top" { on_both pauses; }

caps() {
	[ "$(d "$1" --rm base sh -c 'grep CapEff /proc/self/status' | tr -d '\t ')" = CapEff:00000000a80425fb ]
	[ "$(d "$1" --rm --cap-drop ALL base sh -c 'grep CapEff /proc/self/status' | tr -d '\t ')" = CapEff:0000000000000000 ]
	[ "$(d "$1" --rm base sh -c 'grep ^Seccomp: /proc/self/status' | tr -d '\t ')" = Seccomp:2 ]
}
@test "docker: default capabilities and seccomp" { on_both caps; }

privileged() {
	# runc refuses to give all capabilities on a host that lacks one; the specification wants a warning.
	if [ "$1" = runc ] && ! capsh --has-p=cap_sys_resource >/dev/null 2>&1; then return 0; fi
	d "$1" --rm --privileged base sh -c 'mount -t tmpfs x /tmp && ls /dev/kmsg'
}
@test "docker: --privileged" { on_both privileged; }

volumes() {
	mkdir -p "$WORLD/vol"; echo content >"$WORLD/vol/file"
	[ "$(d "$1" --rm -v "$WORLD/vol:/v:ro" base cat /v/file)" = content ]
	! d "$1" --rm -v "$WORLD/vol:/v:ro" base sh -c 'echo x >/v/file' 2>/dev/null
	d "$1" --rm --read-only --tmpfs /tmp base sh -c '! echo x >/file 2>/dev/null && echo x >/tmp/file'
}
@test "docker: volumes, tmpfs, read-only root" { on_both volumes; }

options() {
	[ "$(d "$1" --rm --hostname h1 base hostname)" = h1 ]
	[ "$(d "$1" --rm --ulimit nofile=100:200 base sh -c 'ulimit -n; ulimit -Hn' | tr '\n' ' ')" = "100 200 " ]
	[ "$(d "$1" --rm --user 5:6 -w /tmp base sh -c 'id -u; pwd' | tr '\n' ' ')" = "5 /tmp " ]
	[ "$(d "$1" --rm --sysctl net.ipv4.ip_forward=1 base cat /proc/sys/net/ipv4/ip_forward)" = 1 ]
	[ "$(d "$1" --rm --shm-size 1m base sh -c 'grep " /dev/shm " /proc/mounts' | grep -o size=1024k)" = size=1024k ]
}
@test "docker: hostname, ulimit, user, sysctl, shm" { on_both options; }
