# SPDX-License-Identifier: GPL-2.0-or-later
# The systemd cgroup driver: on the pure v2 host as root and as a normal user (whose own systemd it is then), and on the
# hybrid one.
load vm

OCI_FLAGS=--systemd-cgroup

default_slice() { if is_user; then echo user.slice; else echo system.slice; fi; }

@test "systemd: a container is a delegated scope, and the scope goes with it" {
	scope
	local dir
	dir=$(group_dir pids)
	has "$dir" "/$(default_slice)/$UNIT"
	is "$(property ActiveState)" active
	is "$(property Slice)" "$(default_slice)"
	is "$(property Delegate)" yes
	has "$(property Description)" "$CT"
	grep -qx "$(pid_of)" "$dir/cgroup.procs" || fail "not in $dir"
	oci delete --force "$CT"
	is_unit_gone "$UNIT" || fail "the unit stays: $(property ActiveState)"
	[ ! -e "$dir" ] || fail "$dir stays"
}

@test "systemd: without linux.cgroupsPath the unit has the id in its name" {
	vm_bundle '.process.args = ["/bin/sleep", "100"]'
	start_it
	has "$(group_dir pids)" "/$(default_slice)/dhow-$CT.scope"
}

@test "systemd: a slice's place is in its name" {
	scope '.linux.cgroupsPath = "dhowvm-a-b.slice:vm:" + $t + "-c"' --arg t "$TAG"
	has "$(group_dir pids)" "/dhowvm.slice/dhowvm-a.slice/dhowvm-a-b.slice/$UNIT"
	is "$(property Slice)" dhowvm-a-b.slice
}

@test "systemd: a name that ends in .slice makes a slice" {
	local slice=dhowvm-${TAG//-/_}.slice
	UNIT=$slice
	scope '.linux.cgroupsPath = "::" + $s | .linux.resources.pids.limit = 40' --arg s "$slice"
	has "$(group_dir pids)" "/dhowvm.slice/$slice"
	is "$(property ActiveState "$slice")" active
	is "$(limit pids pids.max pids.max)" 40
	oci delete --force "$CT"
	is "$(property ActiveState "$slice")" inactive
}

@test "systemd: limits are in the cgroup and in the unit" {
	scope '.linux.resources = {memory: {limit: 67108864, reservation: 33554432}, cpu: {quota: 50000, period: 100000, shares: 512},
		pids: {limit: 30}}'
	is "$(limit memory memory.max memory.limit_in_bytes)" 67108864
	is "$(limit pids pids.max pids.max)" 30
	is "$(property TasksMax)" 30
	is "$(property CPUQuotaPerSecUSec)" 500ms
	if is_pure_v2; then
		is "$(limit cpu cpu.max)" "50000 100000"
		is "$(limit memory memory.low)" 33554432
		is "$(property MemoryMax)" 67108864
		is "$(property MemoryLow)" 33554432
		is "$(property CPUWeight)" "$(limit cpu cpu.weight)"
	else
		is "$(limit cpu '' cpu.cfs_quota_us)" 50000
		is "$(limit cpu '' cpu.shares)" 512
		is "$(property MemoryLimit)" 67108864
		is "$(property CPUShares)" 512
	fi
}

@test "systemd: cpus are allowed in the unit, too" {
	scope '.linux.resources.cpu.cpus = "0"'
	is "$(limit cpuset cpuset.cpus cpuset.cpus)" 0
	! is_pure_v2 || is "$(property AllowedCPUs)" 0
}

@test "systemd: linux.resources.unified becomes properties" {
	need_pure_v2
	scope '.linux.resources.unified = {"memory.high": "50331648", "pids.max": "25", "cpu.weight": "77"}'
	is "$(property MemoryHigh)" 50331648
	is "$(property TasksMax)" 25
	is "$(property CPUWeight)" 77
	is "$(limit memory memory.high)" 50331648
}

