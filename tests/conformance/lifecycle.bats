# SPDX-License-Identifier: GPL-2.0-or-later
# A container's life: create, start, state, kill, delete, run, list, ps, pause, resume; ids; annotations.
load ../helpers

@test "create: the state is created, the program has not run" {
	bundle 'sh("touch /data/ran; sleep 100")'
	create_it
	is "$(state_of)" created
	[ ! -e "$BUNDLE/rootfs/data/ran" ]
	kill -0 "$(pid_of)"
}

@test "create: an id in use is refused, the first lives on" {
	sleeper
	create_try
	[ "$status" = 1 ] || [ "$RUNTIME_NAME" != runc ]
	[ "$status" -ne 0 ]
	has "$output" exist
	is "$(state_of)" running
}

@test "create: an id of a stopped container is refused, too" {
	bundle
	start_it
	wait_stopped
	create_try
	[ "$status" -ne 0 ]
}

@test "create: ids with slashes, dots only or strange characters are refused" {
	bundle
	for id in a/b ../x . .. 'a b' '' 'a*' $'a\nb'; do
		run oci run --bundle "$BUNDLE" "$id" </dev/null
		[ "$status" -ne 0 ] || fail "id '$id' was accepted"
	done
}

@test "create: an id of letters, digits, dash, plus, dot and underscore" {
	bundle
	CT=$TAG-A9_+.-z
	run_ok
}

@test "create: a very long id is refused" {
	is_dhow || skip "the limit is dhow-oci's"
	bundle
	CT=$TAG-$(head -c 1100 /dev/zero | tr '\0' a)
	refuses
}

@test "create: no bundle there is refused" {
	run oci create --bundle "$WORLD/nowhere" "$TAG-x" </dev/null
	[ "$status" -ne 0 ]
	has "$output" nowhere
}

@test "create: a bundle without config.json is refused" {
	mkdir "$WORLD/empty"
	run oci create --bundle "$WORLD/empty" "$TAG-x" </dev/null
	[ "$status" -ne 0 ]
	has "$output" config.json
}

@test "create: without an id is a usage error" {
	bundle
	run oci create --bundle "$BUNDLE" </dev/null
	[ "$status" -ne 0 ]
}

@test "create --bundle: absent, it is the current directory" {
	bundle 'sh("echo here")'
	cd "$BUNDLE"
	run oci run "$CT" </dev/null
	is "$output" here
}

@test "create --pid-file: holds the first process's id" {
	sleeper
	bundle -n b '.process.args = ["/bin/sleep", "100"]'
	create_it --pid-file "$WORLD/pid"
	is "$(cat "$WORLD/pid")" "$(pid_of)"
}

@test "create: the caller's death does not end the container" {
	bundle '.process.args = ["/bin/sleep", "100"]'
	(create_it) &
	wait $!
	oci start "$CT"
	is "$(state_of)" running
}

@test "create: later changes of config.json have no effect" {
	bundle 'sh("echo first")'
	create_it
	config 'sh("echo second")'
	oci start "$CT"
	wait_stopped
	is "$(cat "$BUNDLE/out")" first
}

@test "start: runs the program" {
	bundle 'sh("echo ran")'
	create_it
	oci start "$CT"
	wait_stopped
	is "$(cat "$BUNDLE/out")" ran
}

@test "start: twice is refused" {
	sleeper
	run oci start "$CT"
	[ "$status" -ne 0 ]
	is "$(state_of)" running
}

@test "start: a stopped container is refused" {
	bundle
	start_it
	wait_stopped
	run oci start "$CT"
	[ "$status" -ne 0 ]
}

@test "start: a container that does not exist is refused, and named" {
	run oci start "$TAG-none"
	[ "$status" -ne 0 ]
	has "$output" "exist"
}

@test "start: a created process that was killed can't be started" {
	bundle
	create_it
	kill_first
	wait_stopped
	run oci start "$CT"
	[ "$status" -ne 0 ]
}

@test "state: holds what the specification asks for" {
	sleeper '.annotations = {"org.example.key": "value"}'
	local state
	state=$(oci state "$CT")
	is "$(jq -r .id <<<"$state")" "$CT"
	is "$(jq -r .status <<<"$state")" running
	is "$(jq -r .bundle <<<"$state")" "$BUNDLE"
	is "$(jq -r '.annotations["org.example.key"]' <<<"$state")" value
	like "$(jq -r .ociVersion <<<"$state")" '^1\.[0-9]+\.[0-9]+'
	kill -0 "$(jq -r .pid <<<"$state")"
}

