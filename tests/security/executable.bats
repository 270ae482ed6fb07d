# SPDX-License-Identifier: GPL-2.0-or-later
# The runtime's own executable can't be written from a container: CVE-2019-5736. Each test runs a copy of the runtime, so
# that an attack that succeeds spoils only that.
load ../helpers

setup()
{
	world_make
	[ "$RUNTIME_NAME" = dhow-oci ] || skip "the attack names its victim by dhow-oci's flags"
	! ldd "$RUNTIME_PATH" 2>/dev/null | grep -q asan || skip "a sanitized build is dynamic and can't run in the container"
	cp "$RUNTIME_PATH" "$WORLD/runtime"
	RUNTIME_PATH=$WORLD/runtime
	SUM=$(sha256sum <"$WORLD/runtime")
}

teardown()
{
	[ -z "${SUM-}" ] || is "$(sha256sum <"$WORLD/runtime")" "$SUM" "the runtime's executable" || BROKEN=1
	world_remove || BROKEN=1
	[ -z "${BROKEN-}" ]
}

# In the container: opens the executable of process $1, and writes to it, first while it runs and then when it is gone.
ATTACK='
exec 5<"/proc/$1/exe" || exit 9
echo got
printf x 1<>/proc/self/fd/5 && echo written
printf x >>/proc/self/fd/5 && echo appended
printf x 1<>"/proc/$1/exe" && echo written
: </fifo
while [ -e "/proc/$1" ] && [ "$1" != 1 ] && ! grep -q "State:.Z" "/proc/$1/status"; do :; done
i=0
while [ $i -lt 50 ]; do
	printf x 1<>/proc/self/fd/5 && echo written
	i=$((i + 1))
done 2>/dev/null
echo end'

# The runtime itself, run in the container, stays where it opens its log, a pipe that nobody reads.
blocks_in() { [[ $(cat "/proc/$1/cmdline" 2>/dev/null | tr '\0' ' ') == *"--log"*fifo* ]] && [ "$(cut -d' ' -f3 "/proc/$1/stat")" = S ]; }

@test "process.args /proc/self/exe: the running runtime can't be written" {
	bundle '.process.args = ["/proc/self/exe", "--log", "/fifo", "state", "x"]'
	mkfifo "$BUNDLE/rootfs/fifo"
	start_it
	wait_until 5 blocks_in "$(pid_of)" || fail "the runtime does not run in its container"
	run oci exec "$CT" sh -c "$ATTACK" sh 1
	has "$output" got
	hasnt "$output" written
	hasnt "$output" appended
}

@test "a script's #!/proc/self/exe: the running runtime can't be written" {
	bundle '.process.args = ["/script"]'
	printf '#!/proc/self/exe --log=/fifo\n' >"$BUNDLE/rootfs/script"
	chmod 755 "$BUNDLE/rootfs/script"
	mkfifo "$BUNDLE/rootfs/fifo"
	start_it
	wait_until 5 blocks_in "$(pid_of)" || fail "the runtime does not run in its container"
	run oci exec "$CT" sh -c "$ATTACK" sh 1
	has "$output" got
	hasnt "$output" written
}

@test "exec /proc/self/exe: the running runtime can't be written, nor what it left" {
	local pid inside
	sleeper
	mkfifo "$BUNDLE/rootfs/fifo"
	oci exec --detach --pid-file "$WORLD/pid" "$CT" /proc/self/exe --log /fifo state x >/dev/null 2>&1 </dev/null
	pid=$(cat "$WORLD/pid")
	wait_until 5 blocks_in "$pid" || fail "the runtime does not run in the container"
	inside=$(awk '/^NSpid:/ { print $NF }' "/proc/$pid/status")
	run oci exec "$CT" sh -c "$ATTACK" sh "$inside"
	has "$output" got
	has "$output" end
	hasnt "$output" written
}

@test "a waiting container's process: a neighbour in its PID namespace can't write the executable" {
	local caps='["CAP_SYS_PTRACE", "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH", "CAP_KILL", "CAP_SYS_ADMIN", "CAP_MKNOD"]'
	sleeper -n n "caps($caps)"
	local neighbour=$CT pid
	pid=$(pid_of)
	bundle "join_ns(\"pid\"; \"/proc/$pid/ns/pid\")"
	create_it
	run oci exec --cap CAP_SYS_PTRACE "$neighbour" sh -c '
		for p in /proc/[0-9]*; do
			case $(readlink $p/exe) in */runtime | /) ;; *) continue ;; esac
			exec 5<$p/exe || continue
			echo got
			printf x 1<>/proc/self/fd/5 && echo written
			mount -o remount,rw,bind /proc/self/fd/5 && echo remounted
			mount -o bind /proc/self/fd/5 /mnt && echo bound
		done'
	echo "$output"
	has "$output" got
	hasnt "$output" written
	hasnt "$output" remounted
	hasnt "$output" bound
}

@test "the mark in the environment alone does not make the executable count as protected" {
	sleeper
	mkfifo "$BUNDLE/rootfs/fifo"
	_DHOW_SEALED=1 oci exec --detach --pid-file "$WORLD/pid" "$CT" /proc/self/exe --log /fifo state x >/dev/null 2>&1 </dev/null
	wait_until 5 blocks_in "$(cat "$WORLD/pid")" || fail "the runtime does not run in the container"
	run oci exec "$CT" sh -c "$ATTACK" sh "$(awk '/^NSpid:/ { print $NF }' "/proc/$(cat "$WORLD/pid")/status")"
	has "$output" got
	hasnt "$output" written
}

@test "no library of the container is loaded: the program is static" {
	local interpreter
	command -v readelf >/dev/null || skip "no readelf"
	interpreter=$(readelf -lW "$RUNTIME_PATH" | grep INTERP || :)
	[ -z "$interpreter" ] || ! grep -q asan <(ldd "$RUNTIME_PATH") || skip "a sanitized build is dynamic"
	is "$interpreter" ""
}