@test "systemd: what is too much is refused, and named, and nothing stays" {
	scope_bundle '.linux.resources.unified = {"memory.nonesuch": "1"}'
	refuses unified
	is_unit_gone "$UNIT" || fail "the unit stays"
}

# As after an upgrade of any package with units.
@test "systemd: a daemon-reload leaves limits as they are" {
	scope '.linux.resources = {memory: {limit: 67108864}, cpu: {quota: 55000, period: 100000}, pids: {limit: 31}}'
	manager daemon-reload
	is "$(limit memory memory.max memory.limit_in_bytes)" 67108864
	is "$(limit pids pids.max pids.max)" 31
	if is_pure_v2; then is "$(limit cpu cpu.max)" "55000 100000"
	else is "$(limit cpu '' cpu.cfs_quota_us)" 55000; fi
}

@test "systemd: devices are denied but for the given ones, also after a daemon-reload" {
	need_root
	scope '.linux.resources.devices = [{allow: false, access: "rwm"}, {allow: true, type: "c", major: 10, minor: 229, access: "rw"}] |
		.process.capabilities = {bounding: ["CAP_MKNOD"], effective: ["CAP_MKNOD"], permitted: ["CAP_MKNOD"]} |
		.linux.devices = [{path: "/dev/fuse", type: "c", major: 10, minor: 229}, {path: "/dev/kmsg", type: "c", major: 1, minor: 11}]'
	local round
	for round in before after; do
		oci exec "$CT" /bin/sh -c ': </dev/null && : </dev/fuse' || fail "$round: an allowed one is denied"
		run oci exec "$CT" /bin/sh -c ': </dev/kmsg'
		[ "$status" != 0 ] || fail "$round: a denied one is allowed"
		systemctl daemon-reload
	done
	is "$(property DevicePolicy)" strict
}

@test "systemd: update changes cgroup and unit" {
	scope '.linux.resources = {memory: {limit: 67108864}, pids: {limit: 30}}'
	oci update --memory 134217728 --memory-swap 134217728 --pids-limit 44 --cpu-quota 20000 --cpu-period 100000 "$CT"
	is "$(limit memory memory.max memory.limit_in_bytes)" 134217728
	is "$(limit pids pids.max pids.max)" 44
	is "$(property TasksMax)" 44
	is "$(property CPUQuotaPerSecUSec)" 200ms
	manager daemon-reload
	is "$(limit memory memory.max memory.limit_in_bytes)" 134217728
	is "$(limit pids pids.max pids.max)" 44
	oci update --pids-limit -1 "$CT"
	is "$(limit pids pids.max pids.max)" max
	is "$(property TasksMax)" infinity
}

@test "systemd: exec's process is in the scope" {
	scope
	oci exec --detach "$CT" /bin/sleep 50
	wait_until 5 test "$(oci ps -f json "$CT" | jq length)" = 2
	is "$(wc -l <"$(group_dir pids)/cgroup.procs")" 2
}

@test "systemd: pause, resume, events and kill work" {
	scope '.linux.resources.pids.limit = 30'
	oci pause "$CT"
	is "$(state_of)" paused
	oci resume "$CT"
	is "$(state_of)" running
	is "$(oci events --stats "$CT" | jq .data.pids.limit)" 30
	oci kill "$CT" KILL
	wait_stopped
}

@test "systemd: a run's unit goes when the program ends, and its status is told" {
	vm_bundle 'sh("exit 42") | .linux.cgroupsPath = $p' --arg p ":vm:$TAG-c"
	run_it
	is "$status" 42
	is_unit_gone "vm-$TAG-c.scope" || fail "the unit stays"
}

@test "systemd: an id can be used again, also when the first was killed" {
	scope
	kill_first
	wait_stopped
	oci delete "$CT"
	scope
	is "$(property ActiveState)" active
}

@test "systemd: two containers in one unit are refused, and the first lives on" {
	scope
	local first=$CT pid
	pid=$(pid_of)
	bundle -n second .
	cp "$WORLD/c/config.json" "$BUNDLE/config.json"
	refuses "$UNIT"
	kill -0 "$pid"
	is "$(state_of "$first")" running
	is "$(property ActiveState)" active
}

