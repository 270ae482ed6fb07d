# SPDX-License-Identifier: GPL-2.0-or-later
# exec with each of its flags.
load ../helpers

@test "exec: runs in the container's namespaces and root" {
	sleeper 'ns("cgroup")'
	local pid kind
	pid=$(pid_of)
	run oci exec "$CT" sh -c 'for n in pid net ipc uts mnt cgroup; do readlink /proc/self/ns/$n; done; cat /data/file'
	[ "$status" = 0 ] || fail "$output"
	is "$output" "$(for kind in pid net ipc uts mnt cgroup; do readlink "/proc/$pid/ns/$kind"; done)"$'\nhere'
}

@test "exec: is in the container's cgroup" {
	sleeper
	oci exec --detach "$CT" sleep 99 >/dev/null 2>&1 </dev/null
	local other
	other=$(pgrep -f '^sleep 99$' | head -n 1)
	is "$(grep -c "$TAG" "/proc/$other/cgroup")" "$(grep -c "$TAG" "/proc/$(pid_of)/cgroup")"
}

@test "exec: the exit status is passed on" {
	sleeper
	run oci exec "$CT" sh -c 'exit 42'
	is "$status" 42
	run oci exec "$CT" true
	is "$status" 0
}

@test "exec: death by a signal is 128 and its number" {
	sleeper
	run oci exec "$CT" sh -c 'kill -9 $$'
	is "$status" 137
}

@test "exec: stdin, stdout and stderr are the program's" {
	sleeper
	oci exec "$CT" sh -c 'read x; echo out $x; echo err >&2' <<<word >"$WORLD/o" 2>"$WORLD/e"
	is "$(cat "$WORLD/o")" "out word"
	is "$(cat "$WORLD/e")" err
}

@test "exec: a missing program is exit 255, and named" {
	sleeper
	run oci exec "$CT" no-such-program
	[ "$status" -ne 0 ]
	has "$output" no-such-program
	if is_dhow || [ "$RUNTIME_NAME" = runc ]; then is "$status" 255; fi
}

@test "exec: a container that does not exist is an error" {
	run oci exec "$TAG-none" true
	[ "$status" -ne 0 ]
	has "$output" exist
}

@test "exec: a stopped container is refused" {
	bundle
	start_it
	wait_stopped
	run oci exec "$CT" true
	[ "$status" -ne 0 ]
}

@test "exec: a created container is entered, too" {
	# Until start, the process is the runtime's own, which a normal user may not look into.
	need_root
	bundle
	create_it
	run oci exec "$CT" cat /data/file
	is "$output" here
}

@test "exec: without a command is a usage error" {
	sleeper
	run oci exec "$CT"
	[ "$status" -ne 0 ]
}

@test "exec: the environment is the container's" {
	sleeper '.process.env += ["FROM=config"]'
	LEAK=host run oci exec "$CT" env
	has "$output" FROM=config
	hasnt "$output" LEAK
}

@test "exec --env: adds and replaces" {
	sleeper '.process.env += ["A=old"]'
	run oci exec --env A=new --env "B=two words" "$CT" sh -c 'echo "$A $B"'
	is "$output" "new two words"
	run oci exec -e A=new -e "B=two words" "$CT" sh -c 'echo "$A $B"'
	is "$output" "new two words"
}

@test "exec --cwd" {
	sleeper
	run oci exec --cwd /data "$CT" pwd
	is "$output" /data
}

@test "exec: the working directory is the container's" {
	sleeper '.process.cwd = "/data"'
	run oci exec "$CT" pwd
	is "$output" /data
}

@test "exec --user: uid and gid" {
	sleeper
	run oci exec --user 12:34 "$CT" sh -c 'id -u; id -g'
	is "$output" $'12\n34'
}

@test "exec --user: a uid alone" {
	sleeper
	run oci exec -u 12 "$CT" sh -c 'id -u'
	is "$output" 12
}

