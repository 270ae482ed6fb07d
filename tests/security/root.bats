# SPDX-License-Identifier: GPL-2.0-or-later
# The container's root file system as the attacker made it: links in place of mount points, devices and terminals, and a
# neighbour who swaps names in a shared volume. CVE-2019-16884, -19921, CVE-2021-30465, CVE-2024-45310, CVE-2025-31133,
# -52565, -52881, CVE-2026-41579. $WORLD/host is a directory of the host, as $WORLD/host in the root where links lead to it.
load ../helpers

setup()
{
	world_make
	mkdir "$WORLD/host"
	chmod 755 "$WORLD/host"
	echo canary >"$WORLD/host/file"
	SEEN='{path: "/bin/sh", args: ["sh", "-c", "grep -F \" \($w)/host\" /proc/self/mountinfo >>\($w)/escaped || true"]}'
}

# Nothing of the host's directory was touched, and nothing was mounted there while the container was made.
host_untouched()
{
	is "$(find "$WORLD/host" -mindepth 1 -printf '%P %y %m\n' | sort)" "file f 644" "the host's directory"
	is "$(cat "$WORLD/host/file")" canary
	[ ! -s "$WORLD/escaped" ] || fail "mounted on the host: $(cat "$WORLD/escaped")"
}

@test "mounts: a destination that links out of the root ends inside" {
	bundle "mnt(\"/l/t\"; \"tmpfs\"; \"tmpfs\"; []) | mnt(\"/l/d\"; \"bind\"; \$w + \"/src\"; [\"bind\"])
		| mnt(\"/l/f\"; \"bind\"; \$w + \"/src/f\"; [\"bind\"]) | mnt(\"/up/x\"; \"tmpfs\"; \"tmpfs\"; [\"tmpcopyup\"])
		| mnt(\"/l\"; \"tmpfs\"; \"tmpfs\"; [\"tmpcopyup\"]) | mnt(\"/l\"; \"mqueue\"; \"mqueue\"; [])
		| .hooks.createContainer = [$SEEN] | sh(\"true\")"
	mkdir "$WORLD/src"
	echo >"$WORLD/src/f"
	ln -s "$WORLD/host" "$BUNDLE/rootfs/l"
	ln -s ../../../../../../../.."$WORLD/host" "$BUNDLE/rootfs/up"
	run_ok
	host_untouched
}

@test "devices: /dev that links to the host's directory is made inside" {
	bundle ".mounts |= map(select(.destination | startswith(\"/dev\") | not)) | .hooks.createContainer = [$SEEN]
		| .linux.devices = [{path: \"/dev/x/fuse\", type: \"c\", major: 1, minor: 5}] | sh(\"ls -l /dev/ | grep -c zero\")"
	rmdir "$BUNDLE/rootfs/dev"
	ln -s "$WORLD/host" "$BUNDLE/rootfs/dev"
	run_ok
	is "$output" 1
	host_untouched
}

@test "a device's name that is a link, a directory or another device is refused, and the host's file stays" {
	bundle '.mounts |= map(select(.destination | startswith("/dev") | not))
		| .linux.devices = [{path: "/dev/x", type: "c", major: 1, minor: 5, uid: 7, gid: 7, fileMode: 511}]'
	ln -s "$WORLD/host/file" "$BUNDLE/rootfs/dev/x"
	refuses /dev/x
	rm "$BUNDLE/rootfs/dev/x"
	mkdir "$BUNDLE/rootfs/dev/x"
	refuses /dev/x
	rmdir "$BUNDLE/rootfs/dev/x"
	mknod "$BUNDLE/rootfs/dev/x" c 1 3
	refuses /dev/x
	host_untouched
}

@test "/proc as a link, a file or on a tmpfs is refused" {
	bundle
	rmdir "$BUNDLE/rootfs/proc"
	mkdir "$BUNDLE/rootfs/p"
	ln -s p "$BUNDLE/rootfs/proc"
	refuses proc
	ln -sfn "$WORLD/host" "$BUNDLE/rootfs/proc"
	refuses proc
	rm "$BUNDLE/rootfs/proc"
	touch "$BUNDLE/rootfs/proc"
	refuses proc
	rm "$BUNDLE/rootfs/proc"
	mkdir "$BUNDLE/rootfs/proc"
	config 'mnt("/proc"; "tmpfs"; "tmpfs"; [])'
	refuses /proc
	host_untouched
}

@test "nothing is mounted on or in /proc, however it is called" {
	local destination
	mkdir "$WORLD/src"
	bundle
	ln -s /proc "$BUNDLE/rootfs/pr"
	ln -s proc/self "$BUNDLE/rootfs/se"
	for destination in /proc /proc/ //proc /x/../proc /proc/./self/attr /proc/self /proc/sys /proc/sys/kernel /pr/sys /pr /se/attr /proc/1/fd; do
		bundle "mnt(\$d; \"bind\"; \$w + \"/src\"; [\"bind\"])" --arg d "$destination"
		refuses /proc
		bundle "mnt(\$d; \"tmpfs\"; \"tmpfs\"; [])" --arg d "$destination"
		refuses /proc
	done
}

@test "masked paths: /dev/null that is a link or another file is refused" {
	bundle '.mounts |= map(select(.destination | startswith("/dev") | not)) | .linux.maskedPaths = ["/proc/timer_list", "/data/file"]'
	ln -s "$WORLD/host/file" "$BUNDLE/rootfs/dev/null"
	refuses null
	ln -sfn /proc/sys/kernel/core_pattern "$BUNDLE/rootfs/dev/null"
	refuses null
	rm "$BUNDLE/rootfs/dev/null"
	echo >"$BUNDLE/rootfs/dev/null"
	refuses null
	rm "$BUNDLE/rootfs/dev/null"
	mknod "$BUNDLE/rootfs/dev/null" c 1 5
	refuses null
	rm "$BUNDLE/rootfs/dev/null"
	mkfifo "$BUNDLE/rootfs/dev/null"
	refuses null
	host_untouched
}

@test "masked and read-only paths: through links they hold inside, and can't be had back" {
	bundle 'sh("cat /data/file; ls /secret; touch /ro/x 2>/dev/null; umount /data/file; umount /secret; rm -rf /secret; mount -t proc proc /mnt; cat /data/file; cat /proc/timer_list") |
		.linux.maskedPaths = ["/link", "/secret", "/proc/timer_list", "/none"] | .linux.readonlyPaths = ["/rolink", "/proc/sys"]'
	mkdir "$BUNDLE/rootfs/secret" "$BUNDLE/rootfs/ro"
	echo here >"$BUNDLE/rootfs/secret/word"
	ln -s "/data/file" "$BUNDLE/rootfs/link"
	ln -s "../../ro" "$BUNDLE/rootfs/rolink"
	run_it
	hasnt "$output" here
	hasnt "$output" word
	[ ! -e "$BUNDLE/rootfs/ro/x" ] || fail "written below a read-only path"
	[ -e "$BUNDLE/rootfs/secret/word" ] || fail "the masked directory's file is gone"
}

@test "a terminal: /dev/console as a link, a directory or a FIFO is refused or harmless" {
	local out=$WORLD/tty.out
	bundle '.process.terminal = true | .mounts |= map(select(.destination != "/dev"))'
	mkdir -p "$BUNDLE/rootfs/dev/pts"
	ln -s "$WORLD/host/file" "$BUNDLE/rootfs/dev/console"
	agent console "$WORLD/s1" "$out"
	create_try --console-socket "$WORLD/s1"
	is "$status" 1
	has "$output" console
	ln -sfn /proc/sys/kernel/core_pattern "$BUNDLE/rootfs/dev/console"
	agent console "$WORLD/s2" "$out"
	create_try --console-socket "$WORLD/s2"
	is "$status" 1
	rm "$BUNDLE/rootfs/dev/console"
	mkdir "$BUNDLE/rootfs/dev/console"
	agent console "$WORLD/s3" "$out"
	create_try --console-socket "$WORLD/s3"
	is "$status" 1
	host_untouched
}

@test "a terminal: /dev/pts that is no devpts gives none" {
	bundle '.process.terminal = true | .mounts |= map(select(.destination | startswith("/dev") | not))'
	rm -f "$BUNDLE/rootfs/dev/ptmx"
	mkdir -p "$BUNDLE/rootfs/dev/pts"
	for kind in fifo null file link; do
		rm -f "$BUNDLE/rootfs/dev/pts/ptmx"
		case $kind in
		fifo) mkfifo "$BUNDLE/rootfs/dev/pts/ptmx" ;;
		null) mknod "$BUNDLE/rootfs/dev/pts/ptmx" c 1 3 ;;
		file) echo >"$BUNDLE/rootfs/dev/pts/ptmx" ;;
		link) ln -s "$WORLD/host/file" "$BUNDLE/rootfs/dev/pts/ptmx" ;;
		esac
		agent console "$WORLD/$kind" "$WORLD/tty.out"
		create_try --console-socket "$WORLD/$kind"
		is "$status" 1 "$kind"
		has "$output" terminal
	done
	host_untouched
}

@test "/etc/passwd as a FIFO, a device, a link out, or endless, gives no HOME and blocks nothing" {
	local kind
	bundle 'sh("echo $HOME")'
	for kind in fifo device endless link huge newline; do
		rm -f "$BUNDLE/rootfs/etc/passwd"
		case $kind in
		fifo) mkfifo "$BUNDLE/rootfs/etc/passwd" ;;
		device) mknod "$BUNDLE/rootfs/etc/passwd" c 1 5 ;;
		endless) ln -s /dev/zero "$BUNDLE/rootfs/etc/passwd" ;;
		link) echo root:x:0:0::/leaked: >"$WORLD/host/file"
			ln -s "/proc/self/fd/4/../host/file" "$BUNDLE/rootfs/etc/passwd" ;;
		huge) truncate -s 8G "$BUNDLE/rootfs/etc/passwd" ;;
		newline) printf 'root:x:0:0::/a\001b:\n' >"$BUNDLE/rootfs/etc/passwd" ;;
		esac
		run_ok
		is "$output" / "$kind"
	done
}

