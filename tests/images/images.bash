# SPDX-License-Identifier: GPL-2.0-or-later
# Worlds for the black-box tests of images: a directory per test with stores of its own, registries on loopback, and images made
# from a static busybox.
#
#   DHOW   the program under test     WORLD  this test's directory     dhow ...  runs it with the stores of WORLD
# teardown() ends every process that was started with `serve`, and fails the test when a mount of the world is left.

TESTS_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
DHOW=${DHOW:-$(type -P dhow || :)}

setup() { world_make; }
teardown() { world_remove; }

world_make()
{
	[ -x "$DHOW" ] || { echo "DHOW names no program: $DHOW"; return 1; }
	[ "$(id -u)" = 0 ] || skip "needs root"
	WORLD=$(mktemp -d "${BATS_TMPDIR:-/tmp}/dhow-images.XXXXXX")
	PIDS=()
	export HOME=$WORLD/home DOCKER_CONFIG=$WORLD/home/.docker XDG_RUNTIME_DIR=$WORLD/xdg
	unset REGISTRY_AUTH_FILE
	mkdir -p "$HOME" "$XDG_RUNTIME_DIR"
}

world_remove()
{
	local pid left
	# Without a world there is nothing of ours.
	case ${WORLD-} in */dhow-images.*) ;; *) return 0 ;; esac
	for pid in "${PIDS[@]}"; do kill -9 "$pid" 2>/dev/null || :; done
	left=$(awk -v w="$WORLD/" 'index($5, w) == 1 {print $5}' /proc/self/mountinfo | sort -r)
	[ -z "$left" ] || echo "$left" | xargs -r umount -l
	rm -rf "$WORLD"
	[ -z "$left" ] || { echo "mounts were left: $left"; return 1; }
}

dhow() { "$DHOW" --root "$WORLD/root" --runroot "$WORLD/run" "$@"; }
need() { local tool; for tool; do command -v "$tool" >/dev/null || skip "$tool is missing"; done; }
until_it() { # until_it SECONDS COMMAND...: waits for COMMAND to succeed
	local end=$((SECONDS + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt $end ] || { echo "waited in vain: $*"; return 1; }
		read -rt 0.02 <> <(:) || :
	done
}
free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
serve() { # serve COMMAND...: in the background until the test ends
	"$@" >>"$WORLD/served.log" 2>&1 3>&- </dev/null &
	PIDS+=($!)
}

# A file system with what tests look at: modes, owners, links, a capability, times. tree DIR
tree()
{
	mkdir -p "$1"/{bin,etc,dir/sub,tmp}
	cp "$(command -v busybox)" "$1/bin/busybox"
	ln -s busybox "$1/bin/sh"
	echo hello >"$1/etc/file"
	ln "$1/etc/file" "$1/etc/hard"
	ln -s ../etc/file "$1/dir/link"
	mkfifo "$1/dir/fifo"
	chmod 1777 "$1/tmp"
	chown 1000:1001 "$1/etc/file"
	chmod 4755 "$1/bin/busybox"
	touch -d '2001-02-03 04:05:06.123456789' "$1/dir/sub"
}

# layout DIR KIND TREE...: an OCI layout with one layer per tree; KIND is gzip, zstd or plain. Made once per file of tests.
layout()
{
	local to=$1 kind=$2 tars=() i=0 tree
	shift 2
	mkdir -p "$WORLD/tars"
	for tree; do
		tar -C "$tree" --xattrs --xattrs-include='*' --numeric-owner --sort=name --format=pax --pax-option=delete=atime,delete=ctime -cf "$WORLD/tars/$i.tar" .
		tars+=("$WORLD/tars/$i.tar")
		i=$((i + 1))
	done
	python3 "$TESTS_DIR/images/layout.py" "$to" "$kind" "${tars[@]}"
}

# A registry on loopback: registry [PORT [EXTRA-YAML-OF-HTTP [EXTRA-YAML]]]. Sets REGISTRY=127.0.0.1:PORT.
registry()
{
	need docker-registry skopeo
	local port=${1:-$(free_port)}
	REGISTRY=127.0.0.1:$port
	mkdir -p "$WORLD/registry"
	printf 'version: 0.1\nlog: {level: error, accesslog: {disabled: true}}\nstorage: {filesystem: {rootdirectory: %s}, delete: {enabled: true}}\nhttp:\n  addr: "%s"\n%s\n%s\n' \
		"$WORLD/registry" "$REGISTRY" "${2-}" "${3-}" >"$WORLD/registry-$port.yml"
	serve docker-registry serve "$WORLD/registry-$port.yml"
	until_it 10 bash -c ": <>/dev/tcp/127.0.0.1/$port"
}
# Puts the layout DIR as NAME:TAG into the registry.
publish() { skopeo copy -q --all --dest-tls-verify=false "oci:$1:latest" "docker://$REGISTRY/$2"; }

# The directory of an image's layer, 0 being the lowest; needs the driver overlay.
layer_of() { # layer_of IMAGE POSITION
	local chain
	chain=$(sqlite3 "$WORLD/root/dhow.db" "SELECT chain_id FROM image_layer JOIN image_name USING (image) WHERE repository || ':' || tag = '$1' AND position = ${2:-0}")
	echo "$WORLD/root/storage/overlay/layers/${chain#sha256:}"
}
# Two trees are the same in everything: same DIR DIR
same() { python3 "$TESTS_DIR/images/same.py" "$1" "$2"; }
rests() { find "$WORLD/root/ingest" "$WORLD/root/trash" "$WORLD/root"/storage/*/staging "$WORLD/root"/storage/*/trash -mindepth 1 2>/dev/null; }