@test "exec --user: what is no number is refused" {
	sleeper
	local user
	for user in root 1x 4294967296 -- -1 "1:" ":1" "1:x" " 1"; do
		run oci exec --user="$user" "$CT" id -u
		is_dhow || { [ "$status" -ne 0 ] || hasnt "$output" 4294967; continue; }
		[ "$status" -ne 0 ] || fail "'$user' was taken for $output"
	done
}

@test "exec --additional-gids" {
	sleeper
	run oci exec --additional-gids 77 --additional-gids 78 "$CT" grep ^Groups: /proc/self/status
	[ "$status" = 0 ] || fail "$output"
	has "$output" 77
	has "$output" 78
}

@test "exec --cap: adds a capability" {
	sleeper
	run oci exec --cap CAP_SYS_ADMIN "$CT" grep -E '^Cap(Bnd|Eff|Prm|Inh)' /proc/self/status
	[ "$status" = 0 ] || fail "$output"
	# 20200420: AUDIT_WRITE, KILL, NET_BIND_SERVICE of the configuration, and SYS_ADMIN.
	has "$output" $'CapEff:\t0000000020200420'
	has "$output" $'CapBnd:\t0000000020200420'
	has "$output" $'CapInh:\t0000000000000000'
}

@test "exec: capabilities are the container's" {
	sleeper 'caps(["CAP_KILL"])'
	run oci exec "$CT" grep ^CapEff /proc/self/status
	is "$output" $'CapEff:\t0000000000000020'
}

@test "exec --no-new-privs" {
	sleeper
	run oci exec --no-new-privs "$CT" grep NoNewPrivs /proc/self/status
	is "$output" $'NoNewPrivs:\t1'
	run oci exec "$CT" grep NoNewPrivs /proc/self/status
	is "$output" $'NoNewPrivs:\t0'
}

@test "exec --process: a file with a process" {
	sleeper
	jq '.process | .args = ["/bin/sh", "-c", "id -u; pwd; echo $A; umask"] | .user = {uid: 9, gid: 9, umask: 7} | .cwd = "/data" |
		.env = ["PATH=/bin", "A=b"]' "$BUNDLE/config.json" >"$WORLD/process.json"
	run oci exec --process "$WORLD/process.json" "$CT"
	is "$output" $'9\n/data\nb\n0007'
}

@test "exec --process: what is no process is refused" {
	sleeper
	echo '{"args": 7}' >"$WORLD/process.json"
	run oci exec --process "$WORLD/process.json" "$CT"
	[ "$status" -ne 0 ]
	run oci exec --process "$WORLD/absent.json" "$CT"
	[ "$status" -ne 0 ]
}

@test "exec --detach and --pid-file: returns, and the number is the host's" {
	sleeper
	oci exec --detach --pid-file "$WORLD/pid" "$CT" sleep 100 </dev/null >/dev/null 2>&1
	is "$(tr '\0' ' ' <"/proc/$(cat "$WORLD/pid")/cmdline")" "sleep 100 "
	is "$(readlink "/proc/$(cat "$WORLD/pid")/ns/pid")" "$(readlink "/proc/$(pid_of)/ns/pid")"
}

@test "exec --tty with --console-socket" {
	sleeper
	agent console "$WORLD/s" "$WORLD/o"
	oci exec --tty --detach --console-socket "$WORLD/s" "$CT" sh -c 'test -t 0 && echo yes; sleep 100' </dev/null >/dev/null 2>&1
	wait_until 5 grep -q yes "$WORLD/o.tty"
}

@test "exec --tty: in the foreground relays the terminal" {
	command -v script >/dev/null || skip "no script(1)"
	sleeper
	run script -qec "'$RUNTIME_PATH' --root '$ROOT' exec --tty '$CT' sh -c 'test -t 1 && echo terminal; exit 6'" /dev/null </dev/null 3>&-
	has "$output" terminal
	is "$status" 6
}

@test "exec --preserve-fds" {
	sleeper
	echo three >"$WORLD/3"
	run "$RUNTIME_PATH" --root "$ROOT" exec --preserve-fds 1 "$CT" sh -c 'cat <&3' 3<"$WORLD/3" </dev/null
	is "$output" three
}

