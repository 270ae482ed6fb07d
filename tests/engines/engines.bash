# SPDX-License-Identifier: GPL-2.0-or-later
# Real engines on private roots and sockets, told to use a given OCI runtime. Each function runs the engine's command
# line; start_ENGINE starts its daemon where it has one. DHOW_OCI is the runtime under test.

: "${DHOW_OCI:=$(command -v dhow-oci)}"

# A directory per bats file, so that daemons start once.
make_world() {
	WORLD=$(mktemp -d /tmp/dhow-engines.XXXXXX)
	chmod 755 "$WORLD"
	mkdir -p "$WORLD"/rootfs/{bin,etc,tmp,proc,sys,dev}
	cp "$(command -v busybox)" "$WORLD/rootfs/bin/busybox"
	local applet
	for applet in sh ls cat sleep echo true false id ps mount stty tty kill env hostname dd seq trap head tr; do
		ln -sf busybox "$WORLD/rootfs/bin/$applet"
	done
	echo 'root:x:0:0:root:/root:/bin/sh' >"$WORLD/rootfs/etc/passwd"
	export WORLD
}

drop_world() {
	[ -n "${WORLD:-}" ] || return 0
	local pid
	for pid in "$WORLD"/*.daemon; do
		[ -f "$pid" ] && kill "$(cat "$pid")" 2>/dev/null
	done
	for pid in "$WORLD"/*.daemon; do
		[ -f "$pid" ] && await "daemon $pid gone" 20 gone "$(cat "$pid")"
	done
	grep -o " $WORLD[^ ]*" /proc/self/mountinfo | sort -r | while read -r m; do umount -l "$m"; done
	rm -rf "$WORLD"
}

# Of systemd's.
is_no_unit() { [ "$(systemctl show -p LoadState --value "$1")" = not-found ]; }

gone() { ! kill -0 "$1" 2>/dev/null; }

# await WHAT SECONDS COMMAND...: polls until COMMAND succeeds.
await() {
	local what=$1 end=$((SECONDS + $2))
	shift 2
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt $end ] || { echo "gave up waiting for $what" >&2; return 1; }
		sleep 0.05
	done
}

need_engine() {
	[ "$(id -u)" = 0 ] || skip "needs root"
	command -v "$1" >/dev/null || skip "$1 is not installed"
}

# docker: the daemon knows the runtime under test and runc, which it has itself.
docker_() { command docker -H "unix://$WORLD/docker.sock" "$@"; }

start_docker() {
	dockerd --data-root "$WORLD/docker" --exec-root "$WORLD/docker-exec" --pidfile "$WORLD/docker.pid" \
		-H "unix://$WORLD/docker.sock" --bridge=none --iptables=false --ip6tables=false --storage-driver vfs \
		--add-runtime "dhow=$DHOW_OCI" >"$WORLD/docker.log" 2>&1 3>&- &
	echo $! >"$WORLD/docker.daemon"
	await dockerd 30 docker_ version || { tail "$WORLD/docker.log" >&2; return 1; }
	tar -C "$WORLD/rootfs" -c . | docker_ import - base >/dev/null
}

# containerd through ctr: RUNTIME is a path.
ctr_() { command ctr --address "$WORLD/containerd.sock" "$@"; }

start_containerd() {
	containerd --config /dev/null --root "$WORLD/containerd" --state "$WORLD/containerd-state" \
		--address "$WORLD/containerd.sock" >"$WORLD/containerd.log" 2>&1 3>&- &
	echo $! >"$WORLD/containerd.daemon"
	await containerd 30 ctr_ version
}

# No pipe for its errors: conmon keeps whatever is open. It also leaves a file "oom" where it stands. Locks are in files
# below the world, not in the one shared memory object that all podmen of a host use.
podman_() {
	local status=0
	cd "$WORLD" || return
	[ -e containers.conf ] || printf '[engine]\nlock_type = "file"\n' >containers.conf
	CONTAINERS_CONF=$WORLD/containers.conf command podman --log-level error --root "$WORLD/podman" \
		--runroot "$WORLD/podman-run" --tmpdir "$WORLD/podman-tmp" --cgroup-manager cgroupfs --events-backend file \
		"$@" 2>"$WORLD/podman.errors" || status=$?
	grep -v 'CNI config' "$WORLD/podman.errors" >&2 || :
	return $status
}
