# SPDX-License-Identifier: GPL-2.0-or-later
# linux.cgroupsPath, linux.resources, mounts of type cgroup, update, events. First cgroup v1, then cgroup2, each where
# the host has it.
load ../helpers

@test "linux.cgroupsPath: absolute, in each hierarchy the runtime uses" {
	sleeper
	local pid
	pid=$(pid_of)
	has "$(cat "/proc/$pid/cgroup")" ":$CGROUP"
	if ! is_pure_v2 && [ "$RUNTIME_NAME" != crun ]; then
		for name in cpu memory pids devices freezer blkio cpuset; do
			[ ! -d "/sys/fs/cgroup/$name" ] || grep -q "$pid" "/sys/fs/cgroup/$name$CGROUP/cgroup.procs" ||
				fail "not in $name$CGROUP"
		done
	fi
}

@test "linux.cgroupsPath: absent, the id is in the cgroup's name" {
	sleeper 'del(.linux.cgroupsPath)'
	like "$(cat "/proc/$(pid_of)/cgroup")" "$CT"
	oci delete --force "$CT"
	run find /sys/fs/cgroup -maxdepth 6 -name "*$CT*"
	is "$output" ""
}

@test "linux.cgroupsPath: nested, is made with its parents" {
	need_root
	at_end "find /sys/fs/cgroup -depth -name 'in' -path '*$TAG*' -exec rmdir {} +; find /sys/fs/cgroup -depth -name '$TAG-p' -exec rmdir {} +"
	bundle '.process.args = ["/bin/sleep", "100"] | .linux.cgroupsPath = $p' --arg p "/$TAG-p/in/c"
	start_it
	has "$(cat "/proc/$(pid_of)/cgroup")" ":/$TAG-p/in/c"
	oci delete --force "$CT"
	run find /sys/fs/cgroup -path "*$TAG-p/in/c"
	is "$output" ""
}

@test "linux.cgroupsPath: .. can't leave" {
	at_end "find /sys/fs/cgroup -depth -name '$TAG-x' -exec rmdir {} +; find /sys/fs/cgroup -maxdepth 2 -name tmp -exec rmdir {} +"
	bundle '.process.args = ["/bin/sleep", "100"] | .linux.cgroupsPath = "/../../../../" + $p' --arg p "tmp/$TAG-x"
	create_try
	[ ! -e "/tmp/$TAG-x" ]
	[ "$status" -ne 0 ] || has "$(cat "/proc/$(pid_of)/cgroup")" ":/tmp/$TAG-x"
}

@test "linux.cgroupsPath: a cgroup that is there and empty may be used" {
	need_v1 pids
	mkdir "/sys/fs/cgroup/pids/$TAG-c"
	sleeper
	is "$(v1 pids cgroup.procs)" "$(pid_of)"
}

# limit NAME FILTER CONTROLLER FILE VALUE: FILTER in the configuration makes FILE hold VALUE.
limit()
{
	need_v1 "$2" "$3"
	sleeper "$1"
	is "$(v1 "$2" "$3")" "$4" "$3"
}

@test "linux.resources.memory.limit: v1" {
	limit '.linux.resources.memory.limit = 33554432' memory memory.limit_in_bytes 33554432
}

@test "linux.resources.memory.limit: -1 is unlimited, v1" {
	need_v1 memory
	sleeper '.linux.resources.memory.limit = -1'
	[ "$(v1 memory memory.limit_in_bytes | wc -c)" -gt 18 ]
}
@test "linux.resources.memory.reservation: v1" {
	limit '.linux.resources.memory.reservation = 16777216' memory memory.soft_limit_in_bytes 16777216
}

@test "linux.resources.memory.swap: v1" {
	limit '.linux.resources.memory = {limit: 33554432, swap: 67108864}' memory memory.memsw.limit_in_bytes 67108864
}
@test "linux.resources.memory.swappiness: v1" {
	limit '.linux.resources.memory.swappiness = 10' memory memory.swappiness 10
}

@test "linux.resources.memory.disableOOMKiller: v1" {
	need_v1 memory memory.oom_control
	sleeper '.linux.resources.memory = {limit: 33554432, disableOOMKiller: true}'
	has "$(v1 memory memory.oom_control)" "oom_kill_disable 1"
}
@test "linux.resources.memory.useHierarchy: v1" {
	limit '.linux.resources.memory = {limit: 33554432, useHierarchy: true}' memory memory.use_hierarchy 1
}

