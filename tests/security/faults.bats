# SPDX-License-Identifier: GPL-2.0-or-later
# What goes wrong around a container: full disks, sockets and hooks that misbehave, processes that won't die.
load ../helpers

full_root()
{
	mkdir -p "$WORLD/small"
	mount -t tmpfs -o "$1" tmpfs "$WORLD/small"
	at_end 'umount -l "$WORLD/small"'
	ROOT=$WORLD/small/root
	mkdir -p "$ROOT"
}

@test "a full --root (blocks, inodes): one line, exit 1, nothing left, and it works again when there is room" {
	local inodes
	bundle
	full_root size=64k
	dd if=/dev/zero of="$WORLD/small/fill" bs=4k 2>/dev/null || true
	refuses space
	is "$(ls -A "$ROOT")" ""
	run oci list
	is "$status" 0
	rm "$WORLD/small/fill"
	run_ok
	for inodes in 3 4 5 6 7 8; do
		umount "$WORLD/small"
		mount -t tmpfs -o nr_inodes=$inodes tmpfs "$WORLD/small"
		mkdir "$ROOT"
		run_it
		[ "$status" = 0 ] || has "$output" space
		is "$(ls -A "$ROOT")" ""
	done
}

@test "a --root that fills up while a container runs: it can be listed, killed and deleted" {
	full_root size=1m
	sleeper
	dd if=/dev/zero of="$WORLD/small/fill" bs=4k 2>/dev/null || true
	is "$(state_of)" running
	run oci exec "$CT" echo hello
	is "$output" hello
	run oci kill "$CT" KILL
	is "$status" 0
	wait_stopped
	run oci delete "$CT"
	is "$status" 0
}

@test "--pid-file on a full disk, in no directory, or a directory itself: one line, and the container is gone" {
	local file
	bundle '.process.args = ["/bin/sleep", "100"]'
	mkdir "$WORLD/full"
	mount -t tmpfs -o size=4k tmpfs "$WORLD/full"
	at_end 'umount -l "$WORLD/full"'
	dd if=/dev/zero of="$WORLD/full/fill" bs=4k 2>/dev/null || true
	for file in "$WORLD/full/pid" "$WORLD/none/pid" "$WORLD/full"; do
		create_try --pid-file "$file"
		is "$status" 1 "$file"
		is "$(wc -l <<<"$output")" 1
		[ ! -e "$ROOT/$CT" ] || fail "state is left"
		wait_until 3 no_cgroups_left || fail "cgroups are left"
	done
	is "$(ls "$WORLD/full")" fill
}

@test "--console-socket that is absent, no socket, unheard, or of a long path: one line, nothing left" {
	local socket
	bundle '.process.terminal = true'
	echo >"$WORLD/file"
	mkfifo "$WORLD/fifo"
	agent console "$WORLD/dead" "$WORLD/out"
	kill "${AGENTS[0]}"
	wait "${AGENTS[0]}" 2>/dev/null || true
	for socket in "$WORLD/none" "$WORLD/file" "$WORLD/fifo" "$WORLD" "$WORLD/dead" "$WORLD/$(printf 'x%.0s' {1..300})"; do
		run timeout 10 "$RUNTIME_PATH" --root "$ROOT" create --bundle "$BUNDLE" --console-socket "$socket" "$CT" </dev/null 3>&- 4>&-
		is "$status" 1 "$socket"
		is "${#lines[@]}" 1
		[ ! -e "$ROOT/$CT" ] || fail "$socket: state is left"
	done
	mkdir -p "$WORLD/$(printf 'y%.0s' {1..120})"
	socket=$WORLD/$(printf 'y%.0s' {1..120})/s
	(cd "${socket%/*}" && "$DHOW_TESTS_BASE/agent" console s "$WORLD/out" 3>&- 4>&- & echo $! >"$WORLD/agent")
	AGENTS+=("$(cat "$WORLD/agent")")
	wait_until 5 test -S "$socket"
	create_try --console-socket "$socket"
	is "$status" 0 "a long path"
}

