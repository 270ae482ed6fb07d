# SPDX-License-Identifier: GPL-2.0-or-later
# features, spec, the global flags, and linux.intelRdt, checkpoint and restore as far as this host goes.
load ../helpers

feature() { oci features | jq -r "$1"; }

@test "features: versions" {
	like "$(feature .ociVersionMin)" '^1\.0\.'
	like "$(feature .ociVersionMax)" '^1\.[23]\.'
}

@test "features.hooks: all six" {
	is "$(feature '.hooks | sort | join(" ")')" "createContainer createRuntime poststart poststop prestart startContainer"
}

@test "features.mountOptions: those of the specification" {
	local option all
	all=" $(feature '.mountOptions | join(" ")') "
	for option in async atime bind defaults dev diratime dirsync exec idmap iversion lazytime loud noatime nodev \
		nodiratime noexec noiversion nolazytime norelatime nostrictatime nosuid nosymfollow private ratime rbind rdev \
		rdiratime relatime remount rexec ridmap rnoatime rnodev rnodiratime rnoexec rnorelatime rnostrictatime rnosuid \
		rnosymfollow ro rprivate rrelatime rro rrw rshared rslave rstrictatime rsuid rsymfollow runbindable rw shared \
		silent slave strictatime suid symfollow sync tmpcopyup unbindable; do
		has "$all" " $option "
	done
}

@test "features.linux.namespaces: all eight" {
	is "$(feature '.linux.namespaces | sort | join(" ")')" "cgroup ipc mount network pid time user uts"
}

@test "features.linux.capabilities: those of the kernel" {
	has "$(feature '.linux.capabilities | join(" ")')" CAP_CHECKPOINT_RESTORE
	is "$(feature '.linux.capabilities | length')" $(($(cat /proc/sys/kernel/cap_last_cap) + 1))
}

@test "features.linux.cgroup: versions, systemd and rdma" {
	is "$(feature '.linux.cgroup | "\(.v1) \(.v2)"')" "true true"
	# A build of dhow-oci that is not installed has no program for systemd beside it, and says so.
	like "$(feature '.linux.cgroup | "\(.systemd) \(.systemdUser)"')" '^(true true|false false)$'
	is_dhow || return 0
	is "$(feature .linux.cgroup.rdma)" true
}

# What the features document must have, and of which type.
@test "features: the fields are of the types that the specification asks for" {
	is "$(feature '[.ociVersionMin, .ociVersionMax] | map(type) | unique | join(" ")')" string
	is "$(feature '[(.hooks, .mountOptions, .linux.namespaces, .linux.capabilities, .linux.seccomp.actions,
		.linux.seccomp.operators, .linux.seccomp.archs)[] | type] | unique | join(" ")')" string
	is "$(feature '[.linux.seccomp.enabled, .linux.apparmor.enabled, .linux.selinux.enabled, .linux.cgroup[]] |
		map(type) | unique | join(" ")')" boolean
	is "$(feature '[.annotations[]] | map(type) | unique | join(" ")')" string
}

@test "features.potentiallyUnsafeConfigAnnotations: are told" {
	[ "$(feature .potentiallyUnsafeConfigAnnotations)" != null ] || { ! is_dhow; skip "this runtime is older than the field"; }
	has "$(feature '.potentiallyUnsafeConfigAnnotations | join(" ")')" org.systemd.property.
}

@test "features.linux.intelRdt: schemata and monitoring" {
	[ "$(feature .linux.intelRdt.schemata)" != null ] || { ! is_dhow; skip "this runtime is older than the field"; }
	is "$(feature '.linux.intelRdt | "\(.enabled) \(.schemata) \(.monitoring)"')" "true true true"
}

@test "features.linux.seccomp: actions, operators, archs and flags" {
	is "$(feature .linux.seccomp.enabled)" true
	is "$(feature '.linux.seccomp.actions | sort | join(" ")')" \
		"SCMP_ACT_ALLOW SCMP_ACT_ERRNO SCMP_ACT_KILL SCMP_ACT_KILL_PROCESS SCMP_ACT_KILL_THREAD SCMP_ACT_LOG SCMP_ACT_NOTIFY SCMP_ACT_TRACE SCMP_ACT_TRAP"
	is "$(feature '.linux.seccomp.operators | length')" 7
	has "$(feature '.linux.seccomp.archs | join(" ")')" SCMP_ARCH_X86_64
	has "$(feature '.linux.seccomp.knownFlags | join(" ")')" SECCOMP_FILTER_FLAG_TSYNC
	has "$(feature '.linux.seccomp.supportedFlags | join(" ")')" SECCOMP_FILTER_FLAG_LOG
}

