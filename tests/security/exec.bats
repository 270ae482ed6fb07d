# SPDX-License-Identifier: GPL-2.0-or-later
# exec and joined namespaces where the container's processes are hostile: CVE-2016-9962, CVE-2016-3697, CVE-2026-30892.
load ../helpers

ALL='["CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH", "CAP_SYS_PTRACE", "CAP_SYS_ADMIN", "CAP_KILL", "CAP_SETUID", "CAP_SETGID"]'

with_attacker() { cp "$DHOW_TESTS_BASE/attacker" "$WORLD/$1/rootfs/attacker"; }

# The attacker saw programs of the container, and nothing else.
saw_only_programs()
{
	[ -s "$1" ] || fail "the attacker saw nothing at all"
	run sh -c 'sort -u "$1" | grep -vE "^opened exe /(bin/busybox|attacker)$"' sh "$1"
	is "$output" "" "what the attacker got"
}

# Starts the attacker; when this returns it saw the sleeper that is there for it, so it looks.
look()
{
	oci exec --detach "$CT" /bin/sleep 100 >/dev/null 2>&1 </dev/null
	oci exec --detach "$CT" /attacker look /tmp/out >/dev/null 2>&1 </dev/null
	wait_until 10 test -s "$BUNDLE/rootfs/tmp/out" || fail "the attacker sees nothing"
}

# exec, again and again, with the attacker beside it.
exec_beside()
{
	local i
	look
	for i in {1..25}; do oci exec "$CT" true; done </dev/null
	saw_only_programs "$BUNDLE/rootfs/tmp/out"
}

@test "exec: who looks at all processes gets nothing of ours, as root with few capabilities" {
	sleeper
	with_attacker c
	exec_beside
}

@test "exec: the root of a user namespace, who may trace, gets nothing of ours" {
	sleeper "userns | caps($ALL)"
	with_attacker c
	exec_beside
}

@test "exec: oomScoreAdj and the terminal come from the real procfs and devpts, whatever /proc and /dev are by now" {
	bundle "caps($ALL) | .process.args = [\"/bin/sh\", \"-c\", \"
		mkdir -p /tmp/p/self/fd /tmp/p/self/attr /tmp/p/1/fd /tmp/p/thread-self/attr; echo 0 >/tmp/p/self/oom_score_adj; echo 0 >/tmp/p/1/oom_score_adj
		mount -o bind /tmp/p /proc; echo >/ready; exec sleep 100\"]"
	start_it
	wait_file "$BUNDLE/rootfs/ready"
	jq '.process | .oomScoreAdj = 700 | .args = ["/bin/sleep", "77"]' "$BUNDLE/config.json" >"$WORLD/p.json"
	oci exec --detach --pid-file "$WORLD/pid" --process "$WORLD/p.json" "$CT" >/dev/null 2>"$WORLD/err" </dev/null || fail "$(cat "$WORLD/err")"
	is "$(cat "/proc/$(cat "$WORLD/pid")/oom_score_adj")" 700
	is "$(cat "$BUNDLE/rootfs/tmp/p/self/oom_score_adj" "$BUNDLE/rootfs/tmp/p/1/oom_score_adj")" $'0\n0'
}

@test "exec: /dev/ptmx that is by now a file, a FIFO or another device gives no terminal" {
	local kind
	sleeper
	for kind in file fifo device; do
		case $kind in
		file) oci exec "$CT" sh -c 'rm /dev/ptmx; echo >/dev/ptmx' ;;
		fifo) oci exec "$CT" sh -c 'rm /dev/ptmx; ln -s /fifo /dev/ptmx'; mkfifo "$BUNDLE/rootfs/fifo" ;;
		device) oci exec "$CT" sh -c 'rm /dev/ptmx; ln -s /dev/zero /dev/ptmx' ;;
		esac </dev/null
		agent console "$WORLD/$kind" "$WORLD/tty.out"
		run oci exec --tty --detach --console-socket "$WORLD/$kind" "$CT" sleep 9 </dev/null
		is "$status" 255 "$kind"
		has "$output" terminal
	done
}

