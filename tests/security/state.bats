# SPDX-License-Identifier: GPL-2.0-or-later
# The state directory: names, damage, PIDs of strangers, and callers that are killed at any moment.
load ../helpers

@test "ids: .., paths, blanks, options, control characters and endless ones are refused, and nothing is made" {
	local id
	bundle
	for id in '' . .. ../x a/b /a a/../b 'a b' $'a\nb' $'a\x1b[2J' 'a*b' '~seccomp' .new-1 é "$(printf 'x%.0s' {1..1025})"; do
		for command in "run --bundle $BUNDLE" "create --bundle $BUNDLE" state "delete --force" start "kill" pause; do
			run oci $command "$id" </dev/null
			[ "$status" = 1 ] || fail "$command '$id': $status $output"
			[ "$(wc -l <<<"$output")" = 1 ] || fail "$command '$id': not one line: $output"
			hasnt "$output" $'\x1b'
		done
	done
	is "$(find "$ROOT" -mindepth 1 2>/dev/null | wc -l)" 0
	[ ! -e "$WORLD/x" ]
}

@test "ids: as long as a file's name may be works; longer is one line" {
	bundle
	CT=$TAG$(printf 'x%.0s' {1..230})
	run_ok
	CT=$TAG$(printf 'x%.0s' {1..300})
	refuses name
}

@test "state.json that is empty, cut, of another type, huge or a FIFO: an error in one line, and delete --force works" {
	local kind
	for kind in empty cut array number nul deep huge fifo directory missing strings pid; do
		bundle -n "$kind"
		create_it
		local file=$ROOT/$CT/state.json pid
		pid=$(pid_of)
		cp "$file" "$WORLD/good"
		case $kind in
		empty) : >"$file" ;;
		cut) head -c 100 "$WORLD/good" >"$file" ;;
		array) echo '[]' >"$file" ;;
		number) echo 7 >"$file" ;;
		nul) printf '{"id":"\\u0000"}' >"$file" ;;
		deep) printf '[%.0s' {1..100000} >"$file" ;;
		huge) truncate -s 5G "$file" ;;
		fifo) rm "$file"; mkfifo "$file" ;;
		directory) rm "$file"; mkdir "$file" ;;
		missing) rm "$file" ;;
		strings) jq '.pid = "1"' "$WORLD/good" >"$file" ;;
		pid) jq '.pid = 99999999999' "$WORLD/good" >"$file" ;;
		esac
		for command in state start "kill" pause delete; do
			run oci $command "$CT"
			is "$status" 1 "$kind: $command"
			is "${#lines[@]}" 1 "$kind: lines of $command"
		done
		run oci list
		is "$status" 0 "$kind: list"
		run oci delete --force "$CT"
		is "$status" 0 "$kind: delete --force: $output"
		[ ! -e "$ROOT/$CT" ] || fail "$kind: state is left"
		wait_until 2 test ! -e "/proc/$pid/exe" || fail "$kind: the process is left"
		wait_until 2 no_cgroups_left || fail "$kind: left $(cgroups_left)"
	done
}

@test "the state directory as a link, a file, or somebody else's is no state of ours" {
	bundle
	create_it
	mv "$ROOT/$CT" "$WORLD/elsewhere"
	ln -s "$WORLD/elsewhere" "$ROOT/$CT"
	for command in state start "delete --force"; do
		run oci $command "$CT"
		[ "$status" = 1 ] || [ "$command" = "delete --force" ] || fail "$command followed a link: $output"
	done
	[ -e "$WORLD/elsewhere/state.json" ] || fail "delete went through the link"
	rm -f "$ROOT/$CT"
	mv "$WORLD/elsewhere" "$ROOT/$CT"
	oci delete --force "$CT"
}

@test "--root as a link to a directory is that; as a file or a link to nowhere it is an error" {
	bundle
	mkdir "$WORLD/real"
	ln -s real "$WORLD/link"
	ROOT=$WORLD/link
	at_end 'rm -f "$WORLD/link"'
	run_ok
	ln -sfn none/where "$WORLD/link"
	refuses "$WORLD/link"
	rm "$WORLD/link"
	echo >"$WORLD/link"
	run_it
	is "$status" 1
	is "${#lines[@]}" 1
}

@test "a PID that another process has by now is never signalled, frozen or entered" {
	local stranger file command
	sleeper
	kill_first
	wait_stopped
	sleep 100 3>&- 4>&- &
	stranger=$!
	AGENTS+=($stranger)
	file=$ROOT/$CT/state.json
	jq ".pid = $stranger" "$file" >"$WORLD/new"
	cp "$WORLD/new" "$file"
	is "$(state_of)" stopped
	run oci kill "$CT" KILL
	is "$status" 1
	run oci kill --all "$CT" KILL
	run oci exec "$CT" true
	is "$status" 255
	run oci delete "$CT"
	is "$status" 0
	kill -0 "$stranger" || fail "the stranger was killed"
}

