# SPDX-License-Identifier: GPL-2.0-or-later
# Worlds for the black-box tests of an OCI runtime, and what every test asks of them.
#
# A world is one directory per test with a private --root and bundles. setup() makes it, teardown() deletes all
# containers of that root by force and fails the test when a mount, a cgroup, a process or a state directory
# stays behind. A file that needs more defines its own setup() and teardown() and calls world_make, world_remove.
#
#   RUNTIME   the runtime under test: a name found in PATH or a path; without it $DHOW_OCI, then dhow-oci
#   WORLD     this test's directory        ROOT     its --root
#   TAG       a word unique to this test, in each id and each cgroup's name
#   CGROUP_BASE  where a normal user may make cgroups, who gets a user namespace in every configuration
#   After `bundle`: BUNDLE, CT (the container's id), CGROUP (its linux.cgroupsPath)
#
# The root file system is made once per suite (suite_make, called by setup_suite.bash) from a static busybox and
# tests/programs/probe.c; each bundle gets a copy made of hard links, so mount points that a runtime adds stay private.

TESTS_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
BIN_LINKS="sh cat ls true false echo sleep id hostname pwd env stat mount umount grep ip mkdir touch rm ln kill
	mknod dd readlink head wc test tty stty ulimit nproc date dmesg df chmod chown sed awk setsid tr sort find ps"

# jq words for the configurations: bundle 'sh("id -u") | .process.user.uid = 7'
JQ_WORDS='
def sh(s): .process.args = ["/bin/sh", "-c", s];
def mnt(d; t; s; o): .mounts += [{destination: d, type: t, source: s, options: o}];
def no_ns(t): .linux.namespaces |= map(select(.type != t));
def ns(t): no_ns(t) | .linux.namespaces += [{type: t}];
def join_ns(t; p): no_ns(t) | .linux.namespaces += [{type: t, path: p}];
def map_ids: [{containerID: 0, hostID: 100000, size: 65536}];
# A normal user may mount proc only with a PID namespace of his own.
def no_pidns: no_ns("pid") | '"$([ "$(id -u)" = 0 ] || echo '(.mounts[] | select(.type == "proc")) |=
	{destination: "/proc", type: "bind", source: "/proc", options: ["rbind"]} |')"' .;
def userns: ns("user") | .linux.uidMappings = map_ids | .linux.gidMappings = map_ids;
def own_ids: ns("user") | .linux.uidMappings = [{containerID: 0, hostID: '"$(id -u)"', size: 1},
	{containerID: 1, hostID: 100000, size: 65536}] | .linux.gidMappings = .linux.uidMappings;
def caps(l): .process.capabilities = {bounding: l, effective: l, permitted: l};
def hook(k; s): .hooks[k] += [{path: "/bin/sh", args: ["sh", "-c", s]}];
'

# --- The suite ---------------------------------------------------------------------------------------------------

