# SPDX-License-Identifier: GPL-2.0-or-later
# No descriptor of the host, and no file of the host's through one, reaches a container: CVE-2024-21626, CVE-2016-9962.
load ../helpers

# A program of the host outside the root. Where it runs in a container it says so.
canary()
{
	cp "$DHOW_TESTS_BASE/rootfs/bin/busybox" "$WORLD/sh"
	chmod 755 "$WORLD/sh"
}

# Starts the shell text with a host directory open at 9 and a host file at 10, neither close-on-exec.
with_leaks()
{
	run bash -c "exec 9<'$WORLD' 10<'$DHOW_TESTS_BASE/rootfs/data/file'; $1"
}

@test "run: the program has its three streams and nothing else" {
	bundle '.process.args = ["/bin/probe", "fds"]'
	with_leaks "'$RUNTIME_PATH' --root '$ROOT' run --bundle '$BUNDLE' $CT </dev/null 3>&- 4>&-"
	is "$status" 0
	is "$output" ""
}

@test "create and start: the program has its three streams and nothing else" {
	bundle '.process.args = ["/bin/sh", "-c", "/bin/probe fds; echo done"]'
	with_leaks "'$RUNTIME_PATH' --root '$ROOT' create --bundle '$BUNDLE' $CT </dev/null >'$BUNDLE/out' 2>&1 3>&- 4>&-"
	is "$status" 0
	with_leaks "'$RUNTIME_PATH' --root '$ROOT' start $CT 3>&- 4>&-"
	wait_stopped
	is "$(cat "$BUNDLE/out")" "done"
}

@test "exec: the program has its three streams and nothing else" {
	sleeper
	with_leaks "'$RUNTIME_PATH' --root '$ROOT' exec $CT /bin/probe fds </dev/null 3>&- 4>&-"
	is "$status" 0
	is "$output" ""
}

@test "hooks: none gets a descriptor but its streams" {
	local kinds="prestart createRuntime createContainer startContainer poststart poststop" kind
	bundle '(["prestart", "createRuntime", "createContainer", "poststart", "poststop"] | map({key: ., value: [
		{path: ($w + "/probe"), args: ["sh", "-c", "\($w)/probe fds >\($w)/fds.\(.); echo end >>\($w)/fds.\(.)"]}]})
		| from_entries) as $h | .hooks = $h
		| .hooks.startContainer = [{path: "/bin/sh", args: ["sh", "-c", "/bin/probe fds >/tmp/fds; echo end >>/tmp/fds"]}]'
	cp "$DHOW_TESTS_BASE/rootfs/bin/probe" "$WORLD/probe"
	config '.hooks |= with_entries(if .key == "startContainer" then . else .value[0].path = "/bin/sh" end)'
	with_leaks "'$RUNTIME_PATH' --root '$ROOT' run --bundle '$BUNDLE' $CT </dev/null 3>&- 4>&-"
	is "$status" 0
	cp "$BUNDLE/rootfs/tmp/fds" "$WORLD/fds.startContainer"
	for kind in $kinds; do is "$(cat "$WORLD/fds.$kind")" end "$kind"; done
}

@test "--preserve-fds: passes on those, and no more" {
	bundle '.process.args = ["/bin/sh", "-c", "cat <&3; cat <&4; /bin/probe fds | wc -l"]'
	echo one >"$WORLD/one"
	echo two >"$WORLD/two"
	run bash -c "'$RUNTIME_PATH' --root '$ROOT' run --preserve-fds 2 --bundle '$BUNDLE' $CT \
		3<'$WORLD/one' 4<'$WORLD/two' 5<'$WORLD' 9<'$WORLD' </dev/null"
	is "$output" $'one\ntwo\n2'
	sleeper -n s
	run bash -c "'$RUNTIME_PATH' --root '$ROOT' exec --preserve-fds 2 $CT /bin/sh -c 'cat <&4; /bin/probe fds | wc -l' \
		3<'$WORLD/one' 4<'$WORLD/two' 5<'$WORLD' 9<'$WORLD' </dev/null"
	is "$output" $'two\n2'
}

@test "process.args: /proc/self/fd/N leads to no program of the host" {
	local n
	canary
	bundle
	for n in {3..16}; do
		config '.process.args = [$p, "-c", "echo host"]' --arg p "/proc/self/fd/$n/../sh"
		run bash -c "exec 15<'$WORLD/.'; '$RUNTIME_PATH' --root '$ROOT' run --bundle '$BUNDLE' $CT 3>&- 4>&-" </dev/null
		[ "$status" != 0 ] || fail "descriptor $n: $output"
		[ ! -e "$ROOT/$CT" ] || fail "state is left behind"
	done
	config '.process.args = ["/proc/self/fd/15/sh", "-c", "echo host"]'
	run bash -c "exec 15<'$WORLD/.'; '$RUNTIME_PATH' --root '$ROOT' run --bundle '$BUNDLE' $CT 3>&- 4>&-" </dev/null
	[ "$status" != 0 ] || fail "an inherited descriptor: $output"
}