@test "state: has runc's fields, too" {
	sleeper
	local state
	state=$(oci state "$CT")
	is "$(jq -r .rootfs <<<"$state")" "$BUNDLE/rootfs"
	like "$(jq -r .created <<<"$state")" '^20[0-9-]{8}T[0-9:.]+Z$'
	is "$(jq -r .owner <<<"$state")" ""
}

@test "state: stopped has no pid" {
	bundle
	start_it
	wait_stopped
	is "$(oci state "$CT" | jq -r '.pid // 0')" 0
}

@test "state: a container that does not exist is an error" {
	run oci state "$TAG-none"
	[ "$status" -ne 0 ]
	has "$output" "exist"
}

@test "state: a first process that died is stopped, also when nobody reaps it" {
	sleeper
	kill_first
	wait_stopped
}

@test "kill: sends the signal to the first process" {
	bundle 'sh("trap \"echo got; exit 3\" USR1; echo ready; while :; do sleep 0.01; done")'
	start_it
	wait_file "$BUNDLE/out"
	oci kill "$CT" USR1
	wait_stopped
	is "$(cat "$BUNDLE/out")" $'ready\ngot'
}

@test "kill: signals by name, with SIG, in lower case and by number" {
	for signal in KILL SIGKILL kill 9; do
		sleeper -n "$signal"
		oci kill "$CT" "$signal"
		wait_stopped
	done
}

@test "kill: SIGTERM when none is given" {
	bundle 'sh("trap \"echo got; exit\" TERM; echo ready; while :; do sleep 0.01; done")'
	start_it
	wait_file "$BUNDLE/out"
	oci kill "$CT"
	wait_stopped
	has "$(cat "$BUNDLE/out")" got
}

@test "kill: an unknown signal is refused" {
	sleeper
	run oci kill "$CT" NONESUCH
	[ "$status" -ne 0 ]
	is "$(state_of)" running
}

@test "kill: a created container can be killed" {
	bundle
	create_it
	oci kill "$CT" KILL
	wait_stopped
}

@test "kill: a stopped container is refused" {
	bundle
	start_it
	wait_stopped
	run oci kill "$CT" TERM
	[ "$status" -ne 0 ]
}

@test "kill: a container that does not exist is refused" {
	run oci kill "$TAG-none" TERM
	[ "$status" -ne 0 ]
}

@test "kill --all: reaches every process of the container" {
	bundle 'sh("sleep 100 & sleep 100 & echo ready; wait; sleep 100") | no_pidns'
	start_it
	wait_file "$BUNDLE/out"
	oci kill --all "$CT" KILL
	wait_stopped
	wait_until 3 no_cgroup_processes
}

no_cgroup_processes()
{
	local cgroup
	for cgroup in $(cgroups_left); do
		[ -z "$(cat "$cgroup/cgroup.procs" 2>/dev/null)" ] || return 1
	done
}

@test "delete: a stopped container leaves nothing" {
	bundle
	start_it
	wait_stopped
	oci delete "$CT"
	[ ! -e "$ROOT/$CT" ]
	wait_until 3 no_cgroups_left
}

@test "delete: a running one is refused and lives on" {
	sleeper
	run oci delete "$CT"
	[ "$status" -ne 0 ]
	is "$(state_of)" running
}

@test "delete: a created one that is not running goes" {
	bundle
	create_it
	oci delete "$CT"
	[ ! -e "$ROOT/$CT" ]
}

@test "delete --force: a running one is killed and goes" {
	sleeper
	local pid
	pid=$(pid_of)
	oci delete --force "$CT"
	[ ! -e "$ROOT/$CT" ]
	! is_alive "$pid"
}

# A zombie is as good as dead.
is_alive() { [ -e "/proc/$1/stat" ] && ! grep -q ') Z ' "/proc/$1/stat"; }

@test "delete --force: a paused one goes" {
	sleeper
	oci pause "$CT"
	oci delete --force "$CT"
	[ ! -e "$ROOT/$CT" ]
}

@test "delete --force: children outside of a PID namespace go, too" {
	bundle 'sh("sleep 100 & sleep 100 & echo ready; wait; sleep 100") | no_pidns'
	start_it
	wait_file "$BUNDLE/out"
	oci delete --force "$CT"
	wait_until 3 no_cgroups_left
}