suite_make()
{
	[ "$(id -u)" = 0 ] || [ "${VM_KIND-}" = dev ] || { echo "the black-box tests need root" >&2; return 1; }
	DHOW_TESTS_BASE=$(mktemp -d /tmp/dhow-tests.XXXXXX)
	export DHOW_TESTS_BASE
	chmod 711 "$DHOW_TESTS_BASE"
	local rootfs=$DHOW_TESTS_BASE/rootfs busybox name
	busybox=$(command -v busybox) || { echo "busybox-static is missing" >&2; return 1; }
	mkdir -p "$rootfs"/{bin,dev,proc,sys,tmp,etc,data,mnt}
	chmod 1777 "$rootfs/tmp"
	cp "$busybox" "$rootfs/bin/busybox"
	for name in $BIN_LINKS; do
		ln -s busybox "$rootfs/bin/$name"
	done
	echo here >"$rootfs/data/file"
	# A host without a compiler gets them ready made.
	[ -z "${DHOW_TESTS_PROGRAMS-}" ] || cp "$DHOW_TESTS_PROGRAMS"/* "$DHOW_TESTS_BASE/"
	for name in "$TESTS_DIR"/programs/*.c; do
		[ ! -e "$DHOW_TESTS_BASE/$(basename "$name" .c)" ] || continue
		cc -std=gnu17 -D_GNU_SOURCE -O1 -Wall -Wextra -static -o "$DHOW_TESTS_BASE/$(basename "$name" .c)" "$name" || return 1
	done
	mv "$DHOW_TESTS_BASE/probe" "$rootfs/bin/probe"
	# crun 1.8 refuses hybrid hosts: it sees a private mount namespace where /sys/fs/cgroup is the cgroup2 mount.
	cat >"$DHOW_TESTS_BASE/crun" <<-'EOF'
		#!/bin/sh
		exec unshare --mount --propagation slave sh -c \
			'mount -t cgroup2 none /sys/fs/cgroup && exec "$0" "$@"' "$CRUN" "$@"
	EOF
	chmod 755 "$DHOW_TESTS_BASE/crun"
}

suite_remove()
{
	rm -rf --one-file-system "$DHOW_TESTS_BASE"
}

# --- The world of one test ---------------------------------------------------------------------------------------

world_make()
{
	local runtime=${RUNTIME:-${DHOW_OCI:-dhow-oci}}
	runtime=$(command -v "$runtime") || { echo "no runtime ${RUNTIME:-${DHOW_OCI:-dhow-oci}}" >&2; return 1; }
	RUNTIME_NAME=$(basename "$runtime")
	if [ "$RUNTIME_NAME" = crun ] && ! is_pure_v2; then
		export CRUN=$runtime
		runtime=$DHOW_TESTS_BASE/crun
	fi
	RUNTIME_PATH=$runtime
	WORLD=$(mktemp -d "${DHOW_TESTS_BASE:?suite_make has not run}/t-XXXXXXXX") || return 1
	chmod 711 "$WORLD"
	TAG=$(basename "$WORLD")
	ROOT=$WORLD/root
	AT_END=()
	AGENTS=()
}

world_remove()
{
	local directory pid i failed=0
	# Everything below kills and removes by WORLD and TAG: without a world there is nothing to take down.
	[[ ${WORLD-} == /tmp/dhow-tests.*/t-* && ${TAG-} == t-???????? ]] || return 0
	for directory in "$ROOT"/*/; do
		[ -d "$directory" ] && oci delete --force "$(basename "$directory")" >/dev/null 2>&1 </dev/null
	done
	for pid in "${AGENTS[@]}"; do
		kill "$pid" 2>/dev/null
		wait "$pid" 2>/dev/null
	done
	for ((i = ${#AT_END[@]} - 1; i >= 0; i--)); do
		eval "${AT_END[i]}"
	done
	# A peer that refused a bundle owes only its exit status.
	[ -z "${PEER_REFUSED-}" ] || wait_until 0.2 no_cgroups_left || cgroups_purge
	wait_until 3 no_cgroups_left || { echo "left behind: cgroups $(cgroups_left)"; cgroups_purge; failed=1; }
	wait_until 3 no_processes_left || {
		echo "left behind: processes $(pgrep -af "$WORLD/")"
		for pid in $(pgrep -f "$WORLD/"); do kill -9 "$pid"; done
		failed=1
	}
	if grep -F "$WORLD/" /proc/self/mountinfo; then
		echo "left behind: these mounts"
		while read -r directory; do umount -l "$directory"; done \
			< <(awk -v w="$WORLD/" 'index($5, w) == 1 { print $5 }' /proc/self/mountinfo | tac)
		failed=1
	fi
	for directory in "$ROOT/$TAG"*/; do
		[ -d "$directory" ] && { echo "left behind: state $directory"; failed=1; }
	done
	rm -rf --one-file-system "$WORLD"
	return $failed
}

# A file may give its own.
setup() { world_make; }
teardown() { world_remove; }

# Runs a shell text when the test ends and its containers are gone, last given first.
at_end()
{
	AT_END+=("$1")
}

cgroups_left()
{
	: "${TAG:?no world}"
	compgen -G "/sys/fs/cgroup/$TAG*" || true
	compgen -G "/sys/fs/cgroup/*/$TAG*" || true
	[ -z "${CGROUP_BASE-}" ] || compgen -G "/sys/fs/cgroup$CGROUP_BASE/$TAG*" || true
	# Memory is nested where the test itself is in a cgroup of its own.
	local own
	own=$(sed -n 's/^[0-9]*:memory://p' /proc/self/cgroup)
	[ -z "$own" ] || compgen -G "/sys/fs/cgroup/memory$own/$TAG*" || true
}

no_cgroups_left() { [ -z "$(cgroups_left)" ]; }
no_processes_left() { ! pgrep -f "$WORLD/" >/dev/null; }