@test "linux.resources.memory.kernel: deprecated, is accepted or named in an error, v1" {
	need_v1 memory
	bundle '.linux.resources.memory.kernel = 33554432'
	run_it
	[ "$status" = 0 ] || { refuses kernel; }
}
@test "linux.resources.memory.kernelTCP: v1" {
	limit '.linux.resources.memory.kernelTCP = 33554432' memory memory.kmem.tcp.limit_in_bytes 33554432
}

@test "linux.resources.memory.limit: more than it is not given, v1" {
	need_v1 memory
	bundle '.process.args = ["/bin/probe", "eat", "64"] | .linux.resources.memory = {limit: 16777216, swap: 16777216}'
	run_it
	is "$status" 137
	hasnt "$output" ate
}
@test "linux.resources.memory.checkBeforeUpdate: a limit below the usage is refused, v1" {
	need_v1 memory
	sleeper '.linux.resources.memory = {limit: 67108864, checkBeforeUpdate: true}'
	run oci update --memory 4096 "$CT"
	[ "$status" -ne 0 ]
	is "$(v1 memory memory.limit_in_bytes)" 67108864
}
@test "linux.resources.memory.swappiness: above 100 is refused" {
	is_dhow || need_v1 memory
	bundle '.linux.resources.memory.swappiness = 101'
	refuses swappiness
}
@test "linux.resources.memory.swap: below the limit is refused, v1" {
	need_v1 memory memory.memsw.limit_in_bytes
	bundle '.linux.resources.memory = {limit: 33554432, swap: 16777216}'
	refuses swap
}

@test "linux.resources.cpu.shares: v1" {
	limit '.linux.resources.cpu.shares = 512' cpu cpu.shares 512
}

@test "linux.resources.cpu.quota: v1" {
	limit '.linux.resources.cpu = {quota: 50000, period: 100000}' cpu cpu.cfs_quota_us 50000
}

@test "linux.resources.cpu.quota: -1 is unlimited, v1" {
	limit '.linux.resources.cpu.quota = -1' cpu cpu.cfs_quota_us -1
}

@test "linux.resources.cpu.period: v1" {
	limit '.linux.resources.cpu.period = 50000' cpu cpu.cfs_period_us 50000
}

@test "linux.resources.cpu.burst: v1" {
	limit '.linux.resources.cpu = {quota: 50000, period: 100000, burst: 20000}' cpu cpu.cfs_burst_us 20000
}

@test "linux.resources.cpu.idle: v1" {
	limit '.linux.resources.cpu.idle = 1' cpu cpu.idle 1
}

@test "linux.resources.cpu.cpus: v1" {
	limit '.linux.resources.cpu.cpus = "0"' cpuset cpuset.cpus 0
}

@test "linux.resources.cpu.mems: v1" {
	limit '.linux.resources.cpu.mems = "0"' cpuset cpuset.mems 0
}

@test "linux.resources.cpu.cpus: seen from inside, v1" {
	need_v1 cpuset
	runs_sh 'probe cpus' '.linux.resources.cpu.cpus = "0"'
	is "$output" "1 0"
}
@test "linux.resources.cpu.cpus: an empty cpuset gets its parent's, v1" {
	need_v1 cpuset
	sleeper '.linux.resources.cpu.shares = 100'
	is "$(v1 cpuset cpuset.cpus)" "$(cat /sys/fs/cgroup/cpuset/cpuset.cpus)"
}
@test "linux.resources.cpu.realtimeRuntime and realtimePeriod: v1" {
	need_v1 cpu cpu.rt_runtime_us
	bundle '.process.args = ["/bin/sleep", "100"] | .linux.resources.cpu = {realtimePeriod: 1000000, realtimeRuntime: 1000}'
	create_try
	if [ "$status" = 0 ]; then
		is "$(v1 cpu cpu.rt_runtime_us)" 1000
		is "$(v1 cpu cpu.rt_period_us)" 1000000
	else
		has "$output" rt
		skip "this host gives no realtime: $output"
	fi
}
@test "linux.resources.cpu.cpus: a CPU that is not there is refused, v1" {
	need_v1 cpuset
	bundle '.linux.resources.cpu.cpus = "4000"'
	refuses cpuset.cpus
}

