#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# update, events, exec and the limits' force where all controllers are cgroup2's.
load ../helpers

v2() { cat "$(v2_path)/$1"; }

# updates2 FLAG VALUE CONTROLLER FILE EXPECTED: of a container with limits of its own
updates2()
{
	need_v2 "$3"
	sleeper '.linux.resources = {memory: {limit: 67108864, swap: 134217728}, cpu: {quota: 50000, period: 100000}, pids: {limit: 77}}'
	run oci update "$1" "$2" "$CT"
	[ "$status" = 0 ] || fail "$output"
	is "$(v2 "$4")" "$5" "$4"
}

@test "update --memory: v2" { updates2 --memory 33554432 memory memory.max 33554432; }
@test "update --memory: more than before, v2" { updates2 --memory 134217728 memory memory.max 134217728; }
@test "update --memory-reservation: v2" { updates2 --memory-reservation 16777216 memory memory.low 16777216; }
@test "update --memory-swap: is the difference to the limit, v2" {
	need_v2 memory
	sleeper '.linux.resources.memory = {limit: 67108864, swap: 67108864}'
	[ -e "$(v2_path)/memory.swap.max" ] || skip "this host counts no swap"
	run oci update --memory 67108864 --memory-swap 100663296 "$CT"
	[ "$status" = 0 ] || fail "$output"
	is "$(v2 memory.swap.max)" 33554432
}
@test "update --cpu-quota: v2, the period stays" { updates2 --cpu-quota 40000 cpu cpu.max "40000 100000"; }
@test "update --cpu-period: v2, the quota stays" { updates2 --cpu-period 80000 cpu cpu.max "50000 80000"; }
@test "update --cpu-share: a weight, v2" {
	need_v2 cpu
	sleeper
	local before
	before=$(v2 cpu.weight)
	oci update --cpu-share 2048 "$CT"
	[ "$(v2 cpu.weight)" -gt "$before" ] || fail "the weight is $(v2 cpu.weight), was $before"
}
@test "update --cpu-idle: v2" { updates2 --cpu-idle 1 cpu cpu.idle 1; }
@test "update --cpu-burst: v2" { updates2 --cpu-burst 20000 cpu cpu.max.burst 20000; }
@test "update --cpuset-cpus: v2" { updates2 --cpuset-cpus 0 cpuset cpuset.cpus 0; }
@test "update --cpuset-mems: v2" { updates2 --cpuset-mems 0 cpuset cpuset.mems 0; }
@test "update --pids-limit: v2" { updates2 --pids-limit 33 pids pids.max 33; }
@test "update --pids-limit: -1 is unlimited, v2" { updates2 --pids-limit -1 pids pids.max max; }

@test "update --resources: from a file, v2" {
	need_v2 memory
	sleeper '.linux.resources = {memory: {limit: 67108864}, pids: {limit: 77}}'
	echo '{"memory": {"limit": 50331648, "reservation": 8388608}, "cpu": {"quota": 30000, "period": 60000},
		"unified": {"pids.max": "55", "memory.high": "41943040"}}' >"$WORLD/r"
	oci update --resources "$WORLD/r" "$CT"
	is "$(v2 memory.max)" 50331648
	is "$(v2 memory.low)" 8388608
	is "$(v2 cpu.max)" "30000 60000"
	is "$(v2 pids.max)" 55
	is "$(v2 memory.high)" 41943040
}

@test "update: a value that the kernel refuses is an error, and named, v2" {
	need_v2 cpuset
	sleeper
	run oci update --cpuset-cpus 4000 "$CT"
	[ "$status" -ne 0 ]
	has "$output" cpuset.cpus
}

@test "linux.resources.memory.limit: more than it is not given, v2" {
	need_v2 memory
	bundle '.process.args = ["/bin/probe", "eat", "64"] | .linux.resources.memory = {limit: 16777216, swap: 16777216}'
	run_it
	is "$status" 137
	hasnt "$output" ate
}

@test "linux.resources.pids.limit: more are not made, v2" {
	need_v2 pids
	bundle '.process.args = ["/bin/sh", "-c", "setsid probe fork 20 & wait"] | .linux.resources.pids.limit = 10'
	run_it
	[ "$output" -lt 10 ] && [ "$output" -gt 3 ]
}

@test "events --stats: one line of JSON in runc's shape, v2" {
	need_v2 memory
	sleeper '.linux.resources = {memory: {limit: 67108864}, pids: {limit: 77}}'
	run oci events --stats "$CT"
	[ "$status" = 0 ] || fail "$output"
	is "$(jq -r .type <<<"$output")" stats
	is "$(jq -r .id <<<"$output")" "$CT"
	[ "$(jq -r .data.cpu.usage.total <<<"$output")" -ge 0 ]
	[ "$(jq -r .data.memory.usage.usage <<<"$output")" -gt 0 ]
	is "$(jq -r .data.memory.usage.limit <<<"$output")" 67108864
	is "$(jq -r '.data.memory.raw | type' <<<"$output")" object
	is "$(jq -r .data.pids.current <<<"$output")" 1
	is "$(jq -r .data.pids.limit <<<"$output")" 77
	is "$(jq -r '.data.blkio | type' <<<"$output")" object
}

@test "events --stats: the pressure of cpu, memory and I/O, v2" {
	is_dhow || skip "runc tells it since 1.2, crun never"
	need_v2 memory
	sleeper
	[ -r "$(v2_path)/cpu.pressure" ] && cat "$(v2_path)/cpu.pressure" >/dev/null 2>&1 || skip "this kernel keeps no pressure"
	run oci events --stats "$CT"
	local part
	for part in cpu memory blkio; do
		is "$(jq -r ".data.$part.psi.some.avg10 | type" <<<"$output")" number "$part"
	done
}

@test "events: an out-of-memory kill is told, v2" {
	need_v2 memory
	bundle 'sh("echo ready; read x </data/go; probe eat 64; sleep 100") | .linux.resources.memory = {limit: 16777216, swap: 16777216}'
	mkfifo "$BUNDLE/rootfs/data/go"
	start_it
	wait_file "$BUNDLE/out"
	oci events "$CT" >"$WORLD/events" 2>/dev/null &
	AGENTS+=($!)
	wait_until 5 watches_memory
	echo >"$BUNDLE/rootfs/data/go"
	wait_until 20 grep -q '"oom"' "$WORLD/events"
}

# It waits for inotify or a poll of memory.events.
watches_memory()
{
	local pid
	for pid in $(pgrep -f "$WORLD/root events"); do
		readlink /proc/"$pid"/fd/* 2>/dev/null | grep -qE 'inotify|memory.events' && return 0
	done
	return 1
}

@test "exec --cgroup: a sub-cgroup, v2" {
	need_v2 pids
	sleeper
	mkdir "$(v2_path)/sub"
	run oci exec --cgroup sub "$CT" cat /proc/self/cgroup
	[ "$status" = 0 ] || fail "$output"
	like "$output" "$TAG-c/sub\$"
}

@test "exec --cgroup: one outside of the container's is refused, v2" {
	need_v2 pids
	sleeper
	run oci exec --cgroup ../.. "$CT" true
	[ "$status" -ne 0 ]
}

@test "pause and resume: the cgroup is frozen, v2" {
	need_v2 pids
	sleeper
	oci pause "$CT"
	is "$(state_of)" paused
	is "$(v2 cgroup.freeze)" 1
	oci resume "$CT"
	is "$(v2 cgroup.freeze)" 0
}