@test "systemd: delete --force also cleans up when systemd was not told of the end" {
	scope
	kill_first
	wait_stopped
	oci delete --force "$CT"
	is_unit_gone "$UNIT" || fail "the unit stays"
}

@test "systemd: annotations set properties of the unit" {
	scope '.annotations = {"org.systemd.property.TimeoutStopSec": "7", "org.systemd.property.CollectMode": "'"'inactive-or-failed'"'"}'
	is "$(property TimeoutStopUSec)" 7s
	is "$(property CollectMode)" inactive-or-failed
}

@test "systemd: an annotation that is no property is refused, and named" {
	scope_bundle '.annotations = {"org.systemd.property.Nonesuch": "7"}'
	refuses Nonesuch
	scope_bundle '.annotations = {"org.systemd.property.TimeoutStopUSec": "seven"}'
	refuses org.systemd.property.TimeoutStopUSec seven
}

@test "systemd: a path of the other driver's form is refused, and told how it must be" {
	scope_bundle '.linux.cgroupsPath = "/a/b"'
	refuses linux.cgroupsPath SLICE:PREFIX:NAME
	scope_bundle '.linux.cgroupsPath = "../../x.slice:a:b"'
	refuses linux.cgroupsPath
}

@test "systemd: the cgroup namespace's root is the scope" {
	scope 'ns("cgroup")'
	run oci exec "$CT" /bin/cat /proc/self/cgroup
	local line
	while read -r line; do
		case $line in *:/) ;; *) fail "no root: $line" ;; esac
	done <<<"$output"
}

@test "systemd: with a user namespace" {
	need_root
	scope 'userns | .linux.resources.pids.limit = 33'
	is "$(limit pids pids.max pids.max)" 33
	has "$(group_dir pids)" "/$UNIT"
}

@test "systemd: on the hybrid host the container is in each hierarchy, and leaves none behind" {
	is_pure_v2 && skip "one hierarchy here"
	scope
	local line dirs=()
	while IFS=: read -r _ controllers line; do
		has "$line" "/system.slice/$UNIT"
		[ -z "$controllers" ] || dirs+=("/sys/fs/cgroup/${controllers#name=}$line")
	done <"/proc/$(pid_of)/cgroup"
	oci delete --force "$CT"
	for line in "${dirs[@]}"; do [ ! -e "$line" ] || fail "$line stays"; done
}

@test "systemd: where it is not running, the error says so" {
	need_root
	scope_bundle
	run unshare -m sh -c 'mount -t tmpfs none /run/systemd && exec "$@"' sh \
		"$RUNTIME_PATH" --root "$ROOT" --systemd-cgroup run --bundle "$BUNDLE" "$CT"
	is "$status" 1
	has "$output" "systemd is not running"
}

@test "systemd: features tells of it" {
	is "$(oci features | jq -c '[.linux.cgroup.systemd, .linux.cgroup.systemdUser]')" "[true,true]"
}

# On v1 systemd removes all empty cgroups whenever a slice's controllers change: also one that was just made.
@test "systemd: on the hybrid host containers of the other driver start while units come and go" {
	is_pure_v2 && skip "a matter of v1"
	OCI_FLAGS=
	bundle '.process.args = ["/bin/true"] | .linux.resources = {memory: {limit: 67108864}, pids: {limit: 20}}'
	(while [ ! -e "$WORLD/stop" ]; do systemd-run --quiet --scope -p MemoryAccounting=yes -p CPUAccounting=yes -p IOAccounting=yes \
		-p TasksAccounting=yes /bin/true; done) >/dev/null 2>&1 3>&- &
	local i failed=0 others=$!
	for i in {1..20}; do oci run --bundle "$BUNDLE" "$CT" </dev/null || failed=$((failed + 1)); done
	touch "$WORLD/stop"
	wait "$others"
	is "$failed" 0
}