@test "exec: /proc/self/fd/N leads to no program of the host" {
	local n
	canary
	sleeper
	for n in {3..16}; do
		run bash -c "exec 15<'$BUNDLE/.'; '$RUNTIME_PATH' --root '$ROOT' exec $CT /proc/self/fd/$n/../sh -c 'echo host'" 3>&- 4>&-
		[ "$status" = 255 ] || fail "descriptor $n: $status $output"
	done
}

# The kernel opens the interpreter of a script, as that of an ELF program, before it closes descriptors.
@test "a script's interpreter: /proc/self/fd/N leads to no program of the host" {
	local n
	canary
	bundle '.process.args = ["/script"]'
	for n in {3..12}; do
		printf '#!/proc/self/fd/%s/../sh\necho host\n' "$n" >"$BUNDLE/rootfs/script"
		chmod 755 "$BUNDLE/rootfs/script"
		run_it
		[ "$status" != 0 ] || fail "descriptor $n: $output"
	done
}

@test "a startContainer hook's interpreter: /proc/self/fd/N leads to no program of the host" {
	local n
	canary
	bundle '.hooks.startContainer = [{path: "/script"}]'
	for n in {3..10}; do
		printf '#!/proc/self/fd/%s/../sh\necho host >/tmp/host\n' "$n" >"$BUNDLE/rootfs/script"
		chmod 755 "$BUNDLE/rootfs/script"
		run_it
		[ "$status" = 1 ] || fail "descriptor $n: $output"
		[ ! -e "$BUNDLE/rootfs/tmp/host" ] || fail "descriptor $n: ran"
	done
}

@test "process.cwd: /proc/self/fd/N and a link to it are refused" {
	local n
	bundle 'sh("cat canary")'
	echo host >"$BUNDLE/canary"
	ln -s /proc/self/fd/8 "$BUNDLE/rootfs/link"
	for n in 3 4 5 6 7 8 9 15; do
		config '.process.cwd = $d' --arg d "/proc/self/fd/$n"
		run bash -c "exec 8<'$BUNDLE/.' 15<'$BUNDLE/.'; '$RUNTIME_PATH' --root '$ROOT' run --bundle '$BUNDLE' $CT 3>&- 4>&-" </dev/null
		is "$status" 1
		hasnt "$output" host
		has "$output" cwd
	done
	config '.process.cwd = "/link"'
	run bash -c "exec 8<'$BUNDLE/.'; '$RUNTIME_PATH' --root '$ROOT' run --bundle '$BUNDLE' $CT 3>&- 4>&-" </dev/null
	is "$status" 1
	hasnt "$output" host
}

@test "exec --cwd: /proc/self/fd/N, a link to it, /proc/1/cwd are refused" {
	local cwd
	sleeper
	echo host >"$BUNDLE/canary"
	ln -s /proc/self/fd/8 "$BUNDLE/rootfs/link"
	for cwd in /proc/self/fd/{3..9} /proc/self/fd/../fd/8 /link /link/.. /proc/1/cwd /proc/1/root /proc/self/cwd; do
		run bash -c "exec 8<'$BUNDLE/.'; '$RUNTIME_PATH' --root '$ROOT' exec --cwd '$cwd' $CT cat canary 3>&- 4>&-"
		is "$status" 255 "$cwd"
		hasnt "$output" host
	done
}

@test "process.cwd: .. and a link to / end at the container's root" {
	ln_root() { ln -sfn "$1" "$BUNDLE/rootfs/up"; }
	bundle 'sh("pwd; ls -d data") | .process.cwd = "/../../.."'
	run_ok
	is "$output" $'/\ndata'
	config '.process.cwd = "/up"'
	ln_root ../../../..
	run_ok
	is "$output" $'/\ndata'
	ln_root /
	run_ok
	is "$output" $'/\ndata'
}

# The runtime's open files as others in its PID namespace see them; here the host.
@test "a created container's process holds nothing of the host's but its streams and sockets" {
	bundle
	create_it
	local fd target
	for fd in "/proc/$(pid_of)"/fd/*; do
		target=$(readlink "$fd")
		case ${fd##*/} in 0 | 1 | 2) continue ;; esac
		like "$target" '^socket:'
	done
}
