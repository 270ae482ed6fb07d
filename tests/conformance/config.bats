# SPDX-License-Identifier: GPL-2.0-or-later
# config.json as untrusted input: one clear line that names the field, exit 1, nothing left behind. For dhow-oci;
# of a peer only a refusal is asked.
load ../helpers

# Writes config.json as given, byte for byte.
raw()
{
	bundle
	cat >"$BUNDLE/config.json"
}

# each_wrong FILTER...: every one of these edits of the configuration is refused, naming the word before the colon.
each_wrong()
{
	local pair n=0 WRONG=()
	for pair in "$@"; do
		n=$((n + 1))
		bundle -n "w$n" "${pair#*: }"
		run_it
		[ "$status" -ne 0 ] || { WRONG+=("accepted: $pair"); continue; }
		is_dhow || { PEER_REFUSED=1; continue; }
		[ "$status" = 1 ] || WRONG+=("exit $status: $pair")
		[ "$(wc -l <<<"$output")" = 1 ] || WRONG+=("not one line: $pair: $output")
		[[ $output == *"${pair%%: *}"* ]] || WRONG+=("not named: $pair: $output")
		[ ! -e "$ROOT/$CT" ] || WRONG+=("left behind: $pair")
	done
	[ ${#WRONG[@]} = 0 ] || fail "${WRONG[@]}"
}

need_dhow() { is_dhow || skip "peers let some through"; }

@test "config: ociVersion is required" {
	bundle 'del(.ociVersion)'
	refuses ociVersion
}

@test "config: ociVersion 1.0.0, 1.1.0, 1.2.1 and 1.3.0 are understood" {
	local version
	for version in 1.0.0 1.0.2-dev 1.1.0 1.2.1 1.3.0; do
		bundle '.ociVersion = $v' --arg v "$version"
		run_it
		[ "$status" = 0 ] || fail "$version: $output"
	done
}

@test "config: ociVersion of another major number, or none at all, is refused" {
	need_dhow
	each_wrong 'ociVersion: .ociVersion = "2.0.0"' 'ociVersion: .ociVersion = "one"' 'ociVersion: .ociVersion = ""' \
		'ociVersion: .ociVersion = "1.0.0/../x"'
}

@test "config: unknown fields are let be" {
	runs_sh 'echo fine' '.futureField = {a: [1]} | .process.future = 1 | .linux.future = "x"'
	is "$output" fine
}

@test "config: not JSON is refused" {
	raw <<<']'
	refuses config.json
	raw <<<'{"ociVersion": "1.0.2", }'
	refuses config.json
	raw <<<'{"ociVersion": "1.0.2"'
	refuses config.json
}

@test "config: an empty file is refused" {
	raw </dev/null
	refuses config.json
}

@test "config: an array, a string, null are refused" {
	local text
	for text in '[]' '"x"' null 7; do
		raw <<<"$text"
		refuses config.json
	done
}

@test "config: text after the object is refused" {
	is_dhow || [ "$RUNTIME_NAME" = runc ] || skip "crun reads the first object only"
	bundle
	echo '{}' >>"$BUNDLE/config.json"
	is_dhow || skip "peers read the first object only"
	refuses config.json
}

@test "config: a NUL in a string is refused" {
	need_dhow
	bundle
	sed -i 's|"/bin/true"|"/bin/true\\u0000x"|' "$BUNDLE/config.json"
	refuses 'config.json'
}

@test "config: a raw NUL byte is refused" {
	bundle
	printf '\0' >>"$BUNDLE/config.json"
	need_dhow
	refuses config.json
}

@test "config: text that is no UTF-8 is refused" {
	need_dhow
	bundle
	printf '{"ociVersion": "1.0.2", "hostname": "\xff\xfe"}' >"$BUNDLE/config.json"
	refuses config.json
}

@test "config: a key twice is refused, or the last counts" {
	raw <<<'{"ociVersion": "9.0.0", "ociVersion": "1.0.2", "root": {"path": "rootfs"}}'
	run_it
	[ "$status" -ne 0 ]
	is_dhow || PEER_REFUSED=1
}

@test "config: a hundred thousand levels deep is refused" {
	bundle
	{ printf '{"ociVersion": "1.0.2", "x": '; head -c 100000 /dev/zero | tr '\0' '['; } >"$BUNDLE/config.json"
	refuses config.json
}

@test "config: a hundred megabytes are refused without reading them" {
	need_dhow
	bundle
	{ printf '{"ociVersion": "1.0.2", "x": "'; head -c 100000000 /dev/zero | tr '\0' 'a'; printf '"}'; } >"$BUNDLE/config.json"
	local begin=$SECONDS
	refuses config.json
	[ $((SECONDS - begin)) -lt 3 ]
}

@test "config: a directory, a fifo, a device in its place are refused, and don't hang" {
	bundle
	rm "$BUNDLE/config.json"
	mkdir "$BUNDLE/config.json"
	refuses config.json
	need_dhow
	rmdir "$BUNDLE/config.json"
	mkfifo "$BUNDLE/config.json"
	run timeout 5 "$RUNTIME_PATH" --root "$ROOT" run --bundle "$BUNDLE" "$CT" 3>&- </dev/null
	is "$status" 1
	rm "$BUNDLE/config.json"
	ln -s /dev/zero "$BUNDLE/config.json"
	run timeout 5 "$RUNTIME_PATH" --root "$ROOT" run --bundle "$BUNDLE" "$CT" 3>&- </dev/null
	is "$status" 1
}

@test "config: many thousand entries are no problem, or refused" {
	bundle '.annotations = ([range(20000) | {key: "k\(.)", value: "v"}] | from_entries)'
	run_it
	[ "$status" = 0 ] || refuses annotations
}

@test "config: an environment and arguments that the kernel can't take are refused" {
	bundle '.process.env += ["BIG=" + ("x" * 3000000)]'
	run_it
	[ "$status" -ne 0 ]
	is_dhow || PEER_REFUSED=1
}

@test "config: each required field, when absent, is named" {
	need_dhow
	each_wrong 'root: del(.root)' \
		'root.path: del(.root.path)' \
		'process.cwd: del(.process.cwd)' \
		'process.args: del(.process.args)' \
		'mounts[0].destination: del(.mounts[0].destination)' \
		'linux.namespaces[0].type: del(.linux.namespaces[0].type)' \
		'hooks.poststop[0].path: .hooks.poststop = [{}]' \
		'linux.devices[0].path: .linux.devices = [{type: "c", major: 1, minor: 3}]' \
		'linux.devices[0].type: .linux.devices = [{path: "/dev/x", major: 1, minor: 3}]' \
		'linux.seccomp.syscalls[0].names: .linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{action: "SCMP_ACT_ERRNO"}]}' \
		'linux.seccomp.syscalls[0].action: .linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["getcpu"]}]}' \
		'linux.seccomp.syscalls[0].args[0].index: .linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["getcpu"], action: "SCMP_ACT_ERRNO", args: [{value: 1, op: "SCMP_CMP_EQ"}]}]}' \
		'linux.seccomp.syscalls[0].args[0].value: .linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["getcpu"], action: "SCMP_ACT_ERRNO", args: [{index: 1, op: "SCMP_CMP_EQ"}]}]}' \
		'linux.seccomp.syscalls[0].args[0].op: .linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["getcpu"], action: "SCMP_ACT_ERRNO", args: [{index: 1, value: 1}]}]}' \
		'linux.resources.hugepageLimits[0].limit: .linux.resources.hugepageLimits = [{pageSize: "2MB"}]' \
		'linux.resources.hugepageLimits[0].pageSize: .linux.resources.hugepageLimits = [{limit: 1}]' \
		'linux.resources.network.priorities[0].name: .linux.resources.network.priorities = [{priority: 1}]' \
		'linux.resources.network.priorities[0].priority: .linux.resources.network.priorities = [{name: "lo"}]' \
		'linux.resources.blockIO.weightDevice[0].major: .linux.resources.blockIO.weightDevice = [{minor: 1}]' \
		'linux.resources.blockIO.throttleReadBpsDevice[0].minor: .linux.resources.blockIO.throttleReadBpsDevice = [{major: 1}]'
}

@test "config: each field with a wrong type is named" {
	need_dhow
	each_wrong 'ociVersion: .ociVersion = 1' \
		'root: .root = "rootfs"' \
		'root.path: .root.path = 1' \
		'root.readonly: .root.readonly = "yes"' \
		'hostname: .hostname = 1' \
		'domainname: .domainname = []' \
		'mounts: .mounts = {}' \
		'mounts[0]: .mounts[0] = "x"' \
		'mounts[0].options: .mounts[0].options = "ro"' \
		'mounts[1].options[0]: .mounts[1].options[0] = 1' \
		'mounts[0].uidMappings: .mounts[0].uidMappings = "x"' \
		'process: .process = []' \
		'process.args: .process.args = "sh"' \
		'process.args[0]: .process.args = [1]' \
		'process.env[0]: .process.env = [{}]' \
		'process.cwd: .process.cwd = 1' \
		'process.terminal: .process.terminal = "true"' \
		'process.consoleSize: .process.consoleSize = 5' \
		'process.user: .process.user = "root"' \
		'process.user.uid: .process.user.uid = "0"' \
		'process.user.gid: .process.user.gid = 1.5' \
		'process.user.umask: .process.user.umask = "022"' \
		'process.user.additionalGids[0]: .process.user.additionalGids = ["wheel"]' \
		'process.capabilities: .process.capabilities = ["CAP_KILL"]' \
		'process.capabilities.bounding: .process.capabilities.bounding = "CAP_KILL"' \
		'process.rlimits: .process.rlimits = {}' \
		'process.rlimits[0].soft: .process.rlimits = [{type: "RLIMIT_CORE", soft: "1", hard: 1}]' \
		'process.noNewPrivileges: .process.noNewPrivileges = 1' \
		'process.oomScoreAdj: .process.oomScoreAdj = "1"' \
		'process.scheduler: .process.scheduler = "SCHED_OTHER"' \
		'process.ioPriority: .process.ioPriority = 1' \
		'process.execCPUAffinity: .process.execCPUAffinity = "0"' \
		'process.apparmorProfile: .process.apparmorProfile = 1' \
		'process.selinuxLabel: .process.selinuxLabel = 1' \
		'hooks: .hooks = []' \
		'hooks.prestart: .hooks.prestart = {}' \
		'hooks.prestart[0].timeout: .hooks.prestart = [{path: "/bin/true", timeout: "1"}]' \
		'hooks.prestart[0].args: .hooks.prestart = [{path: "/bin/true", args: "x"}]' \
		'annotations: .annotations = []' \
		'linux: .linux = []' \
		'linux.namespaces: .linux.namespaces = {}' \
		'linux.uidMappings: userns | .linux.uidMappings = {}' \
		'linux.uidMappings[0].size: userns | .linux.uidMappings[0].size = "1"' \
		'linux.timeOffsets: ns("time") | .linux.timeOffsets = []' \
		'linux.timeOffsets.boottime.secs: ns("time") | .linux.timeOffsets = {boottime: {secs: "1"}}' \
		'linux.devices: .linux.devices = {}' \
		'linux.devices[0].major: .linux.devices = [{path: "/dev/x", type: "c", major: "1", minor: 3}]' \
		'linux.netDevices: .linux.netDevices = []' \
		'linux.cgroupsPath: .linux.cgroupsPath = 1' \
		'linux.resources: .linux.resources = []' \
		'linux.resources.memory.limit: .linux.resources.memory.limit = "1m"' \
		'linux.resources.memory.swappiness: .linux.resources.memory.swappiness = -1' \
		'linux.resources.cpu.shares: .linux.resources.cpu.shares = -1' \
		'linux.resources.cpu.cpus: .linux.resources.cpu.cpus = 0' \
		'linux.resources.pids.limit: .linux.resources.pids.limit = "1"' \
		'linux.resources.rdma.mlx5_1.hcaHandles: .linux.resources.rdma = {mlx5_1: {hcaHandles: "not a uint32"}}' \
		'linux.resources.unified: .linux.resources.unified = []' \
		'linux.resources.devices: .linux.resources.devices = {}' \
		'linux.rootfsPropagation: .linux.rootfsPropagation = 1' \
		'linux.seccomp: .linux.seccomp = []' \
		'linux.seccomp.syscalls: .linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: {}}' \
		'linux.sysctl: .linux.sysctl = []' \
		'linux.sysctl: .linux.sysctl = {"kernel.msgmax": 1}' \
		'linux.maskedPaths: .linux.maskedPaths = "/x"' \
		'linux.readonlyPaths[0]: .linux.readonlyPaths = [1]' \
		'linux.mountLabel: .linux.mountLabel = 1' \
		'linux.intelRdt: .linux.intelRdt = 1' \
		'linux.memoryPolicy: .linux.memoryPolicy = 1' \
		'linux.personality: .linux.personality = "LINUX32"'
}

@test "config: each field out of range is named" {
	need_dhow
	each_wrong 'process.user.uid: .process.user.uid = 4294967296' \
		'process.user.uid: .process.user.uid = -1' \
		'process.user.gid: .process.user.gid = 4294967296' \
		'process.user.additionalGids[0]: .process.user.additionalGids = [-5]' \
		'process.oomScoreAdj: .process.oomScoreAdj = -1001' \
		'process.consoleSize.height: .process.terminal = true | .process.consoleSize = {height: 100000, width: 1}' \
		'process.scheduler.nice: .process.scheduler = {policy: "SCHED_OTHER", nice: 99}' \
		'process.ioPriority.priority: .process.ioPriority = {class: "IOPRIO_CLASS_BE", priority: 8}' \
		'linux.uidMappings[0]: userns | .linux.uidMappings[0].size = 0' \
		'linux.uidMappings[0]: userns | .linux.uidMappings[0].hostID = 4294967295' \
		'linux.devices[0].fileMode: .linux.devices = [{path: "/dev/x", type: "c", major: 1, minor: 3, fileMode: 99999}]' \
		'linux.timeOffsets.boottime.nanosecs: ns("time") | .linux.timeOffsets = {boottime: {nanosecs: 1000000000}}' \
		'linux.resources.blockIO.weight: .linux.resources.blockIO.weight = 70000' \
		'linux.resources.network.classID: .linux.resources.network.classID = 4294967296'
}

@test "config: a number too large for 64 bits is refused, and named" {
	need_dhow
	bundle '.process.oomScoreAdj = 7'
	sed -i 's/"oomScoreAdj": 7/"oomScoreAdj": 99999999999999999999999999/' "$BUNDLE/config.json"
	run_it
	is "$status" 1
	bundle -n f '.process.user.uid = 7'
	sed -i 's/"uid": 7/"uid": 7.5/' "$BUNDLE/config.json"
	refuses process.user.uid
}

@test "config: errors name the place in one line that begins as every error does" {
	need_dhow
	bundle '.process.user.uid = "zero"'
	run_it
	is "$status" 1
	is "${#lines[@]}" 1
	like "$output" 'process\.user\.uid'
}

@test "config: newlines and escapes in values don't reach the error raw" {
	need_dhow
	bundle '.linux.namespaces += [{type: "a\nb\u001b[31mc"}]'
	run_it
	is "${#lines[@]}" 1
	hasnt "$output" $'\e'
}

@test "config: after many refused bundles nothing is left" {
	local n
	for n in 1 2 3 4 5; do
		bundle '.linux.sysctl = {"net.ipv4.no_such_thing": "1"}'
		run_it
		[ "$status" -ne 0 ]
	done
	is_dhow || PEER_REFUSED=1
	[ -z "$(ls -A "$ROOT" 2>/dev/null | grep "$TAG")" ] || ! is_dhow
}
