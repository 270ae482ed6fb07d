# SPDX-License-Identifier: GPL-2.0-or-later
# linux.namespaces, linux.timeOffsets, hostname, domainname.
load ../helpers

# The namespaces of a process as seen by the host, and our own.
ns_of() { readlink "/proc/$1/ns/$2"; }

is_new() { [ "$(ns_of "$(pid_of)" "$1")" != "$(ns_of self "$1")" ] || fail "namespace $1 is the host's"; }
is_host() { is "$(ns_of "$(pid_of)" "$1")" "$(ns_of self "$1")" "namespace $1"; }

@test "linux.namespaces: listed ones are new, seen from the host" {
	sleeper
	for kind in pid net ipc uts mnt; do is_new "$kind"; done
}

@test "linux.namespaces: ones not listed are the runtime's own" {
	sleeper 'no_ns("network") | no_ns("ipc") | no_ns("uts") | del(.hostname)'
	for kind in net ipc uts; do is_host "$kind"; done
	for kind in pid mnt; do is_new "$kind"; done
}

@test "linux.namespaces: one listed twice is refused" {
	bundle '.linux.namespaces += [{type: "pid"}]'
	refuses namespaces
}

@test "linux.namespaces: an unknown type is refused" {
	bundle '.linux.namespaces += [{type: "galaxy"}]'
	refuses namespaces galaxy
}

@test "linux.namespaces pid: the program is process 1 and sees only its own" {
	runs_sh 'echo $$; for p in /proc/[0-9]*; do echo "$p"; done'
	is "${lines[0]}" 1
	hasnt "$output" "/proc/$BASHPID"
	[ "${#lines[@]}" -le 3 ] || fail "sees ${#lines[@]} processes"
}

@test "linux.namespaces pid: without it the program has a number of the host" {
	runs_sh 'echo $$' 'no_pidns'
	[ "$output" -gt 1 ]
}

@test "linux.namespaces pid path: joined" {
	sleeper -n a
	local first=$CT pid
	pid=$(pid_of "$CT")
	sleeper -n b 'join_ns("pid"; $p)' --arg p "/proc/$pid/ns/pid"
	is "$(ns_of "$(pid_of)" pid)" "$(ns_of "$pid" pid)"
	[ "$first" != "$CT" ]
}

@test "linux.namespaces network: only a loopback device, up" {
	runs_sh 'cat /proc/net/dev | wc -l; ip -o link show; ip -o addr show dev lo'
	is "${lines[0]}" 3 "devices and two lines of heading"
	has "$output" "LOOPBACK,UP"
	has "$output" "127.0.0.1/8"
}

@test "linux.namespaces network path: joined" {
	ip netns add "$TAG" && at_end "ip netns delete $TAG"
	ip -n "$TAG" link add "in$$" type veth peer name "out$$"
	runs_sh 'ip -o link show' 'join_ns("network"; $p)' --arg p "/run/netns/$TAG"
	has "$output" "in$$"
}

@test "linux.namespaces ipc path: joined" {
	sleeper -n a
	local pid
	pid=$(pid_of)
	sleeper -n b 'join_ns("ipc"; $p)' --arg p "/proc/$pid/ns/ipc"
	is "$(ns_of "$(pid_of)" ipc)" "$(ns_of "$pid" ipc)"
}

@test "linux.namespaces uts path: joined" {
	sleeper -n a '.hostname = "theirs"'
	local pid
	pid=$(pid_of)
	bundle -n b 'sh("hostname") | del(.hostname) | join_ns("uts"; $p)' --arg p "/proc/$pid/ns/uts"
	run_ok
	is "$output" theirs
}

@test "linux.namespaces mount path: joined" {
	need_host_mounts
	mkdir "$WORLD/mark"
	unshare --mount sh -c "mount -t tmpfs tmpfs $WORLD/mark && touch $WORLD/mark/ready && exec sleep 100" 3>&- &
	AGENTS+=($!)
	local pid=$!
	wait_until 5 test -e "/proc/$pid/root$WORLD/mark/ready"
	sleeper 'join_ns("mount"; $p) | del(.mounts)' --arg p "/proc/$pid/ns/mnt"
	is "$(ns_of "$(pid_of)" mnt)" "$(ns_of "$pid" mnt)"
}

@test "linux.namespaces user path: joined" {
	sleeper -n a userns
	local pid
	pid=$(pid_of)
	bundle -n b 'sh("cat /proc/self/uid_map") | join_ns("user"; $p)' --arg p "/proc/$pid/ns/user"
	run_ok
	is "$(echo $output)" "0 100000 65536"
}

