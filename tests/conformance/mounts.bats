# SPDX-License-Identifier: GPL-2.0-or-later
# root, mounts, linux.rootfsPropagation, linux.maskedPaths, linux.readonlyPaths.
load ../helpers

# A directory of the host to bind: $DIR with a file and, in sub, a tmpfs with another.
make_tree()
{
	DIR=$WORLD/tree
	mkdir -p "$DIR/sub"
	echo outer >"$DIR/file"
	mount -t tmpfs tmpfs "$DIR/sub"
	at_end "umount -l '$DIR/sub'"
	echo inner >"$DIR/sub/file"
}

# What mountinfo inside says of one mount point: its options, its fields, its file system's options.
info='info() { grep " $1 " /proc/self/mountinfo | tail -n 1; }; '

@test "root.path: relative to the bundle" {
	bundle 'sh("cat /data/file") | .root.path = "other"'
	mv "$BUNDLE/rootfs" "$BUNDLE/other"
	run_ok
	is "$output" here
}

@test "root.path: absolute" {
	bundle 'sh("cat /data/file") | .root.path = $w + "/elsewhere"'
	mv "$BUNDLE/rootfs" "$WORLD/elsewhere"
	run_ok
	is "$output" here
}

@test "root.path: a missing directory is refused, and named" {
	bundle '.root.path = "absent"'
	refuses absent
}

@test "root.path: is required" {
	bundle 'del(.root.path)'
	refuses root.path
}

@test "root.path: a file is refused" {
	bundle '.root.path = "config.json"'
	refuses config.json
}