@test "delete --force with a stranger's PID and start time 0 spares the stranger" {
	local stranger
	sleeper
	sleep 100 3>&- 4>&- &
	stranger=$!
	AGENTS+=($stranger)
	jq ".pid = $stranger | .startTime = 0" "$ROOT/$CT/state.json" >"$WORLD/new"
	cp "$WORLD/new" "$ROOT/$CT/state.json"
	oci delete --force "$CT"
	kill -0 "$stranger" || fail "the stranger was killed"
	[ ! -e "$ROOT/$CT" ]
}

@test "a created container that is paused or stopped (SIGSTOP) answers state, kill and delete at once" {
	local pid i
	bundle
	create_it
	pid=$(pid_of)
	kill -STOP "$pid"
	for i in {1..12}; do
		run timeout 5 "$RUNTIME_PATH" --root "$ROOT" state "$CT"
		[ "$status" = 0 ] || fail "state number $i: $status"
	done
	is "$(jq -r .status <<<"$output")" created
	oci pause "$CT"
	is "$(state_of)" paused
	run timeout 5 "$RUNTIME_PATH" --root "$ROOT" delete --force "$CT"
	is "$status" 0
	wait_until 2 test ! -e "/proc/$pid/exe" || fail "the process is left"
}

@test "create --force of nothing, a second create, a second start, a second delete" {
	sleeper
	create_try
	is "$status" 1
	has "$output" exist
	run oci start "$CT"
	is "$status" 1
	oci delete --force "$CT"
	run oci delete "$CT"
	is "$status" 1
	run oci delete --force "$CT"
	is "$status" 0
}

@test "many creates of one id at once: one wins, and the others leave it alone" {
	local i pids=()
	bundle '.process.args = ["/bin/sleep", "100"]'
	for i in {1..6}; do
		(oci create --bundle "$BUNDLE" "$CT" </dev/null >/dev/null 2>&1 && echo win >>"$WORLD/wins") 3>&- 4>&- &
		pids+=($!)
	done
	wait "${pids[@]}" || true
	is "$(wc -l <"$WORLD/wins")" 1
	is "$(state_of)" created
	oci start "$CT"
	is "$(state_of)" running
}

# The caller is killed after more and more steps: strace stops it at its N-th system call of a kind.
killed_at()
{
	local calls=$1 step=$2 command=$3
	strace -o /dev/null -e trace="$calls" -e inject="$calls:signal=KILL:when=$step" \
		"$RUNTIME_PATH" --root "$ROOT" $command --bundle "$BUNDLE" "$CT" </dev/null >/dev/null 2>&1 3>&- 4>&-
}

@test "create killed at each of its steps: delete --force leaves nothing" {
	command -v strace >/dev/null || skip "no strace"
	local step calls status killed=0
	bundle '.process.args = ["/bin/sleep", "100"] | hook("createRuntime"; "true")'
	for calls in clone3 mkdir,mkdirat renameat,renameat2 sendmsg recvmsg write waitid,poll socket,bind,listen; do
		for step in 1 2 3 4 6 9; do
			status=0
			killed_at "$calls" "$step" create || status=$?
			[ "$status" != 137 ] || killed=$((killed + 1))
			[ "$status" != 0 ] || [ -d "$ROOT/$CT" ] || fail "$calls $step: no container"
			run timeout 20 "$RUNTIME_PATH" --root "$ROOT" delete --force "$CT" </dev/null
			is "$status" 0 "$calls $step: delete --force: $output"
			[ ! -e "$ROOT/$CT" ] || fail "$calls $step: state is left"
			wait_until 3 no_cgroups_left || fail "$calls $step: left $(cgroups_left)"
			wait_until 3 no_processes_left || fail "$calls $step: left $(pgrep -af "$WORLD/")"
		done
	done
	[ "$killed" -ge 12 ] || fail "only $killed of the creates were killed"
}

@test "create killed after more and more time: delete --force leaves nothing" {
	local i pid
	bundle '.process.args = ["/bin/sleep", "100"]'
	for i in {1..25}; do
		# Not by the function, whose subshell would be what is killed.
		"$RUNTIME_PATH" --root "$ROOT" create --bundle "$BUNDLE" "$CT" </dev/null >/dev/null 2>&1 3>&- 4>&- &
		pid=$!
		sleep "0.0$(printf '%02d' "$i")"
		kill -9 "$pid" 2>/dev/null || true
		wait "$pid" 2>/dev/null || true
		oci delete --force "$CT" </dev/null
		[ ! -e "$ROOT/$CT" ] || fail "$i: state is left"
		wait_until 3 no_cgroups_left || fail "$i: left $(cgroups_left)"
		wait_until 3 no_processes_left || fail "$i: left $(pgrep -af "$WORLD/")"
	done
}
