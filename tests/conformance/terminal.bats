# SPDX-License-Identifier: GPL-2.0-or-later
# process.terminal, process.consoleSize, --console-socket.
load ../helpers

# A container whose terminal goes to an agent; TEXT is typed into it. Its output: $WORLD/o.tty
with_terminal()
{
	agent console "$WORLD/s" "$WORLD/o" "${1-}"
	create_it --console-socket "$WORLD/s"
	oci start "$CT"
}

@test "process.terminal: the three streams are one terminal, and /dev/console" {
	bundle '.process.terminal = true | sh("tty; test -t 0 && test -t 1 && test -t 2 && echo all; ls -l /dev/console; cat; sleep 100")'
	with_terminal
	wait_until 5 grep -q all "$WORLD/o.tty"
	has "$(cat "$WORLD/o.tty")" /dev/
	like "$(tr '\n' ' ' <"$WORLD/o.tty")" 'c[rwx-]{9}.*/dev/console'
}

@test "process.terminal: the socket receives one descriptor and its name" {
	bundle '.process.terminal = true | .process.args = ["/bin/sleep", "100"]'
	with_terminal
	wait_file "$WORLD/o"
	has "$(cat "$WORLD/o")" "fds 1"
	like "$(cat "$WORLD/o")" 'name .*pt'
}

@test "process.terminal: what is typed reaches the program" {
	bundle '.process.terminal = true | sh("echo ready; read x; echo got $x; sleep 100")'
	with_terminal $'hello\n'
	wait_until 5 grep -q "got hello" "$WORLD/o.tty"
}

@test "process.terminal: it is the controlling terminal" {
	bundle '.process.terminal = true | sh("echo x >/dev/tty && echo opened; sleep 100")'
	with_terminal
	wait_until 5 grep -q opened "$WORLD/o.tty"
}

@test "process.terminal: control-C interrupts the program" {
	bundle '.process.terminal = true | sh("trap \"echo interrupted\" INT; echo ready; while :; do sleep 0.02; done")'
	with_terminal $'\x03'
	wait_until 5 grep -q interrupted "$WORLD/o.tty"
}

@test "process.consoleSize: is the terminal's" {
	bundle '.process.terminal = true | .process.consoleSize = {height: 25, width: 91} | sh("stty size; sleep 100")'
	with_terminal
	wait_until 5 grep -q "25 91" "$WORLD/o.tty"
}

@test "process.consoleSize: height and width are required" {
	is_dhow || skip "the schema asks for them; peers take absent ones for 0"
	local key
	for key in height width; do
		bundle -n "$key" '.process.terminal = true | .process.consoleSize = ({height: 1, width: 1} | del(.[$k]))' --arg k "$key"
		refuses process.consoleSize "$key"
	done
}

@test "process.terminal: the terminal belongs to the program's user" {
	bundle '.process.terminal = true | .process.user = {uid: 7, gid: 7} | sh("stat -L -c owner=%u /proc/self/fd/0; sleep 100")'
	with_terminal
	wait_until 5 grep -q "owner=7" "$WORLD/o.tty"
}

@test "process.terminal: create without a console socket is refused" {
	bundle '.process.terminal = true'
	create_try
	[ "$status" -ne 0 ]
	is_dhow || PEER_REFUSED=1
}

@test "process.terminal: a console socket without it is refused" {
	bundle '.process.args = ["/bin/sleep", "100"]'
	agent console "$WORLD/s" "$WORLD/o"
	create_try --console-socket "$WORLD/s"
	[ "$status" -ne 0 ]
	is_dhow || PEER_REFUSED=1
}

@test "process.terminal: works in a user namespace" {
	bundle 'userns | .process.terminal = true | sh("test -t 0 && echo yes; sleep 100")'
	with_terminal
	wait_until 5 grep -q yes "$WORLD/o.tty"
}

@test "run: in the foreground on a terminal relays it" {
	command -v script >/dev/null || skip "no script(1)"
	bundle '.process.terminal = true | sh("test -t 1 && echo terminal; exit 5")'
	cat >"$WORLD/go" <<-EOF
		exec "$RUNTIME_PATH" --root "$ROOT" run --bundle "$BUNDLE" "$CT"
	EOF
	run script -qec "sh $WORLD/go" /dev/null </dev/null 3>&-
	has "$output" terminal
	is "$status" 5
}