@test "linux.resources.pids.limit: v1" {
	limit '.linux.resources.pids.limit = 20' pids pids.max 20
}

@test "linux.resources.pids.limit: -1 is unlimited, v1" {
	limit '.linux.resources.pids.limit = -1' pids pids.max max
}

@test "linux.resources.pids.limit: more are not made, v1" {
	need_v1 pids
	bundle '.process.args = ["/bin/sh", "-c", "setsid probe fork 20 & wait"] | .linux.resources.pids.limit = 10'
	run_it
	[ "$output" -lt 10 ] && [ "$output" -gt 3 ]
}

@test "linux.resources.blockIO.weight: v1" {
	need_v1 blkio
	v1_has_file blkio blkio.weight || v1_has_file blkio blkio.bfq.weight || skip "this kernel has no weight for block devices"
	sleeper '.linux.resources.blockIO.weight = 100'
	local file=/sys/fs/cgroup/blkio$CGROUP/blkio.weight
	[ -e "$file" ] || file=/sys/fs/cgroup/blkio$CGROUP/blkio.bfq.weight
	has "$(cat "$file")" 100
}
@test "linux.resources.blockIO.leafWeight: v1" {
	limit '.linux.resources.blockIO.leafWeight = 100' blkio blkio.leaf_weight 100
}

# The numbers of the first whole disk, which throttles take.
disk()
{
	local name
	name=$(ls /sys/block | grep -E '^(vd|sd|nvme|xvd|loop)' | sort -r | head -n 1)
	[ -n "$name" ] || skip "no block device on this host"
	cat "/sys/block/$name/dev"
}

@test "linux.resources.blockIO.throttle…Device: the four, v1" {
	need_v1 blkio blkio.throttle.read_bps_device
	local dev name file
	dev=$(disk)
	while read -r name file; do
		sleeper -n "$name" '.linux.resources.blockIO[$n] = [{major: ($d | split(":")[0] | tonumber),
			minor: ($d | split(":")[1] | tonumber), rate: 1000000}]' --arg d "$dev" --arg n "$name"
		is "$(v1 blkio "blkio.throttle.$file")" "$dev 1000000" "$name"
	done <<-EOF
		throttleReadBpsDevice read_bps_device
		throttleWriteBpsDevice write_bps_device
		throttleReadIOPSDevice read_iops_device
		throttleWriteIOPSDevice write_iops_device
	EOF
}
@test "linux.resources.blockIO.weightDevice: v1" {
	need_v1 blkio blkio.bfq.weight_device
	local dev
	dev=$(disk)
	mkdir "/sys/fs/cgroup/blkio/$TAG-probe"
	at_end "rmdir '/sys/fs/cgroup/blkio/$TAG-probe'"
	(echo "$dev 200" >"/sys/fs/cgroup/blkio/$TAG-probe/blkio.bfq.weight_device") 2>/dev/null ||
		skip "the disk's scheduler here takes no weights"
	sleeper '.linux.resources.blockIO.weightDevice = [{major: ($d | split(":")[0] | tonumber),
		minor: ($d | split(":")[1] | tonumber), weight: 200}]' --arg d "$dev"
	has "$(v1 blkio blkio.bfq.weight_device)" "$dev 200"
}

@test "linux.resources.hugepageLimits: v1" {
	limit '.linux.resources.hugepageLimits = [{pageSize: "2MB", limit: 4194304}]' hugetlb hugetlb.2MB.limit_in_bytes 4194304
}

@test "linux.resources.hugepageLimits: the reservation, too, v1" {
	limit '.linux.resources.hugepageLimits = [{pageSize: "2MB", limit: 4194304}]' hugetlb hugetlb.2MB.rsvd.limit_in_bytes 4194304
}

@test "linux.resources.hugepageLimits: a page size in another shape is refused" {
	bundle '.linux.resources.hugepageLimits = [{pageSize: "64kB", limit: 1234123}]'
	refuses pageSize
}
@test "linux.resources.network.classID: v1" {
	limit '.linux.resources.network.classID = 1048577' net_cls net_cls.classid 1048577
}