@test "root.path: nothing of the host is left mounted" {
	runs_sh 'cut -d" " -f5 /proc/self/mountinfo | sort; ls -a /'
	hasnt "$output" "$WORLD"
	hasnt "$output" "/etc/passwd"
	for line in "${lines[@]}"; do
		case $line in
		/ | /proc | /dev | /dev/* | /sys | .. | . | bin | data | dev | etc | mnt | proc | sys | tmp | /sys/*) ;;
		*) fail "unexpected: $line" ;;
		esac
	done
}

@test "root.readonly: true" {
	runs_sh 'touch /x || echo refused; touch /dev/shm/x && echo written' '.root.readonly = true'
	has "$output" refused
	has "$output" written
	has "$output" "Read-only"
}

@test "root.readonly: false" {
	runs_sh 'touch /x && echo written' '.root.readonly = false'
	is "$output" written
	[ -e "$BUNDLE/rootfs/x" ]
}

@test "root.readonly: mount points are made before" {
	runs_sh 'stat -c %F /new/place' '.root.readonly = true | mnt("/new/place"; "tmpfs"; "tmpfs"; [])'
	is "$output" directory
}

@test "mounts.type tmpfs: with size and mode" {
	runs_sh "$info"'info /mnt; stat -c %a /mnt' 'mnt("/mnt"; "tmpfs"; "tmpfs"; ["size=1m", "mode=750", "nosuid"])'
	has "${lines[0]}" " - tmpfs tmpfs "
	has "${lines[0]}" "size=1024k"
	has "${lines[0]}" nosuid
	is "${lines[1]}" 750
}

@test "mounts.type proc: is the new PID namespace's" {
	runs_sh 'readlink /proc/self | grep -c .; cat /proc/1/comm; true'
	is "${lines[1]}" sh
}

@test "mounts.type sysfs: is the new network namespace's" {
	runs_sh 'ls /sys/class/net'
	is "$output" lo
}

@test "mounts.type mqueue" {
	runs_sh "$info"'info /dev/mqueue' 'mnt("/dev/mqueue"; "mqueue"; "mqueue"; ["nosuid", "noexec", "nodev"])'
	has "$output" " - mqueue "
}

@test "mounts.type devpts: a new instance" {
	runs_sh 'ls /dev/pts; '"$info"' info /dev/pts'
	is "${lines[0]}" ptmx
	has "$output" "ptmxmode=666"
	has "$output" "mode=620"
}

@test "mounts.type overlay: with its data options" {
	mkdir "$WORLD/l" "$WORLD/u" "$WORLD/k"
	echo low >"$WORLD/l/f"
	runs_sh 'cat /mnt/f; echo up >/mnt/g' 'mnt("/mnt"; "overlay"; "overlay";
		["lowerdir=\($w)/l,upperdir=\($w)/u,workdir=\($w)/k"])'
	is "$output" low
	is "$(cat "$WORLD/u/g")" up
}

@test "mounts.type: unknown to the kernel is refused, and named" {
	bundle 'mnt("/mnt"; "nosuchfs"; "none"; [])'
	refuses /mnt
}

@test "mounts.options: a data option that the file system does not know is refused" {
	bundle 'mnt("/mnt"; "tmpfs"; "tmpfs"; ["nosuchoption"])'
	refuses /mnt
}

@test "mounts.destination: is required" {
	bundle '.mounts += [{type: "tmpfs", source: "tmpfs"}]'
	refuses destination
}

@test "mounts.destination: a relative one counts from the root" {
	runs_sh "$info"'info /mnt' 'mnt("mnt"; "tmpfs"; "tmpfs"; [])'
	has "$output" " /mnt "
}

@test "mounts.destination: is made when absent, below new directories" {
	runs_sh "$info"'info /a/b/c' 'mnt("/a/b/c"; "tmpfs"; "tmpfs"; [])'
	has "$output" " /a/b/c "
}

@test "mounts.destination: .. stays inside the root" {
	runs_sh "$info"'info /mnt' 'mnt("/../../../mnt"; "tmpfs"; "tmpfs"; [])'
	has "$output" " /mnt "
}

@test "mounts.destination: a symlink is followed inside the root" {
	bundle 'sh($s) | mnt("/link"; "tmpfs"; "tmpfs"; [])' --arg s "$info info /data/real"
	mkdir "$BUNDLE/rootfs/data/real"
	ln -s /data/real "$BUNDLE/rootfs/link"
	run_ok
	has "$output" " /data/real "
}

@test "mounts.destination: a symlink out of the root can't leave it" {
	mkdir "$WORLD/outside"
	bundle 'mnt("/link"; "tmpfs"; "tmpfs"; []) | sh("grep -c outside /proc/self/mountinfo; ls -d " + $w + "/outside")'
	ln -s "../../../../../../..$WORLD/outside" "$BUNDLE/rootfs/link"
	run_it
	# Made inside the root, or refused; never the host's.
	[ "$status" != 0 ] || has "$output" "$WORLD/outside"
	run grep -F "$WORLD/outside" /proc/self/mountinfo
	is "$output" ""
	if [ "$status" != 0 ] && ! is_dhow; then PEER_REFUSED=1; fi
}

@test "mounts.destination: /proc may not be mounted over by a bind" {
	mkdir "$WORLD/fake"
	bundle 'mnt("/proc"; "bind"; $w + "/fake"; ["bind"])'
	refuses /proc
}

@test "mounts.destination: below /proc a bind is refused outside of a small list" {
	mkdir "$WORLD/fake"
	bundle 'mnt("/proc/sys"; "bind"; $w + "/fake"; ["bind"])'
	refuses /proc/sys
}

@test "mounts: are made in the order they are listed" {
	runs_sh 'ls /mnt; cat /mnt/in/x' 'mnt("/mnt"; "tmpfs"; "tmpfs"; []) | mnt("/mnt/in"; "bind"; $w; ["bind"]) |
		sh("ls /mnt; ls /mnt/in")'
	is "${lines[0]}" in
	has "$output" root
}

@test "mounts.source: bind of a directory" {
	make_tree
	runs_sh 'cat /mnt/file; echo new >/mnt/made; ls /mnt/sub' 'mnt("/mnt"; "bind"; $w + "/tree"; ["bind"])'
	is "$output" outer
	is "$(cat "$DIR/made")" new
}

@test "mounts.source: rbind takes the mounts below along" {
	make_tree
	runs_sh 'cat /mnt/sub/file' 'mnt("/mnt"; "bind"; $w + "/tree"; ["rbind"])'
	is "$output" inner
}

@test "mounts.source: bind of a file, its mount point is made" {
	make_tree
	runs_sh 'cat /etc/new/file' 'mnt("/etc/new/file"; "bind"; $w + "/tree/file"; ["bind", "ro"])'
	is "$output" outer
}

@test "mounts.source: relative to the bundle" {
	bundle 'sh("cat /mnt/f") | mnt("/mnt"; "bind"; "mine"; ["bind"])'
	mkdir "$BUNDLE/mine"
	echo rel >"$BUNDLE/mine/f"
	run_ok
	is "$output" rel
}

@test "mounts.source: missing is refused, and named" {
	bundle 'mnt("/mnt"; "bind"; "/no/such/source"; ["bind"])'
	refuses /no/such/source
}

@test "mounts.type: none with bind in the options, and absent, are a bind" {
	make_tree
	runs_sh 'cat /mnt/file /tmp/file' 'mnt("/mnt"; "none"; $w + "/tree"; ["bind"]) |
		.mounts += [{destination: "/tmp", source: ($w + "/tree"), options: ["bind"]}]'
	is "$output" $'outer\nouter'
}

@test "mounts.options ro: a bind is read-only" {
	make_tree
	runs_sh 'touch /mnt/x || true; '"$info"'info /mnt' 'mnt("/mnt"; "bind"; $w + "/tree"; ["bind", "ro"])'
	has "$output" "Read-only"
	like "$output" ' /mnt ro,'
	[ ! -e "$DIR/x" ]
}

@test "mounts.options rw: the last of ro and rw counts" {
	make_tree
	runs_sh 'touch /mnt/x && echo written' 'mnt("/mnt"; "bind"; $w + "/tree"; ["bind", "ro", "rw"])'
	is "$output" written
}

@test "mounts.options nosuid noexec nodev noatime nodiratime relatime: on binds" {
	make_tree
	local option
	for option in nosuid noexec nodev noatime nodiratime relatime; do
		runs_sh "$info info /mnt" 'mnt("/mnt"; "bind"; $w + "/tree"; ["bind", $o])' --arg o "$option"
		like "$output" " /mnt [^ ]*$option"
	done
}

@test "mounts.options nosuid noexec nodev noatime nodiratime relatime: on file systems" {
	local option
	for option in nosuid noexec nodev noatime nodiratime relatime; do
		runs_sh "$info info /mnt" 'mnt("/mnt"; "tmpfs"; "tmpfs"; [$o])' --arg o "$option"
		like "$output" " /mnt [^ ]*$option"
	done
}

@test "mounts.options suid exec dev atime diratime: take back what stood before" {
	runs_sh "$info"'info /mnt' 'mnt("/mnt"; "tmpfs"; "tmpfs";
		["nosuid", "noexec", "nodev", "noatime", "nodiratime", "suid", "exec", "dev", "atime", "diratime"])'
	for option in nosuid noexec nodev noatime nodiratime; do hasnt "$output" "$option"; done
}

@test "mounts.options strictatime and nostrictatime" {
	runs_sh "$info"'info /mnt; info /tmp' 'mnt("/mnt"; "tmpfs"; "tmpfs"; ["strictatime"]) |
		mnt("/tmp"; "tmpfs"; "tmpfs"; ["strictatime", "nostrictatime"])'
	hasnt "${lines[0]}" relatime
	hasnt "${lines[0]}" noatime
	has "${lines[1]}" relatime
}

@test "mounts.options nosymfollow: links are not followed" {
	runs_sh 'touch /mnt/a; ln -s a /mnt/b; cat /mnt/b || echo refused' 'mnt("/mnt"; "tmpfs"; "tmpfs"; ["nosymfollow"])'
	has "$output" refused
}

@test "mounts.options sync dirsync: reach the file system" {
	runs_sh "$info"'info /mnt; info /tmp' 'mnt("/mnt"; "tmpfs"; "tmpfs"; ["sync"]) |
		mnt("/tmp"; "tmpfs"; "tmpfs"; ["dirsync"])'
	like "${lines[0]}" '- tmpfs tmpfs rw,sync'
	like "${lines[1]}" '- tmpfs tmpfs rw,dirsync'
}

@test "mounts.options defaults: is accepted" {
	runs_sh "$info"'info /mnt' 'mnt("/mnt"; "tmpfs"; "tmpfs"; ["defaults"])'
	like "$output" ' /mnt rw'
}

# Those that no file of the container shows.
@test "mounts.options async acl noacl loud silent mand nomand iversion lazytime diratime symfollow: are accepted" {
	bundle 'mnt("/mnt"; "tmpfs"; "tmpfs"; [])'
	local option
	for option in async acl noacl loud silent mand nomand iversion noiversion lazytime nolazytime norelatime symfollow; do
		config '.mounts[-1].options = [$o]' --arg o "$option"
		run_it
		[ "$status" = 0 ] || fail "$option: $output"
	done
}

@test "mounts.options rro: every mount below is read-only" {
	make_tree
	runs_sh 'touch /mnt/x || echo one; touch /mnt/sub/x || echo two' 'mnt("/mnt"; "bind"; $w + "/tree"; ["rbind", "rro"])'
	has "$output" one
	has "$output" two
	touch "$DIR/sub/host-may"
}

@test "mounts.options ro: with rbind, the mounts below stay writable" {
	make_tree
	runs_sh 'touch /mnt/x || echo one; touch /mnt/sub/x && echo two' 'mnt("/mnt"; "bind"; $w + "/tree"; ["rbind", "ro"])'
	has "$output" one
	has "$output" two
}

@test "mounts.options rnosuid rnodev rnoexec rnoatime rnodiratime rrelatime: below, too" {
	make_tree
	local option
	for option in nosuid nodev noexec noatime nodiratime relatime; do
		runs_sh "$info info /mnt; info /mnt/sub" 'mnt("/mnt"; "bind"; $w + "/tree"; ["rbind", $o])' --arg o "r$option"
		like "${lines[0]}" " /mnt [^ ]*$option"
		like "${lines[1]}" " /mnt/sub [^ ]*$option"
	done
}

@test "mounts.options rnosymfollow: below, too" {
	make_tree
	ln -s file "$DIR/sub/link"
	runs_sh 'cat /mnt/sub/link || echo refused' 'mnt("/mnt"; "bind"; $w + "/tree"; ["rbind", "rnosymfollow"])'
	has "$output" refused
}

@test "mounts.options rrw rsuid rexec rdev rstrictatime rsymfollow: clear below" {
	make_tree
	mount -o remount,bind,ro,nosuid,noexec,nodev "$DIR/sub"
	runs_sh "$info"'info /mnt/sub' \
		'mnt("/mnt"; "bind"; $w + "/tree"; ["rbind", "rrw", "rsuid", "rexec", "rdev", "rstrictatime", "rsymfollow"])'
	like "$output" ' /mnt/sub rw'
	for option in nosuid noexec nodev relatime; do hasnt "${output%% - *}" "$option"; done
}

@test "mounts.options ratime rdiratime: clear below" {
	make_tree
	mount -o remount,bind,noatime,nodiratime "$DIR/sub"
	runs_sh "$info"'info /mnt/sub' 'mnt("/mnt"; "bind"; $w + "/tree"; ["rbind", "ratime", "rdiratime"])'
	for option in noatime nodiratime; do hasnt "${output%% - *}" "$option"; done
}

@test "mounts.options rnorelatime rnostrictatime: are accepted, and leave the kernel's default" {
	make_tree
	local option
	for option in rnorelatime rnostrictatime; do
		runs_sh "$info"'info /mnt/sub' 'mnt("/mnt"; "bind"; $w + "/tree"; ["rbind", $o])' --arg o "$option"
		hasnt "${output%% - *}" noatime
	done
}

@test "mounts.options runbindable: below, too" {
	make_tree
	runs_sh "$info"'info /mnt; info /mnt/sub' 'mnt("/mnt"; "bind"; $w + "/tree"; ["rbind", "runbindable"])'
	like "${lines[0]}" "unbindable"
	like "${lines[1]}" "unbindable"
}

@test "mounts.options: rro on a tmpfs" {
	runs_sh 'touch /mnt/x || echo refused' 'mnt("/mnt"; "tmpfs"; "tmpfs"; ["rro"])'
	has "$output" refused
}

@test "mounts.options: private, slave, shared and unbindable set the propagation" {
	runs_sh "$info"'for m in private slave shared unbindable; do info /$m; done' '
		reduce ("private", "slave", "shared", "unbindable") as $p (.;
			mnt("/" + $p; "tmpfs"; "tmpfs"; [$p]))'
	hasnt "${lines[0]}" shared:
	has "${lines[2]}" shared:
	has "${lines[3]}" unbindable
}

@test "mounts.options: rshared reaches below" {
	make_tree
	runs_sh "$info"'info /mnt; info /mnt/sub' 'mnt("/mnt"; "bind"; $w + "/tree"; ["rbind", "rshared"])'
	has "${lines[0]}" shared:
	has "${lines[1]}" shared:
}

@test "mounts.options rslave: a later mount of the host arrives" {
	need_host_mounts
	mkdir -p "$WORLD/peer"
	mount --bind "$WORLD/peer" "$WORLD/peer"
	at_end "umount -R -l '$WORLD/peer'"
	mount --make-shared "$WORLD/peer"
	mkdir "$WORLD/peer/late"
	sleeper 'mnt("/mnt"; "bind"; $w + "/peer"; ["rbind", "rslave"])'
	mount -t tmpfs tmpfs "$WORLD/peer/late"
	touch "$WORLD/peer/late/arrived"
	run oci exec "$CT" ls /mnt/late
	is "$output" arrived
}

@test "mounts.options rshared: a mount of the container arrives at the host" {
	need_host_mounts
	mkdir -p "$WORLD/peer"
	mount --bind "$WORLD/peer" "$WORLD/peer"
	at_end "umount -R -l '$WORLD/peer'"
	mount --make-shared "$WORLD/peer"
	mkdir "$WORLD/peer/up"
	sleeper 'mnt("/mnt"; "bind"; $w + "/peer"; ["rbind", "rshared"]) | .linux.rootfsPropagation = "shared" |
		caps(["CAP_SYS_ADMIN"])'
	run oci exec "$CT" mount -t tmpfs tmpfs /mnt/up
	[ "$status" = 0 ] || fail "$output"
	grep -q " $WORLD/peer/up " /proc/self/mountinfo
}

@test "mounts.options rprivate: a later mount of the host does not arrive" {
	need_host_mounts
	mkdir -p "$WORLD/peer"
	mount --bind "$WORLD/peer" "$WORLD/peer"
	at_end "umount -R -l '$WORLD/peer'"
	mount --make-shared "$WORLD/peer"
	mkdir "$WORLD/peer/late"
	sleeper 'mnt("/mnt"; "bind"; $w + "/peer"; ["rbind", "rprivate"])'
	mount -t tmpfs tmpfs "$WORLD/peer/late"
	touch "$WORLD/peer/late/arrived"
	run oci exec "$CT" ls /mnt/late
	is "$output" ""
}

@test "linux.rootfsPropagation: absent, the host is not reached" {
	need_host_mounts
	sleeper 'caps(["CAP_SYS_ADMIN"])'
	run oci exec "$CT" mount -t tmpfs tmpfs /mnt
	run grep -F "$WORLD/c/rootfs" /proc/self/mountinfo
	is "$output" ""
}

@test "linux.rootfsPropagation: shared, slave, private, unbindable on the root mount" {
	local script='while read -r _ _ _ _ p rest; do [ $p != / ] || echo $rest; done </proc/self/mountinfo'
	runs_sh "$script" '.linux.rootfsPropagation = "private"'
	hasnt "$output" shared:
	hasnt "$output" master:
	runs_sh "$script" '.linux.rootfsPropagation = "slave"'
	hasnt "$output" shared:
	runs_sh "$script" '.linux.rootfsPropagation = "unbindable"'
	has "$output" unbindable
	runs_sh "$script" '.linux.rootfsPropagation = "shared"'
	has "$output" shared:
}

@test "linux.rootfsPropagation: an unknown value is refused" {
	bundle '.linux.rootfsPropagation = "sideways"'
	refuses rootfsPropagation sideways
}

@test "mounts.options tmpcopyup: the directory's content is in the tmpfs" {
	bundle 'sh("cat /data/file /data/d/f; stat -c %a /data/d; readlink /data/l; echo x >/data/new") |
		mnt("/data"; "tmpfs"; "tmpfs"; ["tmpcopyup"])'
	mkdir -m 750 "$BUNDLE/rootfs/data/d"
	echo deep >"$BUNDLE/rootfs/data/d/f"
	ln -s file "$BUNDLE/rootfs/data/l"
	run_ok
	is "$output" $'here\ndeep\n750\nfile'
	[ ! -e "$BUNDLE/rootfs/data/new" ]
}

@test "mounts.options copy-symlink: a link is made anew" {
	is_dhow || skip "crun's extension, which came after 1.8"
	ln -s /data/file "$WORLD/link"
	runs_sh 'readlink /mnt/link; cat /mnt/link' 'mnt("/mnt/link"; "bind"; $w + "/link"; ["bind", "copy-symlink"])'
	is "$output" $'/data/file\nhere'
}

@test "mounts.options src-nofollow: the link itself is bound" {
	is_dhow || skip "crun's extension, which came after 1.8"
	ln -s /data/file "$WORLD/link"
	ln -s /nowhere "$WORLD/other"
	bundle 'sh("readlink /mnt/link") | mnt("/mnt/link"; "bind"; $w + "/link"; ["bind", "src-nofollow", "dest-nofollow"])'
	ln -s /elsewhere "$BUNDLE/rootfs/mnt/link"
	run_ok
	is "$output" /data/file
	is "$(readlink "$BUNDLE/rootfs/mnt/link")" /elsewhere
}

@test "mounts.options remount: changes a mount listed before" {
	runs_sh "touch /mnt/x || echo refused" 'mnt("/mnt"; "tmpfs"; "tmpfs"; []) |
		mnt("/mnt"; "tmpfs"; "tmpfs"; ["remount", "ro"])'
	has "$output" refused
}

# A file system that can be idmapped, with a file of root in it.
need_idmap()
{
	DIR=$WORLD/tree
	mkdir -p "$DIR/sub"
	touch "$DIR/file"
	unshare --user true 2>/dev/null || skip "no user namespaces on this host"
}

@test "mounts.uidMappings and gidMappings: owners are mapped" {
	need_idmap
	runs_sh 'stat -c %u:%g /mnt/file' '.mounts += [{destination: "/mnt", type: "bind", source: ($w + "/tree"),
		options: ["bind"], uidMappings: [{containerID: 0, hostID: 1000, size: 10}],
		gidMappings: [{containerID: 0, hostID: 2000, size: 10}]}]'
	is "$output" 1000:2000
}

@test "mounts.options idmap: with a user namespace its mapping is used" {
	need_idmap
	runs_sh 'stat -c %u:%g /mnt/file; touch /mnt/new' 'userns |
		mnt("/mnt"; "bind"; $w + "/tree"; ["bind", "idmap"])'
	is "$output" 0:0
	is "$(stat -c %u "$DIR/new")" 0
}

@test "mounts.options idmap: without a user namespace or mappings it is refused" {
	need_idmap
	bundle 'mnt("/mnt"; "bind"; $w + "/tree"; ["bind", "idmap"])'
	refuses idmap
}

@test "mounts.options idmap: without it the owner is nobody in a user namespace" {
	need_idmap
	runs_sh 'stat -c %u:%g /mnt/file' 'userns | mnt("/mnt"; "bind"; $w + "/tree"; ["bind"])'
	is "$output" 65534:65534
}

@test "mounts.options ridmap: mounts below, too" {
	need_idmap
	need_kernel 6.3 "the id-mapped tmpfs"
	mount -t tmpfs tmpfs "$DIR/sub"
	at_end "umount -l '$DIR/sub'"
	touch "$DIR/sub/file"
	runs_sh 'stat -c %u /mnt/file /mnt/sub/file' 'userns |
		mnt("/mnt"; "bind"; $w + "/tree"; ["rbind", "ridmap"])'
	is "$output" $'0\n0'
}

@test "mounts.options idmap: mounts below stay as they are" {
	need_idmap
	mount -t tmpfs tmpfs "$DIR/sub"
	at_end "umount -l '$DIR/sub'"
	touch "$DIR/sub/file"
	runs_sh 'stat -c %u /mnt/file /mnt/sub/file' 'userns |
		mnt("/mnt"; "bind"; $w + "/tree"; ["rbind", "idmap"])'
	is "$output" $'0\n65534'
}

@test "mounts.uidMappings: without gidMappings is refused" {
	need_idmap
	bundle '.mounts += [{destination: "/mnt", type: "bind", source: ($w + "/tree"),
		options: ["bind"], uidMappings: [{containerID: 0, hostID: 1000, size: 10}]}]'
	refuses gidMappings
}

@test "mounts.uidMappings: on what is no bind is refused" {
	bundle '.mounts += [{destination: "/mnt", type: "tmpfs", source: "tmpfs",
		uidMappings: [{containerID: 0, hostID: 1000, size: 10}],
		gidMappings: [{containerID: 0, hostID: 1000, size: 10}]}]'
	refuses uidMappings
}

@test "linux.maskedPaths: a file reads empty, a directory is empty and read-only" {
	bundle 'sh("cat /data/file; ls /data/d; touch /data/d/x || echo refused") |
		.linux.maskedPaths = ["/data/file", "/data/d"]'
	mkdir "$BUNDLE/rootfs/data/d"
	touch "$BUNDLE/rootfs/data/d/hidden"
	run_ok
	hasnt "$output" here
	hasnt "$output" hidden
	has "$output" refused
}

@test "linux.maskedPaths: missing ones are no error" {
	runs_sh 'echo fine' '.linux.maskedPaths = ["/no/such", "/proc/no-such"]'
	is "$output" fine
}

@test "linux.maskedPaths: in /proc" {
	runs_sh 'wc -c </proc/cpuinfo; ls /proc/fs | wc -l' '.linux.maskedPaths = ["/proc/cpuinfo", "/proc/fs"]'
	is "$(echo $output)" "0 0"
}

@test "linux.maskedPaths: a relative one is refused" {
	bundle '.linux.maskedPaths = ["proc/kcore"]'
	refuses maskedPaths
}

@test "linux.readonlyPaths: can't be written, can be read" {
	runs_sh 'cat /data/file; touch /data/x || echo refused' '.linux.readonlyPaths = ["/data"]'
	has "$output" here
	has "$output" refused
}

@test "linux.readonlyPaths: /proc/sys" {
	runs_sh 'echo x >/proc/sys/kernel/hostname || echo refused' '.linux.readonlyPaths = ["/proc/sys"] | caps(["CAP_SYS_ADMIN"])'
	has "$output" refused
	has "$output" "ead-only"
}

@test "linux.readonlyPaths: missing ones are no error" {
	runs_sh 'echo fine' '.linux.readonlyPaths = ["/no/such"]'
	is "$output" fine
}

@test "linux.readonlyPaths: keep the flags of the mount" {
	runs_sh "$info"'info /mnt/x' 'mnt("/mnt"; "tmpfs"; "tmpfs"; ["nosuid", "nodev", "noexec"]) |
		mnt("/mnt/x/y"; "tmpfs"; "tmpfs"; []) | .linux.readonlyPaths = ["/mnt/x"]'
	like "$output" ' /mnt/x ro,nosuid,nodev,noexec'
}

@test "linux.readonlyPaths: a relative one is refused" {
	bundle '.linux.readonlyPaths = ["proc/sys"]'
	refuses readonlyPaths
}

@test "linux.sysctl: is written in the container, the host's stays" {
	local before
	before=$(cat /proc/sys/kernel/msgmax)
	runs_sh 'cat /proc/sys/kernel/msgmax /proc/sys/net/ipv4/ip_forward' \
		'.linux.sysctl = {"kernel.msgmax": "65535", "net.ipv4.ip_forward": "1"}'
	is "$output" $'65535\n1'
	is "$(cat /proc/sys/kernel/msgmax)" "$before"
}

@test "linux.sysctl: with slashes as separators" {
	runs_sh 'cat /proc/sys/kernel/msgmax' '.linux.sysctl = {"kernel/msgmax": "65534"}'
	is "$output" 65534
}

@test "linux.sysctl: works with /proc/sys read-only" {
	runs_sh 'cat /proc/sys/kernel/msgmax' \
		'.linux.sysctl = {"kernel.msgmax": "65533"} | .linux.readonlyPaths = ["/proc/sys"] | .root.readonly = true'
	is "$output" 65533
}

@test "linux.sysctl: one that is not of a namespace is refused" {
	bundle '.linux.sysctl = {"vm.swappiness": "10"}'
	refuses vm.swappiness
}

@test "linux.sysctl: one of a namespace that is the host's is refused" {
	bundle '.linux.sysctl = {"net.ipv4.ip_forward": "1"} | no_ns("network")'
	refuses net.ipv4.ip_forward
	bundle -n ipc '.linux.sysctl = {"kernel.msgmax": "10"} | no_ns("ipc")'
	refuses kernel.msgmax
}

@test "linux.sysctl: a path that leaves /proc/sys is refused" {
	bundle '.linux.sysctl = {"net/../kernel/core_pattern": "x"}'
	refuses sysctl
}

@test "linux.sysctl: an unknown one is refused, and named" {
	bundle '.linux.sysctl = {"net.ipv4.no_such_thing": "1"}'
	refuses no_such_thing
}

@test "linux.mountLabel: is the context of file systems" {
	[ -e /sys/fs/selinux/enforce ] || skip "SELinux is not active on this host"
	runs_sh "$info"'info /dev/shm' '.linux.mountLabel = "system_u:object_r:container_file_t:s0"'
	has "$output" "context="
}