@test "a hook that hangs is ended by its timeout with what it started, and nothing is left" {
	bundle '.hooks.createRuntime = [{path: "/bin/sh", args: ["sh", "-c", "sleep 321 & sleep 321"], timeout: 1}]'
	refuses createRuntime
	! pgrep -fx "sleep 321" >/dev/null || fail "the hook's child is left"
	bundle '.hooks.createContainer = [{path: "/bin/sh", args: ["sh", "-c", "trap \"\" TERM; sleep 322"], timeout: 1}]'
	refuses createContainer
	wait_until 2 sh -c '! pgrep -fx "sleep 322" >/dev/null' || fail "the hook's child is left"
}

@test "a hook that leaves a daemon with all its descriptors holds nobody up" {
	bundle '.hooks.createRuntime = [{path: "/bin/sh", args: ["sh", "-c", "sleep 20 & echo $! >\($w)/daemon"]}] | sh("echo ran")'
	local begin=$SECONDS
	run timeout 15 "$RUNTIME_PATH" --root "$ROOT" run --bundle "$BUNDLE" "$CT" </dev/null 3>&- 4>&-
	kill "$(cat "$WORLD/daemon")"
	is "$output" ran
	[ $((SECONDS - begin)) -lt 10 ] || fail "waited for the daemon"
}

@test "a hook that fails, is killed, is missing, or prints without end: one line, nothing left" {
	local script
	for script in 'exit 3' 'kill -9 $$' 'head -c 3000000 /dev/zero | tr "\\0" "\\n"; exit 1' 'printf "a\nb\033[2J"; exit 1' 'cat /dev/zero | head -c 100000; exit 1'; do
		bundle '.hooks.createRuntime = [{path: "/bin/sh", args: ["sh", "-c", $s]}]' --arg s "$script"
		refuses createRuntime
	done
	bundle '.hooks.createRuntime = [{path: "/none"}]'
	refuses createRuntime
	bundle '.hooks.createRuntime = [{path: $w}]'
	refuses createRuntime
	bundle '.hooks.createRuntime = [{path: "/bin/true", timeout: 0}]'
	refuses timeout
	bundle '.hooks.createRuntime = [{path: "/bin/true", timeout: 9000000000000000000}]'
	run_it
	[ "$status" = 0 ] || is "${#lines[@]}" 1
}

@test "a hook gets the environment of its own, and nothing of the caller's or the container's" {
	bundle '.process.env += ["LD_PRELOAD=/evil.so"] | .hooks.createRuntime = [{path: "/usr/bin/env", env: ["A=b"]}, {path: "/bin/sh", args: ["sh", "-c", "tr \"\\0\" \"\\n\" </proc/self/environ >\($w)/env"]}]'
	SECRET=word run_it
	is "$status" 0
	run grep -cE 'SECRET|LD_PRELOAD|_DHOW' "$WORLD/env"
	is "$output" 0
}

@test "the container's environment is its own: nothing of the caller's" {
	bundle 'sh("env")'
	SECRET=word LD_PRELOAD='' _DHOW_SEALED=1 run_it
	is "$(sort <<<"$output" | cut -d= -f1 | grep -vE '^(PWD|SHLVL|HOME|PATH|_)$')" ""
}

@test "a fork bomb within pids.limit is ended by kill --all, and by delete --force" {
	local how
	need_v1 pids
	for how in "kill --all" "delete --force"; do
		bundle '.process.args = ["/attacker", "fork"] | .linux.resources.pids.limit = 60'
		cp "$DHOW_TESTS_BASE/attacker" "$BUNDLE/rootfs/attacker"
		start_it
		wait_until 5 sh -c "[ \$(cat /sys/fs/cgroup/pids$CGROUP/pids.current) -ge 60 ]" || fail "no bomb"
		run timeout 20 "$RUNTIME_PATH" --root "$ROOT" $how "$CT" $([ "$how" = "kill --all" ] && echo KILL) </dev/null 3>&- 4>&-
		is "$status" 0 "$how: $output"
		[ "$how" = "delete --force" ] || { wait_stopped; oci delete "$CT"; }
		wait_until 3 no_cgroups_left || fail "$how: left $(cgroups_left)"
		wait_until 3 no_processes_left
	done
}