@test "linux.resources.network.priorities: v1" {
	need_v1 net_prio
	sleeper '.linux.resources.network.priorities = [{name: "lo", priority: 5}]'
	has "$(v1 net_prio net_prio.ifpriomap)" "lo 5"
}
@test "linux.resources.rdma: v1" {
	need_v1 rdma
	local device
	device=$(find /sys/class/infiniband -mindepth 1 -printf '%f' -quit 2>/dev/null) || true
	bundle '.linux.resources.rdma = {($d): {hcaHandles: 3, hcaObjects: 10000}} | sh("sleep 1000")' --arg d "${device:-mlx5_0}"
	if [ -z "$device" ]; then
		refuses linux.resources.rdma "mlx5_0 hca_handle=3 hca_object=10000"
		return
	fi
	start_it
	has "$(v1 rdma rdma.max)" "$device hca_handle=3"
}

# What the host does not have is asked of it.
@test "linux.resources: a field whose controller is absent is refused, and named" {
	is_pure_v2 && skip "these are v1's"
	is_dhow || skip "peers say nothing of some"
	local filter word
	while read -r directory word filter; do
		[ ! -d "/sys/fs/cgroup/$directory" ] || continue
		bundle -n "$directory" "$filter"
		refuses "$word"
	done <<-'EOF'
		net_cls classID .linux.resources.network.classID = 1048577
		net_prio priorities .linux.resources.network.priorities = [{name: "lo", priority: 5}]
		rdma rdma .linux.resources.rdma = {mlx5_0: {hcaHandles: 3}}
	EOF
}

@test "linux.resources: absent, nothing is asked of the host" {
	runs_sh 'echo fine' 'del(.linux.resources)'
	is "$output" fine
}

# --- cgroup2 -----------------------------------------------------------------------------------------------------

# limit2 FILTER CONTROLLER FILE VALUE
limit2()
{
	need_v2 "$2"
	sleeper "$1"
	is "$(cat "$(v2_path)/$3")" "$4" "$3"
}

@test "linux.resources.memory.limit: v2" {
	limit2 '.linux.resources.memory.limit = 33554432' memory memory.max 33554432
}

@test "linux.resources.memory.reservation: v2" {
	limit2 '.linux.resources.memory.reservation = 16777216' memory memory.low 16777216
}

@test "linux.resources.memory.swap: is the difference, v2" {
	limit2 '.linux.resources.memory = {limit: 33554432, swap: 50331648}' memory memory.swap.max 16777216
}

@test "linux.resources.cpu.quota and period: v2" {
	limit2 '.linux.resources.cpu = {quota: 50000, period: 100000}' cpu cpu.max "50000 100000"
}

@test "linux.resources.cpu.shares: are converted to a weight, v2" {
	need_v2 cpu
	sleeper '.linux.resources.cpu.shares = 1024'
	# runc's older linear conversion, and the newer one that maps the defaults on each other.
	like "$(cat "$(v2_path)/cpu.weight")" '^(39|100)$'
}
@test "linux.resources.cpu.idle: v2" {
	limit2 '.linux.resources.cpu.idle = 1' cpu cpu.idle 1
}

@test "linux.resources.cpu.burst: v2" {
	limit2 '.linux.resources.cpu = {quota: 50000, period: 100000, burst: 20000}' cpu cpu.max.burst 20000
}

@test "linux.resources.cpu.cpus: v2" {
	limit2 '.linux.resources.cpu.cpus = "0"' cpuset cpuset.cpus 0
}

@test "linux.resources.cpu.mems: v2" {
	limit2 '.linux.resources.cpu.mems = "0"' cpuset cpuset.mems 0
}

@test "linux.resources.pids.limit: v2" {
	limit2 '.linux.resources.pids.limit = 20' pids pids.max 20
}

@test "linux.resources.blockIO.weight: v2" {
	need_v2 io
	sleeper '.linux.resources.blockIO.weight = 100'
	has "$(cat "$(v2_path)"/io.weight "$(v2_path)"/io.bfq.weight 2>/dev/null)" "default"
}
@test "linux.resources.hugepageLimits: v2" {
	limit2 '.linux.resources.hugepageLimits = [{pageSize: "2MB", limit: 4194304}]' hugetlb hugetlb.2MB.max 4194304
}

@test "linux.resources.hugepageLimits: the reservation, too, v2" {
	limit2 '.linux.resources.hugepageLimits = [{pageSize: "2MB", limit: 4194304}]' hugetlb hugetlb.2MB.rsvd.max 4194304
}