@test "features.linux: apparmor, selinux, intelRdt, mountExtensions and netDevices" {
	like "$(feature .linux.apparmor.enabled)" 'true|false'
	like "$(feature .linux.selinux.enabled)" 'true|false'
	like "$(feature .linux.intelRdt.enabled)" 'true|false'
	is "$(feature .linux.mountExtensions.idmap.enabled)" true
	is "$(feature .linux.netDevices.enabled)" true
}

@test "features.linux.memoryPolicy: modes and flags" {
	[ "$(feature .linux.memoryPolicy)" != null ] || skip "features does not tell"
	has "$(feature '.linux.memoryPolicy.modes | join(" ")')" MPOL_BIND
	has "$(feature '.linux.memoryPolicy.flags | join(" ")')" MPOL_F_STATIC_NODES
}

@test "spec: the default configuration runs" {
	bundle
	cd "$BUNDLE"
	rm config.json
	oci spec
	is "$(jq -r '.process.args | join(" ")' config.json)" sh
	is "$(jq -r .process.terminal config.json)" true
	is "$(jq -r .root.path config.json)" rootfs
	config '.process.args = ["/bin/echo", "ran"] | .process.terminal = false | del(.process.rlimits)'
	run_ok
	is "$output" ran
}

@test "spec: with its own rlimits it runs, too, without CAP_SYS_RESOURCE" {
	bundle
	cd "$BUNDLE"
	rm config.json
	oci spec
	config '.process.args = ["/bin/echo", "ran"] | .process.terminal = false'
	run_ok
	is "$output" ran
}

@test "spec: an existing config.json is not overwritten" {
	bundle
	cd "$BUNDLE"
	run oci spec
	[ "$status" -ne 0 ]
	is "$(jq -r .hostname config.json)" conformance
}

@test "spec --bundle: writes there" {
	mkdir "$WORLD/there"
	oci spec --bundle "$WORLD/there"
	jq -e .ociVersion "$WORLD/there/config.json"
}

@test "spec --rootless: has a user namespace and mappings" {
	mkdir "$WORLD/there"
	cd "$WORLD/there"
	oci spec --rootless
	is "$(jq -r '[.linux.namespaces[].type] | index("user") != null' config.json)" true
	is "$(jq -r '.linux.uidMappings | length' config.json)" 1
}

@test "global --log: errors go into the file" {
	run oci --log "$WORLD/log" state "$TAG-none"
	[ "$status" -ne 0 ]
	has "$(cat "$WORLD/log")" exist
}

@test "global --log-format json: records with level, msg and time" {
	run oci --log "$WORLD/log" --log-format json state "$TAG-none"
	[ "$status" -ne 0 ]
	is "$(tail -n 1 "$WORLD/log" | jq -r .level)" error
	has "$(tail -n 1 "$WORLD/log" | jq -r .msg)" exist
	like "$(tail -n 1 "$WORLD/log" | jq -r .time)" '^20[0-9]{2}-'
}

@test "global --log-format: an unknown one is refused" {
	run oci --log-format xml list
	[ "$status" -ne 0 ]
}

@test "global --debug: works" {
	bundle 'sh("echo ran")'
	run oci --debug --log "$WORLD/log" run --bundle "$BUNDLE" "$CT" </dev/null
	is "$output" ran
}

@test "global --version: names specification and version" {
	run "$RUNTIME_PATH" --version 3>&-
	is "$status" 0
	like "$output" 'spec: +1\.'
}

@test "global --help: lists the commands" {
	run "$RUNTIME_PATH" --help 3>&-
	is "$status" 0
	for name in create delete events exec kill list pause ps resume run spec start state update; do
		like "$output" "(^|[[:space:]])$name"
	done
}

@test "global: an unknown command or flag is an error" {
	run oci frobnicate
	[ "$status" -ne 0 ]
	run oci list --frobnicate
	[ "$status" -ne 0 ]
	run oci --frobnicate list
	[ "$status" -ne 0 ]
}

@test "global --root: containers of another root are not seen" {
	sleeper
	run "$RUNTIME_PATH" --root "$WORLD/other" list --quiet 3>&-
	is "$output" ""
	run "$RUNTIME_PATH" --root "$WORLD/other" state "$CT" 3>&-
	[ "$status" -ne 0 ]
}