@test "a paused container with processes is deleted by force, and killed with --all" {
	sleeper
	oci exec --detach "$CT" /bin/sleep 99 >/dev/null 2>&1 </dev/null
	oci pause "$CT"
	run timeout 20 "$RUNTIME_PATH" --root "$ROOT" delete --force "$CT" </dev/null
	is "$status" 0
	sleeper
	oci pause "$CT"
	run timeout 20 "$RUNTIME_PATH" --root "$ROOT" kill --all "$CT" KILL </dev/null
	is "$status" 0
	wait_stopped
}

@test "a container without a PID namespace leaves no process when it is deleted" {
	bundle 'no_pidns | sh("sleep 97 & sleep 97 & setsid sleep 97 & exec sleep 97")'
	start_it
	wait_until 5 sh -c '[ $(pgrep -fxc "sleep 97") -ge 4 ]'
	oci delete --force "$CT"
	wait_until 3 sh -c '! pgrep -fx "sleep 97" >/dev/null' || fail "processes are left"
}

@test "a cgroup that others are in is refused, in whichever hierarchy, and they live" {
	local hierarchy
	need_v1 devices
	at_end 'rmdir /sys/fs/cgroup/*/"$TAG-c" 2>/dev/null'
	bundle
	sleep 100 3>&- 4>&- &
	AGENTS+=($!)
	for hierarchy in devices pids memory unified; do
		[ -d "/sys/fs/cgroup/$hierarchy" ] || continue
		mkdir "/sys/fs/cgroup/$hierarchy/$TAG-c"
		echo "${AGENTS[0]}" >"/sys/fs/cgroup/$hierarchy/$TAG-c/cgroup.procs"
		refuses cgroup "not empty"
		kill -0 "${AGENTS[0]}" || fail "$hierarchy: the other process was killed"
		is "$(cgroups_left)" "/sys/fs/cgroup/$hierarchy/$TAG-c" "what is left"
		echo "${AGENTS[0]}" >"/sys/fs/cgroup/$hierarchy/cgroup.procs"
		rmdir "/sys/fs/cgroup/$hierarchy/$TAG-c"
	done
}

@test "descriptors run out: one line, nothing left" {
	local n
	bundle
	# The host's other cgroups stay, those without processes as well.
	mkdir "$(unified)/$TAG-other"
	at_end 'rmdir "$(unified)/$TAG-other"'
	for n in 4 5 6 7 8 10 12 16 20; do
		run bash -c "ulimit -n $n; exec '$RUNTIME_PATH' --root '$ROOT' run --bundle '$BUNDLE' $CT" </dev/null 3>&- 4>&-
		[ "$status" = 0 ] || [ "$status" = 1 ] || fail "$n: exit $status: $output"
		[ "$status" = 0 ] || [ -n "$output" ] || fail "$n: no error"
		[ ! -e "$ROOT/$CT" ] || fail "$n: state is left"
		is "$(cgroups_left)" "$(unified)/$TAG-other" "$n: cgroups"
	done
}

# strace fails the N-th call of a kind, in the runtime and in the container's process.
@test "system calls that fail: run says so in a line, or goes on, and leaves nothing" {
	command -v strace >/dev/null || skip "no strace"
	local call n failed=0
	bundle
	for call in clone3 openat2 mount_setattr move_mount fsopen fsmount open_tree mkdirat write renameat2 socketpair sendmsg recvmsg mmap pivot_root \
		umount2 setsid capset setgid setgroups; do
		# A dynamic program's first pages are its loader's.
		[ "$call" != mmap ] || ! ldd "$RUNTIME_PATH" >/dev/null 2>&1 || continue
		for n in 1 3; do
			run timeout 20 strace -f -o /dev/null -e trace=$call -e inject=$call:error=ENOMEM:when=$n \
				"$RUNTIME_PATH" --root "$ROOT" run --bundle "$BUNDLE" "$CT" </dev/null 3>&- 4>&-
			case $status in
			0) ;;
			1) failed=$((failed + 1)) ;;
			# The first pages of all: the C library can't say anything.
			127 | 139) [ "$call" = mmap ] || fail "$call $n: exit $status: $output" ;;
			*) fail "$call $n: exit $status: $output" ;;
			esac
			[ ! -e "$ROOT/$CT" ] || fail "$call $n: state is left: $output"
			wait_until 3 no_cgroups_left || fail "$call $n: left $(cgroups_left): $output"
		done
	done
	[ "$failed" -ge 10 ] || fail "only $failed of the calls failed"
}
