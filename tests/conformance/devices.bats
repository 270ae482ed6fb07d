# SPDX-License-Identifier: GPL-2.0-or-later
# The default devices and links, linux.devices, and linux.resources.devices where cgroup v1 has them.
load ../helpers

@test "devices: the specification's default ones are there and work" {
	runs_sh 'for d in null zero full random urandom tty; do stat -c "%n %t:%T %a %F" /dev/$d; done;
		echo x >/dev/null; head -c 3 /dev/zero | wc -c; head -c 3 /dev/urandom | wc -c; echo x >/dev/full || echo full'
	has "$output" "/dev/null 1:3 666 character special file"
	has "$output" "/dev/zero 1:5 666 character special file"
	has "$output" "/dev/full 1:7 666 character special file"
	has "$output" "/dev/random 1:8 666 character special file"
	has "$output" "/dev/urandom 1:9 666 character special file"
	has "$output" "/dev/tty 5:0 666 character special file"
	has "$output" full
}

@test "devices: the links" {
	runs_sh 'for l in fd stdin stdout stderr ptmx; do readlink /dev/$l; done'
	is "$(echo $output | sed 's,/dev/pts/ptmx,pts/ptmx,')" "/proc/self/fd /proc/self/fd/0 /proc/self/fd/1 /proc/self/fd/2 pts/ptmx"
}

@test "devices: nothing else of the host's /dev" {
	runs_sh 'cd /dev; echo *'
	for name in $output; do
		case $name in
		null | zero | full | random | urandom | tty | fd | stdin | stdout | stderr | ptmx | pts | shm | console | core | mqueue) ;;
		*) fail "unexpected /dev/$name" ;;
		esac
	done
}

@test "devices: a fresh pty can be opened through /dev/ptmx" {
	runs_sh 'exec 5<>/dev/ptmx && echo opened; ls /dev/pts'
	has "$output" opened
	has "$output" 0
}

@test "linux.devices: a character device with mode and owner" {
	runs_sh 'stat -c "%t:%T %a %u:%g %F" /dev/mine' '.linux.devices = [{path: "/dev/mine", type: "c", major: 10,
		minor: 229, fileMode: 384, uid: 7, gid: 8}] | .linux.resources.devices = []'
	is "$output" "a:e5 600 7:8 character special file"
}

@test "linux.devices: type u is a character device" {
	runs_sh 'stat -c "%t:%T %F" /dev/mine' '.linux.devices = [{path: "/dev/mine", type: "u", major: 10, minor: 229}]'
	is "$output" "a:e5 character special file"
}

@test "linux.devices: a block device" {
	runs_sh 'stat -c "%t:%T %F" /dev/block' '.linux.devices = [{path: "/dev/block", type: "b", major: 7, minor: 0}]'
	is "$output" "7:0 block special file"
}

@test "linux.devices: a fifo needs no numbers" {
	runs_sh 'stat -c "%a %F" /dev/pipe' '.linux.devices = [{path: "/dev/pipe", type: "p", fileMode: 432}]'
	is "$output" "660 fifo"
}

@test "linux.devices: outside of /dev, below new directories" {
	runs_sh 'stat -c "%t:%T" /data/new/dir/null' '.linux.devices = [{path: "/data/new/dir/null", type: "c", major: 1, minor: 3}]'
	is "$output" 1:3
}

@test "linux.devices: fileMode is not narrowed by the umask" {
	(umask 077; runs_sh 'stat -c %a /dev/mine' '.linux.devices = [{path: "/dev/mine", type: "c", major: 1, minor: 3,
		fileMode: 438}]'; is "$output" 666)
}

@test "linux.devices: a default device may be listed with its own mode" {
	runs_sh 'stat -c "%t:%T %a" /dev/null' '.linux.devices = [{path: "/dev/null", type: "c", major: 1, minor: 3,
		fileMode: 438, uid: 0, gid: 0}]'
	is "$output" "1:3 666"
}

@test "linux.devices: one that exists as something else is refused" {
	bundle '.linux.devices = [{path: "/data/file", type: "c", major: 1, minor: 3}]'
	refuses /data/file
}

@test "linux.devices: an unknown type is refused" {
	bundle '.linux.devices = [{path: "/dev/x", type: "z", major: 1, minor: 3}]'
	refuses type
}

@test "linux.devices: path is required" {
	bundle '.linux.devices = [{type: "c", major: 1, minor: 3}]'
	refuses path
}

@test "linux.devices: type is required" {
	bundle '.linux.devices = [{path: "/dev/x", major: 1, minor: 3}]'
	refuses type
}

@test "linux.devices: in a user namespace they are bound from the host" {
	runs_sh 'echo x >/dev/null && head -c 2 /dev/zero | wc -c' userns
	is "$output" 2
}

@test "linux.resources.devices: deny all but what is allowed" {
	need_v1 devices
	bundle 'sh("head -c 1 /dev/zero | wc -c; head -c 1 /dev/mine | wc -c") |
		.linux.devices = [{path: "/dev/mine", type: "c", major: 10, minor: 229}] |
		.linux.resources.devices = [{allow: false, access: "rwm"}]'
	run_it
	is "${lines[0]}" 1
	has "$output" "not permitted"
}

@test "linux.resources.devices: an allowed device can be opened" {
	need_v1 devices
	runs_sh 'exec 5</dev/mine && echo opened' '
		.linux.devices = [{path: "/dev/mine", type: "c", major: 10, minor: 229}] |
		.linux.resources.devices = [{allow: false, access: "rwm"},
			{allow: true, type: "c", major: 10, minor: 229, access: "rw"}]'
	is "$output" opened
}

@test "linux.resources.devices: access is kept apart" {
	need_v1 devices
	runs_sh 'exec 5</dev/mine && echo read; (exec 6>/dev/mine) 2>/dev/null || echo not written' '
		.linux.devices = [{path: "/dev/mine", type: "c", major: 10, minor: 229}] |
		.linux.resources.devices = [{allow: false, access: "rwm"},
			{allow: true, type: "c", major: 10, minor: 229, access: "r"}]'
	is "$output" $'read\nnot written'
}

@test "linux.resources.devices: the host's list says the same" {
	need_v1 devices
	sleeper '.linux.resources.devices = [{allow: false, access: "rwm"},
		{allow: true, type: "c", major: 10, minor: 229, access: "rw"}, {allow: true, type: "b", major: 7, access: "m"}]'
	local list
	list=$(v1 devices devices.list)
	has "$list" "c 10:229 rw"
	has "$list" "b 7:* m"
	has "$list" "c 1:3 rwm"
	hasnt "$list" "a *:* rwm"
}

@test "linux.resources.devices: without a list the default devices work" {
	runs_sh 'echo x >/dev/null; head -c 2 /dev/zero | wc -c'
	is "$output" 2
}

@test "linux.resources.devices: allow is required" {
	bundle '.linux.resources.devices = [{access: "rwm"}]'
	is_dhow || skip "the schema asks for it; peers take it for false"
	refuses linux.resources.devices allow
}

@test "linux.resources.devices: an unknown access is refused" {
	bundle '.linux.resources.devices = [{allow: false, access: "rwm"}, {allow: true, type: "c", major: 1, minor: 3, access: "x"}]'
	refuses access
}