@test "linux.resources.unified: a file is written, v2" {
	need_v2 hugetlb
	is_pure_v2 || [ "$RUNTIME_NAME" != runc ] || skip "runc takes unified on pure cgroup2 hosts only"
	sleeper '.linux.resources.unified = {"hugetlb.2MB.max": "2097152"}'
	is "$(cat "$(v2_path)/hugetlb.2MB.max")" 2097152
}
@test "linux.resources.unified: a key that does not exist is refused, and named" {
	bundle '.linux.resources.unified = {"memory.nonesuch": "1"}'
	refuses memory.nonesuch
}
@test "linux.resources.unified: a key with a slash is refused" {
	bundle '.linux.resources.unified = {"../cgroup.procs": "1"}'
	refuses unified
}
@test "linux.resources.devices: the eBPF program denies, v2" {
	need_root
	is_pure_v2 || skip "cgroup v1 has the devices controller here"
	bundle 'sh("exec 5</dev/mine") | .linux.devices = [{path: "/dev/mine", type: "c", major: 10, minor: 229}] |
		.linux.resources.devices = [{allow: false, access: "rwm"}]'
	run_it
	has "$output" "not permitted"
}

# --- Mounts of type cgroup ---------------------------------------------------------------------------------------

@test "mounts.type cgroup: on v1 and hybrid, each hierarchy is there, at the container's cgroup" {
	is_pure_v2 && skip "no cgroup v1 on this host"
	[ "$RUNTIME_NAME" != crun ] || skip "crun runs on a cgroup2 mount here"
	bundle 'sh("ls /sys/fs/cgroup; cat /sys/fs/cgroup/pids/cgroup.procs") |
		mnt("/sys/fs/cgroup"; "cgroup"; "cgroup"; ["nosuid", "noexec", "nodev", "relatime", "ro"])'
	run_ok
	for name in memory pids devices freezer; do has "$output" "$name"; done
	[ "$(wc -w <<<"${lines[*]: -2}")" -ge 1 ]
	like "$output" $'\n1$|\n1\n'
}

@test "mounts.type cgroup: ro can't be written" {
	is_pure_v2 && skip "no cgroup v1 on this host"
	[ "$RUNTIME_NAME" != crun ] || skip "crun runs on a cgroup2 mount here"
	runs_sh 'mkdir /sys/fs/cgroup/pids/x || echo refused' \
		'mnt("/sys/fs/cgroup"; "cgroup"; "cgroup"; ["ro", "nosuid", "noexec", "nodev"])'
	has "$output" refused
}

@test "mounts.type cgroup: with a cgroup namespace" {
	is_pure_v2 && skip "no cgroup v1 on this host"
	[ "$RUNTIME_NAME" != crun ] || skip "crun runs on a cgroup2 mount here"
	runs_sh 'cat /sys/fs/cgroup/pids/cgroup.procs | head -n 1; cat /proc/self/cgroup | grep -c pids:/$' \
		'ns("cgroup") | mnt("/sys/fs/cgroup"; "cgroup"; "cgroup"; ["ro", "nosuid", "noexec", "nodev"])'
	is "$output" $'1\n1'
}

@test "mounts.type cgroup: on v2, the container's cgroup with a cgroup namespace" {
	is_pure_v2 || [ "$RUNTIME_NAME" = crun ] || skip "cgroup v1 on this host"
	runs_sh 'head -n 1 /sys/fs/cgroup/cgroup.procs' \
		'ns("cgroup") | mnt("/sys/fs/cgroup"; "cgroup"; "cgroup"; ["ro", "nosuid", "noexec", "nodev"])'
	is "$output" 1
}

# --- update ------------------------------------------------------------------------------------------------------

# updates FLAG VALUE CONTROLLER FILE [EXPECTED]
updates()
{
	need_v1 "$3" "$4"
	sleeper '.linux.resources.memory.limit = 67108864'
	run oci update "$1" "$2" "$CT"
	[ "$status" = 0 ] || fail "update $1 $2: $output"
	is "$(v1 "$3" "$4")" "${5:-$2}" "$4"
}

@test "update --memory" {
	updates --memory 33554432 memory memory.limit_in_bytes
}

@test "update --memory: more than before" {
	updates --memory 134217728 memory memory.limit_in_bytes
}

