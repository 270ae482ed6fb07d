# SPDX-License-Identifier: GPL-2.0-or-later
# What the tests on the virtual hosts share: the worlds of ../helpers.bash for a normal user, too, and systemd's units.
#
#   VM_KIND    unified, dev or hybrid      OCI_FLAGS   global flags for each call of the runtime

load ../helpers

is_user() { [ "$(id -u)" != 0 ]; }
need_user() { is_user || skip "a normal user's matter"; }
need_pure_v2() { is_pure_v2 || skip "a matter of pure cgroup v2"; }

oci()
{
	# shellcheck disable=SC2086 # flags are words
	"$RUNTIME_PATH" --root "$ROOT" ${OCI_FLAGS-} "$@" 3>&- 4>&-
}

# The manager that a container's unit is with.
manager() { if is_user; then systemctl --user "$@"; else systemctl "$@"; fi; }

# vm_bundle [FILTER [JQ ARGUMENT...]]: a bundle without linux.cgroupsPath.
vm_bundle()
{
	local filter=${1:-.}
	shift || true
	bundle "del(.linux.cgroupsPath) | $filter" "$@"
}

# A container that sleeps in the unit UNIT (a scope), below SLICE or the default one.
scope_bundle()
{
	local filter=${1:-.}
	shift || true
	vm_bundle ".process.args = [\"/bin/sleep\", \"100\"] | .linux.cgroupsPath = \":vm:$TAG-c\" | $filter" "$@"
	UNIT=vm-$TAG-c.scope
}

scope()
{
	scope_bundle "$@"
	start_it
}

property() { manager show -p "$1" --value "${2:-$UNIT}"; }
is_unit_gone() { [ "$(property ActiveState "$1")" = inactive ] && [ "$(property LoadState "$1")" = not-found ]; }

# The directory of the container's cgroup: of a v1 controller on the hybrid host.
group_dir()
{
	local line
	if is_pure_v2; then
		line=$(sed -n 's/^0:://p' "/proc/$(pid_of)/cgroup")
		echo "/sys/fs/cgroup$line"
	else
		line=$(sed -nE "s/^[0-9]+:([^:]*,)?$1(,[^:]*)?:(.*)/\3/p" "/proc/$(pid_of)/cgroup")
		echo "/sys/fs/cgroup/$1$line"
	fi
}

# limit CONTROLLER V2FILE V1FILE: what is in force.
limit() { if is_pure_v2; then cat "$(group_dir "$1")/$2"; else cat "$(group_dir "$1")/$3"; fi; }