@test "exec: no descriptor of the host is left open" {
	sleeper
	exec 17</etc/passwd
	run oci exec "$CT" probe fds
	exec 17<&-
	is "$output" ""
	is "$status" 0
}

@test "exec --pidfd-socket" {
	sleeper
	agent pidfd "$WORLD/s" "$WORLD/o"
	oci exec --detach --pid-file "$WORLD/pid" --pidfd-socket "$WORLD/s" "$CT" sleep 100 </dev/null >"$WORLD/out" 2>&1 ||
		fail "exit $?: $(head -n 1 "$WORLD/out")"
	wait_until 5 grep -q ^end "$WORLD/o"
	like "$(cat "$WORLD/o")" "Pid:[[:space:]]+$(cat "$WORLD/pid")"
}

@test "exec: a paused container is refused" {
	sleeper
	oci pause "$CT"
	run timeout 10 "$RUNTIME_PATH" --root "$ROOT" exec "$CT" true 3>&-
	[ "$status" -ne 0 ]
	[ "$status" -ne 124 ] || fail "hangs"
	has "$output" paused
	oci resume "$CT"
}

@test "exec --ignore-paused: is let in, and goes on after resume" {
	sleeper
	oci pause "$CT"
	timeout 10 "$RUNTIME_PATH" --root "$ROOT" exec --ignore-paused "$CT" true 3>&- </dev/null >"$WORLD/o" 2>&1 &
	local pid=$!
	sleep 0.1
	oci resume "$CT"
	wait "$pid" || fail "exit $?: $(cat "$WORLD/o")"
}

@test "exec --cgroup: a sub-cgroup" {
	need_v1 pids
	sleeper
	mkdir "/sys/fs/cgroup/pids$CGROUP/sub"
	run oci exec --cgroup pids:sub "$CT" grep :pids: /proc/self/cgroup
	[ "$status" = 0 ] || fail "$output"
	like "$output" "$TAG-c/sub$"
}

@test "exec --cgroup: one that does not exist is refused" {
	need_v1 pids
	sleeper
	run oci exec --cgroup pids:absent "$CT" true
	[ "$status" -ne 0 ]
}

@test "exec --cgroup: one outside of the container's is refused" {
	need_v1 pids
	sleeper
	run oci exec --cgroup pids:../.. "$CT" true
	[ "$status" -ne 0 ]
}

@test "exec --apparmor and --process-label: without the module are refused" {
	is_dhow || skip "peers ignore what is absent"
	sleeper
	if [ ! -e /sys/module/apparmor/parameters/enabled ]; then
		run oci exec --apparmor some-profile "$CT" true
		[ "$status" -ne 0 ]
	fi
	if [ ! -e /sys/fs/selinux/enforce ]; then
		run oci exec --process-label system_u:system_r:container_t:s0 "$CT" true
		[ "$status" -ne 0 ]
	fi
}

@test "exec: joins a user namespace as its root" {
	sleeper userns
	run oci exec "$CT" sh -c 'id -u; cat /proc/self/uid_map'
	is "${lines[0]}" 0
	is "$(xargs <<<"${lines[1]}")" "0 100000 65536"
}

@test "exec: joins a time namespace" {
	sleeper 'ns("time")'
	run oci exec "$CT" readlink /proc/self/ns/time
	is "$output" "$(readlink "/proc/$(pid_of)/ns/time")"
}

@test "exec: hooks don't run again" {
	bundle '.process.args = ["/bin/sleep", "100"] | hook("createRuntime"; "echo x >>" + $w + "/ran") | hook("poststart"; "echo x >>" + $w + "/ran")'
	start_it
	oci exec "$CT" true
	is "$(wc -l <"$WORLD/ran")" 2
}

@test "exec: fifty in a row" {
	sleeper
	local n
	for n in {1..50}; do
		run oci exec "$CT" sh -c "exit $n"
		is "$status" "$n"
	done
}