@test "exec: the program and the directory are the container's, links and all" {
	sleeper
	ln -s "$DHOW_TESTS_BASE" "$BUNDLE/rootfs/l"
	run oci exec --cwd /l "$CT" pwd
	is "$status" 255
	run oci exec "$CT" /l/attacker fork
	is "$status" 255
	ln -sfn /../../data "$BUNDLE/rootfs/l"
	run oci exec --cwd /l "$CT" cat file
	is "$output" here
}

@test "exec --user: only whole numbers in range, and never a name of the container's" {
	local user
	sleeper
	printf '1000:x:0:0::/:\n1001x:x:0:0::/:\nevil:x:0:0::/:\n' >"$BUNDLE/rootfs/etc/passwd"
	for user in -1 4294967295 4294967296 18446744073709551616 1x 0x1 ' 1' '1 ' +1 1: :1 1:-1 1:4294967295 1:x evil 1:2:3; do
		run oci exec --user "$user" "$CT" id -u
		is "$status" 255 "--user '$user'"
	done
	run oci exec --user 1 "$CT" sh -c 'id -u; id -g'
	is "$output" $'1\n0'
	run oci exec --user 1000:7 "$CT" sh -c 'id -u; id -g'
	is "$output" $'1000\n7'
}

@test "process.user: not a number, out of range or -1 is refused" {
	local user
	for user in -1 4294967295 4294967296 1.5 '"0"' null '[0]'; do
		bundle '.process.user.uid = $u' --argjson u "$user"
		[ "$user" = null ] || refuses uid
		bundle '.process.user.gid = $u' --argjson u "$user"
		[ "$user" = null ] || refuses gid
		bundle '.process.user.additionalGids = [1, $u]' --argjson u "$user"
		refuses additionalGids
	done
}

@test "exec: where the container has no mount namespace of its own its root is still the container's" {
	bundle 'no_ns("mount") | del(.mounts) | .process.args = ["/bin/sleep", "100"]'
	start_it
	is "$(oci exec "$CT" ls -d /data /usr 2>/dev/null </dev/null)" /data
	is "$(readlink "/proc/$(pid_of)/root")" "$BUNDLE/rootfs"
}

@test "create: a neighbour in the joined PID namespace, who looks at all processes, gets nothing of ours" {
	local i neighbour pid
	sleeper -n n "userns | caps($ALL)"
	with_attacker n
	neighbour=$BUNDLE
	pid=$(pid_of)
	look
	bundle 'join_ns("pid"; "/proc/\($p)/ns/pid") | join_ns("user"; "/proc/\($p)/ns/user") | sh("true")' --arg p "$pid"
	for i in {1..15}; do oci run --bundle "$BUNDLE" "$CT"; done </dev/null
	saw_only_programs "$neighbour/rootfs/tmp/out"
	: >"$neighbour/rootfs/tmp/out"
	config 'userns'
	for i in {1..15}; do oci run --bundle "$BUNDLE" "$CT" || true; done </dev/null
	run grep -vE '^opened exe /(bin/busybox|attacker)$' "$neighbour/rootfs/tmp/out"
	is "$output" ""
}

@test "ambient and inheritable capabilities are empty unless asked for, with --cap too" {
	sleeper '.process.user.uid = 7'
	run oci exec "$CT" grep -E 'Cap(Inh|Prm|Eff|Amb)' /proc/self/status
	is "$(awk '{ print $2 }' <<<"$output" | sort -u)" 0000000000000000
	run oci exec --cap CAP_KILL "$CT" grep -E 'Cap(Inh|Amb)' /proc/self/status
	is "$(awk '{ print $2 }' <<<"$output" | sort -u)" 0000000000000000
}
