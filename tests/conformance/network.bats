# SPDX-License-Identifier: GPL-2.0-or-later
# linux.netDevices: host interfaces that move into the container.
load ../helpers

# The runtime works in a network namespace of the test's own, where veth pairs are made: HOSTNS.
setup()
{
	world_make
	HOSTNS=$TAG
	ip netns add "$HOSTNS"
	at_end "ip netns delete '$HOSTNS'"
	ip -n "$HOSTNS" link add veth-a type veth peer name veth-b || skip "no veth on this host"
}

in_hostns() { nsenter --net="/run/netns/$HOSTNS" "$RUNTIME_PATH" --root "$ROOT" "$@" 3>&- 4>&-; }

@test "linux.netDevices: the device is in the container, and not on the host any more" {
	bundle 'sh("ip -o link show") | .linux.netDevices = {"veth-a": {}}'
	run in_hostns run --bundle "$BUNDLE" "$CT" </dev/null
	[ "$status" = 0 ] || fail "$output"
	has "$output" veth-a
	hasnt "$output" veth-b
}

@test "linux.netDevices: is gone from the host while the container runs" {
	bundle '.process.args = ["/bin/sleep", "100"] | .linux.netDevices = {"veth-a": {}}'
	in_hostns run --detach --bundle "$BUNDLE" "$CT" </dev/null >"$WORLD/o" 2>&1 || fail "$(cat "$WORLD/o")"
	run ip -n "$HOSTNS" -o link show
	hasnt "$output" "veth-a@veth-b"
	has "$output" veth-b
	run oci exec "$CT" ip -o link show
	has "$output" veth-a
}

@test "linux.netDevices name: renames it" {
	bundle 'sh("ip -o link show") | .linux.netDevices = {"veth-a": {name: "eth7"}}'
	run in_hostns run --bundle "$BUNDLE" "$CT" </dev/null
	has "$output" eth7
	hasnt "$output" veth-a
}

@test "linux.netDevices: is set up, and keeps its global addresses" {
	ip -n "$HOSTNS" addr add 10.77.1.2/24 dev veth-a
	ip -n "$HOSTNS" addr add 2001:db8::7/64 dev veth-a nodad
	ip -n "$HOSTNS" link set veth-a up
	ip -n "$HOSTNS" link set veth-b up
	bundle 'sh("ip -o addr show dev veth-a; ip -o link show dev veth-a") | .linux.netDevices = {"veth-a": {}}'
	run in_hostns run --bundle "$BUNDLE" "$CT" </dev/null
	has "$output" 10.77.1.2/24
	has "$output" 2001:db8::7/64
	like "$output" '[<,]UP[,>]'
}

@test "linux.netDevices: keeps MTU and hardware address" {
	ip -n "$HOSTNS" link set veth-a mtu 1400 address 02:11:22:33:44:55
	bundle 'sh("ip link show dev veth-a") | .linux.netDevices = {"veth-a": {}}'
	run in_hostns run --bundle "$BUNDLE" "$CT" </dev/null
	has "$output" "mtu 1400"
	has "$output" 02:11:22:33:44:55
}

@test "linux.netDevices: several" {
	bundle 'sh("ip -o link show") | .linux.netDevices = {"veth-a": {name: "one"}, "veth-b": {name: "two"}}'
	run in_hostns run --bundle "$BUNDLE" "$CT" </dev/null
	has "$output" one
	has "$output" two
}

@test "linux.netDevices: a device that does not exist is refused, and named" {
	bundle '.linux.netDevices = {"no-such": {}}'
	refuses no-such
}

@test "linux.netDevices: a name that is too long or strange is refused" {
	local name
	for name in "a-very-long-device-name" "a/b" "." ".." "a b" ""; do
		[ -n "$name" ] || continue
		bundle '.linux.netDevices = {"lo": {name: $n}}' --arg n "$name"
		refuses netDevices
	done
}

@test "linux.netDevices: a name that is no string is refused" {
	bundle '.linux.netDevices = {"eth0": {name: 23}}'
	refuses linux.netDevices name
}

@test "linux.netDevices: without a network namespace it is refused" {
	bundle 'no_ns("network") | .linux.netDevices = {"veth-a": {}}'
	run in_hostns run --bundle "$BUNDLE" "$CT" </dev/null
	[ "$status" -ne 0 ] || fail "was accepted"
	is_dhow || PEER_REFUSED=1
}

@test "linux.netDevices: one name in the container twice is refused" {
	bundle '.linux.netDevices = {"veth-a": {name: "same"}, "veth-b": {name: "same"}}'
	run in_hostns run --bundle "$BUNDLE" "$CT" </dev/null
	[ "$status" -ne 0 ] || fail "was accepted"
	is_dhow || PEER_REFUSED=1
}