@test "process.args: a FIFO, a device, a directory, a set-user-ID file without rights" {
	bundle '.process.args = ["/x"]'
	mkfifo -m 777 "$BUNDLE/rootfs/x"
	refuses /x
	rm "$BUNDLE/rootfs/x"
	mknod -m 777 "$BUNDLE/rootfs/x" c 1 5
	refuses /x
	rm "$BUNDLE/rootfs/x"
	mkdir "$BUNDLE/rootfs/x"
	refuses /x
	rmdir "$BUNDLE/rootfs/x"
	echo >"$BUNDLE/rootfs/x"
	chmod 4644 "$BUNDLE/rootfs/x"
	refuses /x
	ln -sfn x "$BUNDLE/rootfs/x"
	refuses /x
}

@test "process.cwd: a FIFO, a file, a loop of links are refused; a missing one is made inside" {
	bundle '.process.cwd = "/x"'
	mkfifo "$BUNDLE/rootfs/x"
	refuses cwd
	ln -sfn /x "$BUNDLE/rootfs/x"
	refuses cwd
	rm "$BUNDLE/rootfs/x"
	echo >"$BUNDLE/rootfs/x"
	refuses cwd
	ln -sfn "$WORLD/host/new" "$BUNDLE/rootfs/x"
	bundle '.process.cwd = "/x/y" | sh("pwd")'
	run_ok
	is "$output" "$WORLD/host/new/y"
	host_untouched
}