@test "delete: a container that does not exist is refused" {
	run oci delete "$TAG-none"
	[ "$status" -ne 0 ]
	has "$output" exist
}

@test "delete --force: a container that does not exist is no error" {
	run oci delete --force "$TAG-none"
	is "$status" 0
}

@test "delete: does not touch what the bundle holds" {
	bundle 'mnt("/mnt"; "bind"; $w + "/dir"; ["rbind"])'
	mkdir "$WORLD/dir"
	touch "$WORLD/dir/keep"
	run_ok
	[ -e "$WORLD/dir/keep" ] && [ -e "$BUNDLE/rootfs/data/file" ] && [ -e "$BUNDLE/config.json" ]
}

@test "run: the program's exit status is passed on" {
	for code in 0 1 42 255; do
		bundle -n "r$code" 'sh("exit " + $code)' --arg code "$code"
		run_it
		is "$status" "$code"
	done
}

@test "run: death by a signal is 128 and its number" {
	bundle 'sh("kill -9 $$") | no_pidns'
	run_it
	is "$status" 137
}

@test "run: leaves nothing" {
	bundle
	run_ok
	[ ! -e "$ROOT/$CT" ]
	wait_until 3 no_cgroups_left
}

@test "run: stdin, stdout and stderr are the program's" {
	bundle 'sh("read x; echo out $x; echo err $x >&2")'
	oci run --bundle "$BUNDLE" "$CT" <<<word >"$WORLD/o" 2>"$WORLD/e"
	is "$(cat "$WORLD/o")" "out word"
	is "$(cat "$WORLD/e")" "err word"
}

@test "run: forwards signals to the program" {
	bundle 'sh("trap \"echo got; exit 3\" TERM; echo ready; while :; do sleep 0.01; done")'
	"$RUNTIME_PATH" --root "$ROOT" run --bundle "$BUNDLE" "$CT" </dev/null >"$WORLD/o" 2>&1 3>&- 4>&- &
	local runtime=$!
	wait_file "$WORLD/o"
	kill -TERM "$runtime"
	wait_stopped_or_gone
	is "$(cat "$WORLD/o")" $'ready\ngot'
}

wait_stopped_or_gone() { wait_until 5 eval '! is_status running'; }

@test "run --detach: returns while the program runs" {
	bundle '.process.args = ["/bin/sleep", "100"]'
	oci run --detach --bundle "$BUNDLE" --pid-file "$WORLD/pid" "$CT" </dev/null >/dev/null 2>&1
	is "$(state_of)" running
	is "$(cat "$WORLD/pid")" "$(pid_of)"
}

@test "run --keep: the container is still there after its end" {
	bundle 'sh("exit 4")'
	run oci run --keep --bundle "$BUNDLE" "$CT" </dev/null
	is "$status" 4
	is "$(state_of)" stopped
	oci delete "$CT"
}

@test "run --no-pivot: the root is the bundle's" {
	bundle 'sh("cat /data/file; ls /")'
	run_ok --no-pivot
	is "${lines[0]}" here
	hasnt "$output" home
}

@test "run --no-new-keyring: the session keyring is the caller's" {
	bundle 'sh("probe session-keyring")'
	run_ok --no-new-keyring
	hasnt "$output" "$CT"
}

@test "run --no-subreaper: orphans are not the runtime's" {
	[ "$RUNTIME_NAME" != crun ] || skip "crun is no subreaper"
	local script='orphan=$(sh -c "sleep 100 >/dev/null 2>&1 & echo \$!"); parent=$(awk "/^PPid:/ { print \$2 }" /proc/$orphan/status)
		cat /proc/$parent/cmdline | tr "\0" " "; kill $orphan'
	bundle 'sh($script) | no_pidns' --arg script "$script"
	run_ok
	has "$output" "$ROOT" "the runtime is the parent"
	run_ok --no-subreaper
	hasnt "$output" "$ROOT"
}

@test "create --no-pivot: the root is the bundle's" {
	bundle 'sh("cat /data/file; ls /")'
	create_it --no-pivot
	oci start "$CT"
	wait_stopped
	has "$(cat "$BUNDLE/out")" here
	hasnt "$(cat "$BUNDLE/out")" home
}

@test "create --no-new-keyring: the session keyring is the caller's" {
	bundle '.process.args = ["/bin/probe", "session-keyring"]'
	create_it --no-new-keyring
	oci start "$CT"
	wait_stopped
	hasnt "$(cat "$BUNDLE/out")" "$CT"
}