@test "update --memory-reservation" {
	updates --memory-reservation 16777216 memory memory.soft_limit_in_bytes
}

@test "update --memory-swap" {
	updates --memory-swap 134217728 memory memory.memsw.limit_in_bytes
}

@test "update --cpu-share" {
	updates --cpu-share 256 cpu cpu.shares
}

@test "update --cpu-quota" {
	updates --cpu-quota 40000 cpu cpu.cfs_quota_us
}

@test "update --cpu-period" {
	updates --cpu-period 40000 cpu cpu.cfs_period_us
}

@test "update --cpu-idle" {
	updates --cpu-idle 1 cpu cpu.idle
}

@test "update --cpuset-cpus" {
	updates --cpuset-cpus 0 cpuset cpuset.cpus
}

@test "update --cpuset-mems" {
	updates --cpuset-mems 0 cpuset cpuset.mems
}

@test "update --pids-limit" {
	updates --pids-limit 33 pids pids.max
}

@test "update --blkio-weight" {
	need_v1 blkio
	v1_has_file blkio blkio.weight || v1_has_file blkio blkio.bfq.weight || skip "this kernel has no weight for block devices"
	sleeper
	oci update --blkio-weight 100 "$CT"
}

@test "update --cpu-rt-period and --cpu-rt-runtime" {
	need_v1 cpu cpu.rt_runtime_us
	sleeper
	run oci update --cpu-rt-period 1000000 --cpu-rt-runtime 1000 "$CT"
	if [ "$status" != 0 ]; then
		has "$output" rt
		skip "this host gives no realtime: $output"
	fi
	is "$(v1 cpu cpu.rt_period_us)" 1000000
	is "$(v1 cpu cpu.rt_runtime_us)" 1000
}

@test "update --kernel-memory: is let be, and told so" {
	need_v1 memory
	sleeper '.linux.resources.memory.limit = 67108864'
	run oci update --kernel-memory 33554432 "$CT"
	# Kernels since 5.16 count kernel memory in the limit, and since 6.0 this one has no effect.
	[ "$status" = 0 ] || fail "$output"
	like "${output,,}" 'kernel.?memory'
}

@test "update --kernel-memory-tcp: is set" {
	need_v1 memory memory.kmem.tcp.limit_in_bytes
	is_dhow || skip "runc has let it be since 1.0"
	updates --kernel-memory-tcp 33554432 memory memory.kmem.tcp.limit_in_bytes
}

@test "update --l3-cache-schema and --mem-bw-schema: without the kernel's support are refused" {
	[ ! -d /sys/fs/resctrl/info ] || skip "this host has resctrl"
	sleeper
	run oci update --l3-cache-schema "L3:0=f" "$CT"
	[ "$status" -ne 0 ]
	run oci update --mem-bw-schema "MB:0=20" "$CT"
	[ "$status" -ne 0 ]
	if is_dhow; then has "$output" resctrl; fi
}

@test "update: several at once" {
	need_v1 cpu
	sleeper '.linux.resources.cpu = {shares: 100}'
	run oci update --cpu-share 200 --cpu-quota 30000 --cpu-period 60000 --pids-limit 55 "$CT"
	[ "$status" = 0 ] || fail "$output"
	is "$(v1 cpu cpu.shares) $(v1 cpu cpu.cfs_quota_us) $(v1 cpu cpu.cfs_period_us) $(v1 pids pids.max)" "200 30000 60000 55"
}

@test "update --cpu-burst" {
	need_v1 cpu cpu.cfs_burst_us
	sleeper '.linux.resources.cpu = {quota: 50000, period: 100000}'
	run oci update --cpu-burst 20000 "$CT"
	[ "$status" = 0 ] || fail "$output"
	is "$(v1 cpu cpu.cfs_burst_us)" 20000
}

@test "update --resources: from a file" {
	need_v1 memory
	sleeper '.linux.resources = {memory: {limit: 67108864}, pids: {limit: 77}}'
	echo '{"memory": {"limit": 50331648, "reservation": 8388608}, "cpu": {"shares": 300, "quota": 30000, "period": 60000}}' >"$WORLD/r"
	oci update --resources "$WORLD/r" "$CT"
	is "$(v1 memory memory.limit_in_bytes)" 50331648
	is "$(v1 memory memory.soft_limit_in_bytes)" 8388608
	is "$(v1 cpu cpu.shares)" 300
	is "$(v1 cpu cpu.cfs_quota_us)" 30000
	is "$(v1 cpu cpu.cfs_period_us)" 60000
	is "$(v1 pids pids.max)" 77 "what was not given stays"
}