@test "global --rootless: is accepted" {
	bundle 'sh("echo ran")'
	run oci --rootless false run --bundle "$BUNDLE" "$CT" </dev/null
	is "$output" ran
}

@test "linux.intelRdt: closID and schemata" {
	[ -d /sys/fs/resctrl/info ] || skip "no resctrl on this host"
	sleeper '.linux.intelRdt = {closID: $t, l3CacheSchema: "L3:0=f"}' --arg t "$TAG"
	has "$(cat "/sys/fs/resctrl/$TAG/schemata")" "L3:0=f"
	has "$(cat "/sys/fs/resctrl/$TAG/tasks")" "$(pid_of)"
}

@test "linux.intelRdt: without the kernel's support it is refused" {
	[ ! -d /sys/fs/resctrl/info ] || skip "this host has resctrl"
	bundle '.linux.intelRdt = {closID: "group", l3CacheSchema: "L3:0=f"}'
	refuses intelRdt
}

@test "linux.intelRdt.enableMonitoring: a group of its own in the class" {
	[ -d /sys/fs/resctrl/mon_groups ] || skip "no resctrl with monitoring on this host"
	sleeper '.linux.intelRdt = {closID: "/", enableMonitoring: true}'
	has "$(cat "/sys/fs/resctrl/mon_groups/$CT/tasks")" "$(pid_of)"
}

@test "linux.intelRdt: each field asks for the kernel's support" {
	[ ! -d /sys/fs/resctrl/info ] || skip "this host has resctrl"
	local field
	for field in '{closID: "/"}' '{schemata: ["L3:0=f"]}' '{memBwSchema: "MB:0=20"}' '{enableMonitoring: true}' '{enableCMT: true}' \
		'{enableMBM: true}'; do
		is_dhow || [[ $field != *schemata* && $field != *Monitoring* ]] || continue
		bundle ".linux.intelRdt = $field"
		refuses "no resctrl"
	done
}

@test "linux.intelRdt: a schema of more than one line is refused" {
	bundle '.linux.intelRdt = {memBwSchema: "MB:0=20\nMB:1=30"}'
	refuses intelRdt.memBwSchema
	is_dhow || return 0
	bundle '.linux.intelRdt = {schemata: ["L3:0=f\nMB:0=20"]}'
	refuses "intelRdt.schemata[0]"
}

@test "linux.intelRdt: a closID that leaves the directory is refused" {
	local name
	for name in .. . a/b; do
		bundle '.linux.intelRdt = {closID: $n}' --arg n "$name"
		refuses intelRdt
	done
}

@test "linux.intelRdt: a memBwSchema in another shape is refused" {
	bundle '.linux.intelRdt = {memBwSchema: "L3:0=f"}'
	refuses intelRdt.memBwSchema
}

@test "checkpoint: without CRIU, or where it fails, it is a clear error and the container runs on" {
	command -v criu >/dev/null && skip "CRIU is here; see the tests with it"
	sleeper
	run oci checkpoint --image-path "$WORLD/image" "$CT"
	[ "$status" -ne 0 ]
	is_dhow && has "${output,,}" criu
	is "$(state_of)" running
}

@test "checkpoint and restore: a container goes on" {
	command -v criu >/dev/null || skip "no CRIU on this host"
	criu check >/dev/null 2>&1 || skip "CRIU does not work on this host"
	bundle 'sh("n=0; while :; do n=$((n + 1)); echo $n >/tmp/n; sleep 0.02; done") | mnt("/tmp"; "tmpfs"; "tmpfs"; [])'
	start_it
	run oci checkpoint --image-path "$WORLD/image" "$CT"
	[ "$status" = 0 ] || fail "$output"
	run oci restore --detach --image-path "$WORLD/image" --bundle "$BUNDLE" "$CT" </dev/null
	[ "$status" = 0 ] || fail "$output"
	is "$(state_of)" running
}

@test "global --debug: each change to the kernel's state is a line of JSON" {
	is_dhow || skip "only dhow-oci has a trace point"
	bundle 'sh("exit 0")'
	oci --debug --log "$WORLD/steps" run --bundle "$BUNDLE" "$CT" </dev/null
	local step
	for step in mkdir clone3 pivot_root execve rmdir; do
		jq -se --arg step "$step" 'any(.[]; .call == $step and .ret >= 0)' "$WORLD/steps" >"$WORLD/found" ||
			fail "no step $step in: $(cat "$WORLD/steps")"
	done
}