@test "run --preserve-fds: the descriptors reach the program" {
	bundle 'sh("cat <&3; cat <&4")'
	echo three >"$WORLD/3"
	echo four >"$WORLD/4"
	run "$RUNTIME_PATH" --root "$ROOT" run --preserve-fds 2 --bundle "$BUNDLE" "$CT" 3<"$WORLD/3" 4<"$WORLD/4" </dev/null
	is "$output" $'three\nfour'
}

@test "run --preserve-fds: none above the count reach it" {
	bundle '.process.args = ["/bin/probe", "fds"]'
	echo three >"$WORLD/3"
	run "$RUNTIME_PATH" --root "$ROOT" run --preserve-fds 1 --bundle "$BUNDLE" "$CT" \
		3<"$WORLD/3" 4<"$WORLD/3" 5<"$WORLD/3" </dev/null
	is "${#lines[@]}" 1
	like "$output" '^3 '
}

@test "run: LISTEN_FDS descriptors and their environment reach the program" {
	bundle 'sh("echo $LISTEN_FDS $LISTEN_PID; cat <&3")'
	echo three >"$WORLD/3"
	run sh -c 'LISTEN_FDS=1 LISTEN_PID=$$ exec "$@"' sh \
		"$RUNTIME_PATH" --root "$ROOT" run --bundle "$BUNDLE" "$CT" 3<"$WORLD/3" 4>&- </dev/null
	is "$output" $'1 1\nthree'
}

@test "kill KILL: without a PID namespace of its own, the whole container ends" {
	sleeper 'sh("sleep 1000 & sleep 1000 & wait") | no_pidns'
	wait_until 5 has_processes 3
	oci kill "$CT" KILL
	wait_stopped
	[ "$RUNTIME_NAME" != runc ] || skip "this runc kills the first process alone"
	wait_until 5 no_processes_in_container || fail "left: $(oci ps "$CT")"
}

has_processes() { [ "$(oci ps --format json "$CT" | jq length)" = "$1" ]; }
no_processes_in_container() { [ "$(oci ps --format json "$CT" | jq length)" = 0 ]; }

# A service manager that writes down what it is told, and closes the barrier's descriptor.
service_manager()
{
	python3 -c 'import socket, sys, os
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
while True:
    data, fds, flags, address = socket.recv_fds(s, 4096, 4)
    with open(sys.argv[2], "ab") as out:
        out.write(data.rstrip() + b"\n")
    for fd in fds:
        os.close(fd)' "$WORLD/manager" "$WORLD/told" 3>&- 4>&- &
	AGENTS+=($!)
	wait_until 5 test -S "$WORLD/manager"
}

@test "run: NOTIFY_SOCKET, the container's READY=1 and its PID reach the service manager, nothing else" {
	service_manager
	bundle 'sh("probe notify MAINPID=1; probe notify STATUS=x; probe notify READY=1; ls -d /run/notify/*")'
	NOTIFY_SOCKET=$WORLD/manager run_ok
	is "$output" /run/notify/notify.sock
	like "$(cat "$WORLD/told")" $'^READY=1\nMAINPID=[0-9]+\nBARRIER=1$'
	[ ! -e "$ROOT/$CT" ]
}

@test "start: NOTIFY_SOCKET, it waits until the container is ready" {
	service_manager
	bundle 'sh("while [ ! -e /data/go ]; do sleep 0.05; done; probe notify READY=1; sleep 100")'
	NOTIFY_SOCKET=$WORLD/manager create_it
	NOTIFY_SOCKET=$WORLD/manager oci start "$CT" >"$WORLD/start" 2>&1 &
	local start=$!
	wait_until 5 is_status running
	[ -d "/proc/$start" ] || fail "start did not wait: $(cat "$WORLD/start")"
	touch "$BUNDLE/rootfs/data/go"
	wait "$start"
	has "$(cat "$WORLD/told")" "MAINPID=$(pid_of)"
}

@test "start: NOTIFY_SOCKET, it does not wait for what has ended" {
	service_manager
	bundle 'sh("true")'
	NOTIFY_SOCKET=$WORLD/manager create_it
	NOTIFY_SOCKET=$WORLD/manager run oci start "$CT"
	is "$status" 0
	[ ! -e "$WORLD/told" ]
}

