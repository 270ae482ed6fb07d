# SPDX-License-Identifier: GPL-2.0-or-later
# config.json as an attacker writes it: each is refused in one line with exit 1, and leaves nothing.
load ../helpers

# As refuses, for a file that jq would not write.
refused()
{
	run timeout 20 "$RUNTIME_PATH" --root "$ROOT" run --bundle "$BUNDLE" "$CT" </dev/null 3>&- 4>&-
	[ "$status" = 1 ] || fail "$1: exit $status: ${output:0:300}"
	[ "$(wc -l <<<"$output")" = 1 ] || fail "$1: not one line: ${output:0:600}"
	[ "${#output}" -lt 3000 ] || fail "$1: an error of ${#output} bytes"
	if LC_ALL=C grep -q $'[\x01-\x08\x0b-\x1f\x7f]' <<<"$output"; then fail "$1: control characters in the error"; fi
	[ ! -e "$ROOT/$CT" ] || fail "$1: state was left behind"
	no_cgroups_left || fail "$1: left $(cgroups_left)"
}

written() { printf "$@" >"$BUNDLE/config.json"; }
repeat() { printf "$1%.0s" $(seq "$2"); }

@test "config.json: what is no JSON, not complete, or something else" {
	local text
	bundle
	for text in '' ' ' '{' '[]' '"x"' 'null' '7' '{}' '{"ociVersion"}' '{"ociVersion":"1.0.0",}' '{"a":1}{"b":2}' '{"ociVersion":"1.0.2"} x' \
		'{"ociVersion":"1.0.2","process":null}' '\xff\xfe{}' '{"\xc3\x28":1}' '{"ociVersion":"\xff"}' '{"a":"\\ud800"}' '{"a":NaN}' '{"a":01}' \
		'{"a":"\x01"}' '{"\\u0000":1}' '{"ociVersion":"1\\u00000"}'; do
		written "${text//%/%%}"
		refused "$text"
	done
}

@test "config.json: deep, endless and empty nesting" {
	bundle
	repeat '[' 100000 >"$BUNDLE/config.json"
	refused "brackets"
	repeat '{"a":' 100000 >"$BUNDLE/config.json"
	refused "braces"
	{ printf '{"ociVersion":"1.0.2","annotations":'; repeat '{"a":' 3000; printf 1; repeat '}' 3000; printf '}'; } >"$BUNDLE/config.json"
	refused "annotations"
	{ printf '{"linux":'; repeat '[' 2000; repeat ']' 2000; printf '}'; } >"$BUNDLE/config.json"
	refused "linux"
}

@test "config.json: a FIFO, a device, a directory, a link to nowhere, a huge file, no rights" {
	bundle
	rm "$BUNDLE/config.json"
	refused "none"
	mkfifo "$BUNDLE/config.json"
	refused "FIFO"
	rm "$BUNDLE/config.json"
	mkdir "$BUNDLE/config.json"
	refused "directory"
	rmdir "$BUNDLE/config.json"
	ln -s /dev/zero "$BUNDLE/config.json"
	refused "endless"
	ln -sfn none "$BUNDLE/config.json"
	refused "dangling"
	rm "$BUNDLE/config.json"
	truncate -s 20G "$BUNDLE/config.json"
	refused "huge"
}

@test "config.json: each value of another type is an error that names it" {
	local line
	bundle 'userns | .process.oomScoreAdj = 1 | .linux.resources = {memory: {limit: 1}, pids: {limit: 1}} | .linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: []}
		| .linux.devices = [{path: "/dev/a", type: "c", major: 1, minor: 1}] | .process.rlimits = [{type: "RLIMIT_CORE", soft: 1, hard: 1}] | .annotations = {a: "b"}
		| .hooks = {prestart: [{path: "/x"}]} | .linux.sysctl = {"net.a": "b"} | .linux.maskedPaths = ["/x"] | .process.capabilities.ambient = []'
	cp "$BUNDLE/config.json" "$WORLD/good"
	# Every place of the configuration in turn, scalars and containers.
	jq -c '. as $good | [paths] | .[] | select(map(type == "number" and . > 0) | any | not)
		| select(. != ["process", "terminal"] and . != ["ociVersion"]) | . as $p | $good
		| setpath($p; getpath($p) | if type == "object" then [7] elif type == "array" then {x: 7} elif type == "string" then {x: []}
			elif type == "number" then "seven" else "x" end)' "$WORLD/good" >"$WORLD/all"
	[ "$(wc -l <"$WORLD/all")" -gt 60 ] || fail "too few places"
	while read -r line; do
		printf '%s\n' "$line" >"$BUNDLE/config.json"
		refused "$line"
	done <"$WORLD/all"
}