@test "root.path: a link is the directory that it names; a file, a FIFO and nothing are refused" {
	bundle 'sh("cat /data/file")'
	mv "$BUNDLE/rootfs" "$BUNDLE/real"
	ln -s real "$BUNDLE/rootfs"
	run_ok
	is "$output" here
	ln -sfn "$BUNDLE/none" "$BUNDLE/rootfs"
	refuses root
	rm "$BUNDLE/rootfs"
	mkfifo "$BUNDLE/rootfs"
	refuses root
}

@test "tmpcopyup: links and FIFOs are copied as they are, and a device is no more than before" {
	bundle 'mnt("/up"; "tmpfs"; "tmpfs"; ["tmpcopyup", "nodev"]) | sh("ls -l /up | sort; head -c 1 /up/zero | wc -c")'
	mkdir "$BUNDLE/rootfs/up"
	ln -s "$WORLD/host/file" "$BUNDLE/rootfs/up/link"
	mkfifo "$BUNDLE/rootfs/up/fifo"
	mknod "$BUNDLE/rootfs/up/zero" c 1 5
	run_it
	has "$output" "link -> $WORLD/host/file"
	like "$output" 'p[rwx-]{9}.* fifo'
	hasnt "$output" canary
	is "${lines[-1]}" 0
	host_untouched
}