cgroups_purge()
{
	local cgroup pid
	for cgroup in $(cgroups_left); do
		[ ! -e "$cgroup/freezer.state" ] || echo THAWED >"$cgroup/freezer.state"
		while read -r pid; do [ "$pid" -le 1 ] || kill -9 "$pid"; done \
			< <(find "$cgroup" -name cgroup.procs -exec cat {} +)
		for _ in {1..20}; do
			find "$cgroup" -depth -type d -exec rmdir {} + 2>/dev/null && break
			sleep 0.05
		done
	done
}

# wait_until SECONDS COMMAND...: polls until the command succeeds, at most that long (0.2 is a fifth of a second).
wait_until()
{
	local end=$1
	[[ $end == *.* ]] || end=$end.0
	end=$((${EPOCHREALTIME/./} + ${end%.*} * 1000000 + ${end#*.} * 100000))
	shift
	until "$@"; do
		[ "${EPOCHREALTIME/./}" -lt "$end" ] || return 1
		sleep 0.01
	done
}

# --- Bundles and containers --------------------------------------------------------------------------------------

# bundle [-n NAME] [FILTER [JQ ARGUMENT...]]: makes a bundle from base.json edited by FILTER.
bundle()
{
	local name=c
	if [ "${1-}" = -n ]; then
		name=$2
		shift 2
	fi
	local filter=${1:-.}
	shift || true
	BUNDLE=$WORLD/$name
	CT=$TAG-$name
	CGROUP=${CGROUP_BASE-}/$TAG-$name
	mkdir -p "$BUNDLE"
	chmod 755 "$BUNDLE"
	[ -d "$BUNDLE/rootfs" ] || cp -al "$DHOW_TESTS_BASE/rootfs" "$BUNDLE/rootfs"
	[ "$(id -u)" = 0 ] || filter="own_ids | $filter"
	jq "$JQ_WORDS .linux.cgroupsPath = \$cg | $filter" --arg cg "$CGROUP" --arg w "$WORLD" --arg b "$BUNDLE" \
		"$@" "$TESTS_DIR/base.json" >"$BUNDLE/config.json"
}

# config FILTER [JQ ARGUMENT...]: edits the bundle's configuration in place.
config()
{
	local filter=$1
	shift
	jq "$JQ_WORDS $filter" "$@" "$BUNDLE/config.json" >"$BUNDLE/config.new"
	mv "$BUNDLE/config.new" "$BUNDLE/config.json"
}

# The runtime under test on the private root. bats' own descriptors stay out.
oci()
{
	"$RUNTIME_PATH" --root "$ROOT" "$@" 3>&- 4>&-
}

# Runs the bundle in the foreground: $status and $output as bats' run leaves them.
run_it()
{
	run oci run --bundle "$BUNDLE" "$@" "$CT" </dev/null
}

# The same, and it must exit 0.
run_ok()
{
	run_it "$@"
	[ "$status" = 0 ] || fail "run: exit $status: $output"
}

# run_ok, for a script: runs_sh 'SCRIPT' [FILTER [JQ ARGUMENT...]]
runs_sh()
{
	local script=$1 filter=${2:-.}
	shift
	shift || true
	bundle "sh(\$script) | $filter" --arg script "$script" "$@"
	run_ok
}

# Tries to create: $status and $output are set. Not bats' run, whose pipe a container made would hold open.
create_try()
{
	status=0
	oci create --bundle "$BUNDLE" "$@" "$CT" </dev/null >"$BUNDLE/out" 2>"$BUNDLE/err" || status=$?
	output=$(cat "$BUNDLE/err" "$BUNDLE/out")
}

# Creates, without starting; its output goes to $WORLD/NAME.out so that no pipe of bats' stays open.
create_it()
{
	oci create --bundle "$BUNDLE" "$@" "$CT" </dev/null >"$BUNDLE/out" 2>"$BUNDLE/err" ||
		fail "create: exit $?: $(cat "$BUNDLE/err")"
}

# Creates and starts; the program goes on in the background. Without args of its own the program sleeps.
start_it()
{
	create_it "$@"
	run oci start "$CT"
	[ "$status" = 0 ] || fail "start: exit $status: $output"
}

# A container that sleeps: sleeper [-n NAME] [FILTER [JQ ARGUMENT...]]
sleeper()
{
	local name=()
	[ "${1-}" != -n ] || { name=(-n "$2"); shift 2; }
	local filter=${1:-.}
	shift || true
	bundle "${name[@]}" ".process.args = [\"/bin/sleep\", \"100\"] | $filter" "$@"
	start_it
}

# The bundle must be refused: exit not 0, nothing left; dhow-oci says one line with the given words.
refuses()
{
	run_it
	[ "$status" -ne 0 ] || fail "was accepted: $output"
	case $RUNTIME_NAME in
	dhow-oci*)
		[ ! -e "$ROOT/$CT" ] || fail "state was left behind"
		[ "$status" = 1 ] || fail "exit $status: $output"
		[ "$(wc -l <<<"$output")" = 1 ] || fail "more than one line: $output"
		local word
		for word in "$@"; do
			[[ $output == *"$word"* ]] || fail "'$word' is not named: $output"
		done
		;;
	*) PEER_REFUSED=1 ;;
	esac
}

state_of() { oci state "${1:-$CT}" | jq -r ".${2:-status}"; }
pid_of() { state_of "${1:-$CT}" pid; }

# kill -9 of a container's first process; never of 0, which would be the test's own group.
kill_first()
{
	local pid
	pid=$(pid_of)
	[ "$pid" -gt 1 ] || fail "no first process to kill: '$pid'"
	kill -9 "$pid"
}

is_status() { [ "$(state_of "$CT" 2>/dev/null)" = "$1" ]; }
wait_stopped() { wait_until 5 is_status stopped || fail "not stopped: $(state_of "$CT")"; }
wait_file() { wait_until 5 test -s "$1" || fail "$1 did not come"; }

# agent MODE SOCKET OUT [ARGUMENT...]: tests/programs/agent.c in the background, listening when this returns.
agent()
{
	"$DHOW_TESTS_BASE/agent" "$@" 3>&- 4>&- &
	AGENTS+=($!)
	wait_until 5 test -S "$2" || fail "agent $1 does not listen"
}

# --- cgroups -----------------------------------------------------------------------------------------------------

is_pure_v2() { [ -e /sys/fs/cgroup/cgroup.controllers ]; }
unified() { if is_pure_v2; then echo /sys/fs/cgroup; else echo /sys/fs/cgroup/unified; fi; }
v2_path() { echo "$(unified)$CGROUP"; }
v1() { cat "/sys/fs/cgroup/$1$CGROUP/$2"; }

# Skips unless the host has this v1 controller (and file) and the runtime is one that sees v1.
need_v1()
{
	is_pure_v2 && skip "no cgroup v1 on this host"
	[ -d "/sys/fs/cgroup/$1" ] || skip "no v1 controller $1 on this host"
	[ "$RUNTIME_NAME" != crun ] || skip "crun runs on a cgroup2 mount here"
	# A file that only cgroups below the root have can be looked for in a cgroup of ours.
	[ -z "${2-}" ] || v1_has_file "$1" "$2" || skip "this kernel has no $2"
}

v1_has_file()
{
	local probe=/sys/fs/cgroup/$1/$TAG-probe found=0
	mkdir "$probe"
	[ -e "$probe/$2" ] || found=1
	rmdir "$probe"
	return $found
}

need_v2()
{
	[ -d "$(unified)" ] || skip "no cgroup2 on this host"
	[ -z "${1-}" ] || grep -qw -- "$1" "$(unified)${CGROUP_BASE-}/cgroup.controllers" ||
		skip "cgroup2 has no $1 controller for $(id -un) on this host"
}

# --- What a test says --------------------------------------------------------------------------------------------

fail()
{
	printf '%s\n' "$@" >&2
	return 1
}

# is ACTUAL EXPECTED [WHAT]
is()
{
	[ "$1" = "$2" ] || fail "${3:-value}: expected '$2', got '$1'"
}

# has TEXT WORD: the word is in the text.
has()
{
	[[ $1 == *"$2"* ]] || fail "expected '$2' in: $1"
}

hasnt()
{
	[[ $1 != *"$2"* ]] || fail "did not expect '$2' in: $1"
}

# like TEXT REGEX
like()
{
	[[ $1 =~ $2 ]] || fail "expected to match '$2': $1"
}
# Only for dhow-oci: what a peer of its own age can't know is not held against it.
is_dhow() { [[ $RUNTIME_NAME == dhow-oci* ]]; }
# unshare -m of the wrapper leaves crun without shared mounts of the host.
need_host_mounts() { [ "$RUNTIME_PATH" != "$DHOW_TESTS_BASE/crun" ] || skip "crun runs in a private mount namespace here"; }
# A test that prepares or asks what only root can.
need_root() { [ "$(id -u)" = 0 ] || skip "root's matter"; }
# need_kernel VERSION WHAT: skips on an older one.
need_kernel() { printf '%s\n' "$1" "$(uname -r)" | sort -CV || skip "$2 came with Linux $1"; }
