#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# As a normal user: with the own id alone, which needs nothing of the host, and with newuidmap and newgidmap.
load ../helpers

NORMAL_UID=23456

setup()
{
	world_make
	# Where the user can read it, and with a root of its own.
	mkdir "$WORLD/user"
	cp "$RUNTIME_PATH" "$WORLD/$RUNTIME_NAME"
	cat >"$WORLD/as-user" <<-EOF
		#!/bin/sh
		exec setpriv --reuid $NORMAL_UID --regid $NORMAL_UID --clear-groups --inh-caps=-all \
			env XDG_RUNTIME_DIR="$WORLD/user" HOME="$WORLD/user" "$WORLD/$RUNTIME_NAME" "\$@"
	EOF
	chmod 755 "$WORLD/as-user"
	RUNTIME_PATH=$WORLD/as-user
	ROOT=$WORLD/user/root
	chown $NORMAL_UID:$NORMAL_UID "$WORLD/user"
	setpriv --reuid $NORMAL_UID --regid $NORMAL_UID --clear-groups unshare --user true 2>/dev/null ||
		skip "a normal user may make no user namespace here"
}

# The configuration that `spec --rootless` gives, edited; its root file system is the user's.
user_bundle()
{
	BUNDLE=$WORLD/user/c CT=$TAG-c
	rm -rf "$BUNDLE"
	cp -r "$DHOW_TESTS_BASE/rootfs" "$WORLD/rootfs"
	mkdir "$BUNDLE"
	mv "$WORLD/rootfs" "$BUNDLE/rootfs"
	chown -R $NORMAL_UID:$NORMAL_UID "$BUNDLE"
	oci spec --rootless --bundle "$BUNDLE"
	config '.process.terminal = false | '"${1:-.}"
	chown $NORMAL_UID "$BUNDLE/config.json"
}

errors() { grep -v level=warning <<<"$output" || true; }

@test "rootless: what spec --rootless writes runs, as root of its own namespace" {
	user_bundle 'sh("id -u; cat /proc/self/uid_map; cat /proc/self/setgroups; hostname")'
	run_ok
	[[ $(errors | tr -s ' ') == $'0\n 0 '$NORMAL_UID$' 1\ndeny\nrunc' ]] || fail "$output"
	[ ! -e "$ROOT/$CT" ]
}

@test "rootless: create, start, state, exec, kill and delete" {
	user_bundle '.process.args = ["/bin/sleep", "100"]'
	create_it
	is "$(state_of)" created
	oci start "$CT"
	is "$(state_of)" running
	run oci exec "$CT" id -u
	is "$output" 0
	is "$(stat -c %u "/proc/$(pid_of)")" $NORMAL_UID
	oci kill "$CT" KILL
	wait_stopped
	oci delete "$CT"
	[ ! -e "$ROOT/$CT" ]
}

@test "rootless: delete --force ends a running container" {
	user_bundle '.process.args = ["/bin/sleep", "100"]'
	start_it
	oci delete --force "$CT"
	[ ! -e "$ROOT/$CT" ]
}

@test "rootless: list tells whose it is" {
	user_bundle '.process.args = ["/bin/sleep", "100"]'
	start_it
	like "$(oci list)" "#$NORMAL_UID\$"
}

@test "rootless: the default root is below XDG_RUNTIME_DIR" {
	user_bundle 'sh("true")'
	"$RUNTIME_PATH" run --bundle "$BUNDLE" "$CT" </dev/null
	[ -d "$WORLD/user/runc" ] || [ -d "$WORLD/user/dhow-oci" ] || fail "$(ls "$WORLD/user")"
}

@test "rootless: a limit that the user's cgroup can't give is refused, and named" {
	user_bundle '.linux.resources.memory.limit = 33554432'
	run_it
	[ "$status" = 1 ] || skip "the user's cgroup takes limits"
	has "$output" linux.resources.memory.limit
}

@test "rootless: additional groups can't be had with the own id alone, and that is said before anything is made" {
	user_bundle '.process.user.additionalGids = [5]'
	run_it
	is "$status" 1
	has "$output" process.user.additionalGids
	[ ! -e "$ROOT/$CT" ]
}

@test "rootless: another's ids without newuidmap are refused, and told what is needed" {
	user_bundle 'sh("true") | .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 10}]'
	run_it
	is "$status" 1
	has "$output" newuidmap
	[ ! -e "$ROOT/$CT" ]
}

@test "rootless: host files stay closed to the container" {
	echo the hidden words >"$WORLD/secret"
	chmod 600 "$WORLD/secret"
	user_bundle
	config 'sh("cat /secret") | .root.readonly = false | mnt("/secret"; "bind"; $s; ["bind"])' --arg s "$WORLD/secret"
	run_it
	[ "$status" -ne 0 ]
	hasnt "$output" "the hidden words"
	has "$output" "Permission denied"
}

# newuidmap asks /etc/passwd who we are, and /etc/subuid what we may: in a mount namespace the host's stay as they are.
@test "rootless: newuidmap and newgidmap give a range of ids" {
	command -v newuidmap >/dev/null || skip "newuidmap is not installed"
	local file
	for file in passwd group subuid subgid; do
		cp "/etc/$file" "$WORLD/$file" 2>/dev/null || : >"$WORLD/$file"
		chmod 644 "$WORLD/$file"
	done
	echo "normal:x:$NORMAL_UID:$NORMAL_UID::/:/bin/sh" >>"$WORLD/passwd"
	echo "normal:x:$NORMAL_UID:" >>"$WORLD/group"
	echo "normal:300000:65536" | tee "$WORLD/subuid" >"$WORLD/subgid"
	local script='set -e; for f in passwd group subuid subgid; do [ -e /etc/$f ] || : >/etc/$f; mount --bind "$0/$f" /etc/$f; done
		shift 0; exec "$@"'
	user_bundle 'sh("id; cat /proc/self/uid_map /proc/self/gid_map; touch /tmp/x; chown 7:8 /tmp/x; stat -c %u:%g /tmp/x") |
		.root.readonly = false |
		.process.user = {uid: 0, gid: 0, additionalGids: [9]} |
		caps(["CAP_CHOWN"]) |
		.linux.uidMappings = [{containerID: 0, hostID: '$NORMAL_UID', size: 1}, {containerID: 1, hostID: 300000, size: 65535}] |
		.linux.gidMappings = [{containerID: 0, hostID: '$NORMAL_UID', size: 1}, {containerID: 1, hostID: 300000, size: 65535}]'
	run unshare --mount --propagation private sh -c "$script" "$WORLD" \
		"$RUNTIME_PATH" --root "$ROOT" run --bundle "$BUNDLE" "$CT" </dev/null 3>&- 4>&-
	[ "$status" = 0 ] || fail "$output"
	has "$output" "groups=9"
	has "$output" 7:8
	has "$(tr -s ' ' <<<"$output")" "1 300000 65535"
}