@test "run --pidfd-socket: receives a pidfd of the first process" {
	agent pidfd "$WORLD/s" "$WORLD/o"
	bundle '.process.args = ["/bin/sleep", "100"]'
	oci run --detach --pidfd-socket "$WORLD/s" --bundle "$BUNDLE" "$CT" </dev/null >"$BUNDLE/out" 2>&1 ||
		fail "$(head -n 1 "$BUNDLE/out")"
	wait_until 5 grep -q ^end "$WORLD/o"
	has "$(cat "$WORLD/o")" "fds 1"
	like "$(cat "$WORLD/o")" "Pid:[[:space:]]+$(pid_of)"
	oci kill "$CT" KILL
	wait_until 5 grep -q ^ended "$WORLD/o"
}

@test "list: shows each container with its state" {
	sleeper -n a
	bundle -n b
	create_it
	run oci list
	[ "$status" = 0 ]
	like "${lines[0]}" '^(ID|NAME) +PID +STATUS +BUNDLE'
	like "$output" "$TAG-a +[0-9]+ +running"
	like "$output" "$TAG-b +[0-9]+ +created"
}

@test "list --quiet: ids only" {
	sleeper
	run oci list --quiet
	is "$output" "$CT"
}

@test "list --format json: an array with the fields of state" {
	sleeper '.annotations = {k: "v"}'
	local list
	list=$(oci list --format json)
	is "$(jq -r length <<<"$list")" 1
	is "$(jq -r '.[0].id' <<<"$list")" "$CT"
	is "$(jq -r '.[0].status' <<<"$list")" running
	is "$(jq -r '.[0].pid' <<<"$list")" "$(pid_of)"
	is "$(jq -r '.[0].bundle' <<<"$list")" "$BUNDLE"
}

@test "list: empty without containers, also without a root" {
	run oci list --quiet
	is "$status" 0
	is "$output" ""
}

@test "list --format json: without containers it is null or empty, as runc's callers expect" {
	run oci list --format json
	is "$status" 0
	like "$(jq -c . <<<"$output")" '^(null|\[\])$'
}

@test "ps: shows the container's processes" {
	bundle 'sh("sleep 101 & echo ready; sleep 102")'
	start_it
	wait_file "$BUNDLE/out"
	run oci ps "$CT"
	[ "$status" = 0 ] || fail "$output"
	has "$output" "sleep 101"
	has "$output" "sleep 102"
	like "${lines[0]}" PID
}

@test "ps: passes arguments on to ps" {
	sleeper
	run oci ps "$CT" -o pid,args
	[ "$status" = 0 ] || fail "$output"
	like "${lines[0]}" '^ *PID COMMAND'
	has "$output" "$(pid_of)"
}

@test "ps --format json: the process ids of the host" {
	sleeper
	run oci ps --format json "$CT"
	[ "$status" = 0 ] || fail "$output"
	is "$(jq -c . <<<"$output")" "[$(pid_of)]"
}

@test "ps: a container that does not exist is an error" {
	run oci ps "$TAG-none"
	[ "$status" -ne 0 ]
}

@test "pause: the processes stand still, the state is paused; resume: they go on" {
	bundle 'sh("while :; do echo x; sleep 0.01; done")'
	start_it
	wait_file "$BUNDLE/out"
	oci pause "$CT"
	is "$(state_of)" paused
	local before
	before=$(stat -c %s "$BUNDLE/out")
	sleep 0.1
	is "$(stat -c %s "$BUNDLE/out")" "$before"
	oci resume "$CT"
	is "$(state_of)" running
	wait_until 5 grew "$before"
}

grew() { [ "$(stat -c %s "$BUNDLE/out")" -gt "$1" ]; }

@test "pause: a stopped container is refused" {
	bundle
	start_it
	wait_stopped
	run oci pause "$CT"
	[ "$status" -ne 0 ]
}

@test "resume: a container that is not paused is refused" {
	sleeper
	run oci resume "$CT"
	[ "$status" -ne 0 ]
	is "$(state_of)" running
}

@test "annotations: are in state, and absent ones are no error" {
	sleeper '.annotations = {"a.b": "c", "e": ""}'
	is "$(oci state "$CT" | jq -cS .annotations)" '{"a.b":"c","e":""}'
}

@test "annotations: unknown ones change nothing" {
	runs_sh 'echo fine' '.annotations = {"com.example.unknown/thing": "1"}'
	is "$output" fine
}

@test "annotations: a value that is no string is refused" {
	bundle '.annotations = {a: 1}'
	refuses annotations
}