@test "update --resources: from standard input" {
	need_v1 pids
	sleeper
	echo '{"pids": {"limit": 44}}' | oci update -r - "$CT"
	is "$(v1 pids pids.max)" 44
}

@test "update --resources: what is none is refused" {
	sleeper
	run oci update --resources /no/such/file "$CT"
	[ "$status" -ne 0 ]
	echo '{"memory": {"limit": "much"}}' >"$WORLD/r"
	run oci update --resources "$WORLD/r" "$CT"
	[ "$status" -ne 0 ]
}

@test "update: a value that is no number is refused" {
	sleeper
	run oci update --memory lots "$CT"
	[ "$status" -ne 0 ]
}

@test "update: a value that the kernel refuses is an error, and named" {
	need_v1 cpuset
	sleeper
	run oci update --cpuset-cpus 4000 "$CT"
	[ "$status" -ne 0 ]
	has "$output" cpuset.cpus
}

@test "update: a stopped container is refused" {
	bundle
	start_it
	wait_stopped
	run oci update --pids-limit 5 "$CT"
	[ "$status" -ne 0 ]
}

# --- events ------------------------------------------------------------------------------------------------------

@test "events --stats: one line of JSON in runc's shape" {
	need_v1 memory
	sleeper '.linux.resources = {memory: {limit: 67108864}, pids: {limit: 77}}'
	run oci events --stats "$CT"
	[ "$status" = 0 ] || fail "$output"
	is "$(jq -r .type <<<"$output")" stats
	is "$(jq -r .id <<<"$output")" "$CT"
	[ "$(jq -r .data.cpu.usage.total <<<"$output")" -ge 0 ]
	is "$(jq -r '.data.cpu.usage.percpu | type' <<<"$output")" array
	is "$(jq -r '.data.cpu.throttling | type' <<<"$output")" object
	[ "$(jq -r .data.memory.usage.usage <<<"$output")" -gt 0 ]
	is "$(jq -r .data.memory.usage.limit <<<"$output")" 67108864
	is "$(jq -r '.data.memory.raw | type' <<<"$output")" object
	is "$(jq -r .data.pids.current <<<"$output")" 1
	is "$(jq -r .data.pids.limit <<<"$output")" 77
	is "$(jq -r '.data.blkio | type' <<<"$output")" object
}

@test "events --interval: a line each time, until the container ends" {
	need_v1 memory
	sleeper
	oci events --interval 100ms "$CT" >"$WORLD/events" 2>/dev/null &
	AGENTS+=($!)
	wait_until 5 lines_at_least "$WORLD/events" 3
	oci delete --force "$CT"
	wait_until 5 no_processes_left || fail "events goes on"
	is "$(head -n 1 "$WORLD/events" | jq -r .type)" stats
}

lines_at_least() { [ "$(wc -l <"$1")" -ge "$2" ]; }

@test "events: an out-of-memory kill is told" {
	need_v1 memory
	bundle 'sh("echo ready; read x </data/go; probe eat 64; sleep 100") | .linux.resources.memory = {limit: 16777216, swap: 16777216}'
	mkfifo "$BUNDLE/rootfs/data/go"
	start_it
	wait_file "$BUNDLE/out"
	oci events "$CT" >"$WORLD/events" 2>/dev/null &
	AGENTS+=($!)
	# It must be waiting before the event; it has opened the control file by then.
	wait_until 5 watches_oom "${AGENTS[-1]}"
	echo >"$BUNDLE/rootfs/data/go"
	wait_until 5 grep -q '"oom"' "$WORLD/events"
}

watches_oom()
{
	local pid
	for pid in $(pgrep -f "$WORLD/root events"); do
		readlink /proc/"$pid"/fd/* 2>/dev/null | grep -qE 'oom_control|eventfd|memory.events' && return 0
	done
	return 1
}

@test "events: a stopped container is refused" {
	bundle
	start_it
	wait_stopped
	run oci events --stats "$CT"
	[ "$status" -ne 0 ]
}