@test "config.json: numbers out of range" {
	local path value
	bundle '.process.rlimits = [{type: "RLIMIT_CORE", soft: 0, hard: 0}] | .linux.devices = [{path: "/dev/a", type: "c", major: 1, minor: 1}] | userns
		| .hooks.prestart = [{path: "/bin/true"}]'
	for path in .process.user.uid .process.user.umask .process.oomScoreAdj '.process.rlimits[0].hard' .linux.resources.pids.limit .linux.resources.cpu.shares \
		.linux.devices[0].major .linux.devices[0].fileMode .linux.uidMappings[0].size .linux.resources.memory.swappiness .hooks.prestart[0].timeout; do
		jq "$path = \"@@\"" "$BUNDLE/config.json" >"$WORLD/template"
		cp "$BUNDLE/config.json" "$WORLD/good"
		for value in -99999999999 1e400 99999999999999999999999 1.5 -1e5; do
			sed "s/\"@@\"/$value/" "$WORLD/template" >"$BUNDLE/config.json"
			refused "$path = $value"
		done
		cp "$WORLD/good" "$BUNDLE/config.json"
	done
}

@test "config.json: text with newlines and escapes stays one line of error" {
	local path
	for path in .process.args[0] .process.cwd .root.path .mounts[0].destination .mounts[0].type .linux.namespaces[0].type .linux.cgroupsPath \
		.process.rlimits[0].type .linux.devices[0].type .hooks.prestart[0].path .linux.seccomp.defaultAction .process.capabilities.bounding[0] .linux.rootfsPropagation .ociVersion; do
		bundle '.process.rlimits = [{type: "RLIMIT_CORE", soft: 0, hard: 0}] | .linux.devices = [{path: "/dev/a", type: "c", major: 1, minor: 1}] | .hooks.prestart = [{path: "/none"}]'
		config "$path = \"/a\\nlevel=info msg=forged\\u001b[2J\\u0007\""
		[ "$path" != .linux.cgroupsPath ] || config '.linux.cgroupsPath = "/"'
		[ "$path" != .process.capabilities.bounding[0] ] || config '.process.args = ["/none"]'
		refused "$path"
	done
}

@test "config.json: paths with .. stay inside, or are refused" {
	mkdir "$WORLD/host"
	bundle '.linux.cgroupsPath = "/../../../../../../../tmp/\($t)-up" | mnt("/../../../x"; "tmpfs"; "tmpfs"; []) | .process.cwd = "/../../y" | sh("pwd; grep -c \" /x \" /proc/self/mounts")' --arg t "$TAG"
	run_ok
	is "$output" $'/y\n1'
	[ ! -e "/tmp/$TAG-up" ] || fail "a directory outside the cgroups"
	[ ! -e "$WORLD/x" ] && [ ! -e "$WORLD/y" ]
	bundle '.linux.cgroupsPath = "/.."'
	refuses cgroup
	bundle '.linux.sysctl = {"net.//.kernel.core_pattern": "x"}'
	refuses sysctl
	bundle '.linux.sysctl = {"net/../kernel/core_pattern": "x"}'
	refuses sysctl
	bundle '.linux.sysctl = {"kernel.core_pattern": "x"}'
	refuses sysctl
	bundle '.linux.devices = [{path: "/dev/../../../x", type: "c", major: 1, minor: 3}]'
	run_it
	[ ! -e "$WORLD/x" ]
}

@test "config.json: of two members with one name the last counts, as for everybody else, or it is refused" {
	bundle 'sh("echo last")'
	sed -i '0,/"process":/s//"process": {"args": ["\/bin\/false"], "cwd": "\/"}, "process":/' "$BUNDLE/config.json"
	run_it
	[ "$status" = 1 ] || is "$output" last
}

@test "config.json: a huge environment, argument list and annotations are an error or work, within bounds" {
	bundle 'sh("echo ${#BIG}") | .process.env += ["BIG=" + ("x" * 100000)] | .annotations = ([range(2000)] | map({key: "a\(.)", value: ("y" * 100)}) | from_entries)'
	run_ok
	is "$output" 100000
	bundle '.process.args = ["/bin/sleep", "100"] | .annotations.big = ("é" * 700000)'
	create_try
	[ "$status" = 1 ] || is "$(state_of)" created
	oci delete --force "$CT"
	bundle 'sh("true") | .process.env += ["BIG=" + ("x" * 200000)]'
	refused "one variable"
	bundle 'sh("true") | .process.env += ([range(30000)] | map("V\(.)=" + ("x" * 100)))'
	refused "many variables"
	bundle 'sh("true") | .annotations = ([range(20000)] | map({key: "a\(.)", value: ("y" * 300)}) | from_entries)'
	refused "annotations"
}