# What the neighbour sees of the volume: a and b. While a is a directory b is a link to the host's, and the other way round.
@test "a neighbour who swaps directories for links sends nothing to the host" {
	local i made=0
	mkdir -p "$WORLD/volume/a/d" "$WORLD/src"
	echo one >"$WORLD/volume/a/f"
	ln -s "$WORLD/host" "$WORLD/volume/b"
	bundle "mnt(\"/v\"; \"bind\"; \$w + \"/volume\"; [\"bind\"]) | mnt(\"/v/a/d\"; \"tmpfs\"; \"tmpfs\"; [\"tmpcopyup\"])
		| mnt(\"/v/a/new/deep\"; \"tmpfs\"; \"tmpfs\"; []) | mnt(\"/v/a/f\"; \"bind\"; \$w + \"/src\"; [\"bind\"])
		| mnt(\"/v/a/../a/file\"; \"bind\"; \"/dev/zero\"; [\"bind\"])
		| .linux.devices = [{path: \"/v/a/node\", type: \"c\", major: 1, minor: 3}]
		| .linux.maskedPaths = [\"/v/a/file\"] | .linux.readonlyPaths = [\"/v/a\"] | .process.cwd = \"/v/a/made/here\"
		| .hooks.createContainer = [$SEEN] | sh(\"true\")"
	echo >"$WORLD/src/f"
	config '.mounts |= map(if .destination == "/v/a/f" then .source += "/f" else . end)'
	"$DHOW_TESTS_BASE/attacker" swap "$WORLD/volume/a" "$WORLD/volume/b" 3>&- 4>&- &
	AGENTS+=($!)
	for i in {1..60}; do
		if oci run --bundle "$BUNDLE" "$CT" </dev/null >/dev/null 2>&1; then made=$((made + 1)); fi
		find "$WORLD/volume/a/" "$WORLD/volume/b/" -name node -delete 2>/dev/null || true
		host_untouched
	done
	echo "$made of 60 were made"
}

@test "a neighbour who swaps /proc and a link to it never has the label's or sysctl's write" {
	local i
	mkdir -p "$WORLD/fake/self/attr" "$WORLD/fake/sys/net/ipv4" "$WORLD/fake/self/fd"
	echo >"$WORLD/fake/self/oom_score_adj"
	echo >"$WORLD/fake/sys/net/ipv4/ip_forward"
	bundle '.linux.sysctl = {"net.ipv4.ip_forward": "1"} | .process.oomScoreAdj = 500'
	ln -s "$WORLD/fake" "$BUNDLE/rootfs/other"
	cp -r "$WORLD/fake" "$BUNDLE/rootfs/p"
	"$DHOW_TESTS_BASE/attacker" swap "$BUNDLE/rootfs/proc" "$BUNDLE/rootfs/p" 3>&- 4>&- &
	AGENTS+=($!)
	"$DHOW_TESTS_BASE/attacker" swap "$BUNDLE/rootfs/proc" "$BUNDLE/rootfs/other" 3>&- 4>&- &
	AGENTS+=($!)
	for i in {1..40}; do
		run_it
	done
	is "$(cat "$WORLD/fake/sys/net/ipv4/ip_forward" "$WORLD/fake/self/oom_score_adj")" ""
}

@test "a shared root: no mount of the container appears with the host" {
	bundle '.linux.rootfsPropagation = "shared" | mnt("/x"; "tmpfs"; "tmpfs"; ["rshared"]) | mnt("/y"; "bind"; $w + "/host"; ["rbind", "rshared"])'
	start_it
	run grep -F "$WORLD/" /proc/self/mountinfo
	is "$output" ""
}