@test "linux.namespaces cgroup: the container's cgroup is the root" {
	runs_sh 'cat /proc/self/cgroup' 'ns("cgroup")'
	hasnt "$output" "$TAG"
	like "$output" ":/"
}

@test "linux.namespaces cgroup path: joined" {
	sleeper -n a 'ns("cgroup")'
	local pid
	pid=$(pid_of)
	sleeper -n b 'join_ns("cgroup"; $p)' --arg p "/proc/$pid/ns/cgroup"
	is "$(ns_of "$(pid_of)" cgroup)" "$(ns_of "$pid" cgroup)"
}

@test "linux.namespaces path: a file that is no namespace is refused" {
	bundle 'join_ns("network"; "/etc/passwd")'
	refuses /etc/passwd
}

@test "linux.namespaces path: a namespace of another type is refused" {
	bundle 'join_ns("network"; "/proc/self/ns/uts")'
	refuses network
}

@test "linux.namespaces path: a missing file is refused" {
	bundle 'join_ns("network"; "/no/such/file")'
	refuses /no/such/file
}

@test "linux.namespaces path: a relative one is refused" {
	bundle 'join_ns("network"; "proc/self/ns/net")'
	refuses path
}

@test "linux.namespaces time: new" {
	sleeper 'ns("time")'
	is_new time
}

@test "linux.timeOffsets: both clocks are moved" {
	local before after
	read -r before _ </proc/uptime
	runs_sh 'probe clocks; cat /proc/self/timens_offsets' \
		'ns("time") | .linux.timeOffsets = {monotonic: {secs: 172800, nanosecs: 5}, boottime: {secs: 864000}}'
	read -r after _ </proc/uptime
	local monotonic boottime
	read -r monotonic boottime <<<"${lines[0]}"
	[ "$monotonic" -ge $((${before%.*} - 2 + 172800)) ] && [ "$monotonic" -le $((${after%.*} + 2 + 172800)) ]
	[ "$boottime" -ge $((${before%.*} - 2 + 864000)) ] && [ "$boottime" -le $((${after%.*} + 2 + 864000)) ]
	like "${lines[1]}" 'monotonic +172800 +5$'
	like "${lines[2]}" 'boottime +864000 +0$'
}

@test "linux.timeOffsets: a negative offset" {
	runs_sh 'cat /proc/self/timens_offsets' 'ns("time") | .linux.timeOffsets = {boottime: {secs: -1}}'
	like "$output" 'boottime +-1 +0'
}

@test "linux.timeOffsets: an exec'd process is in the same time" {
	sleeper 'ns("time") | .linux.timeOffsets = {boottime: {secs: 864000}}'
	run oci exec "$CT" cat /proc/self/timens_offsets
	like "$output" 'boottime +864000 +0'
}

@test "linux.timeOffsets: without a time namespace it is refused" {
	bundle '.linux.timeOffsets = {boottime: {secs: 10}}'
	refuses timeOffsets
}

@test "linux.timeOffsets: with a joined time namespace it is refused" {
	bundle 'join_ns("time"; "/proc/self/ns/time") | .linux.timeOffsets = {boottime: {secs: 10}}'
	refuses timeOffsets
}

@test "linux.timeOffsets: an unknown clock is refused" {
	is_dhow || skip "the schema names two; peers let others through"
	bundle 'ns("time") | .linux.timeOffsets = {sidereal: {secs: 10}}'
	refuses sidereal
}

@test "hostname: set in the container, the host's stays" {
	local before
	before=$(hostname)
	runs_sh 'hostname; cat /proc/sys/kernel/hostname' '.hostname = "inside"'
	is "$output" $'inside\ninside'
	is "$(hostname)" "$before"
}

@test "hostname: without a UTS namespace it is refused" {
	bundle 'no_ns("uts") | .hostname = "inside"'
	refuses hostname
}

@test "hostname: absent, it is the host's" {
	runs_sh hostname 'del(.hostname)'
	is "$output" "$(hostname)"
}

@test "domainname: set in the container" {
	runs_sh 'cat /proc/sys/kernel/domainname' '.domainname = "inside.example"'
	is "$output" inside.example
	[ "$(cat /proc/sys/kernel/domainname)" != inside.example ]
}

@test "domainname: without a UTS namespace it is refused" {
	bundle 'no_ns("uts") | del(.hostname) | .domainname = "inside.example"'
	refuses domainname
}
