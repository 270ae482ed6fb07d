#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# What dhow keeps when it is killed in the middle, or the disk is full.
load images.bash

# Every listed image is whole: its layers' files are those that went in.
whole() {
	local name
	for name in $(dhow images --format '{{.Repository}}:{{.Tag}}'); do
		[ "$name" != "<none>:<none>" ] || continue
		same "$WORLD/a" "$(layer_of "$name" 0)"
		same "$WORLD/b" "$(layer_of "$name" 1)"
		dhow save -o "$WORLD/whole.tar" "$name"
		rm -f "$WORLD/whole.tar"
	done
}

prepare() {
	tree "$WORLD/a"
	mkdir -p "$WORLD/b/many"
	for i in $(seq 200); do echo "$i" >"$WORLD/b/many/$i"; done
	registry
	layout "$WORLD/oci" gzip "$WORLD/a" "$WORLD/b"
	publish "$WORLD/oci" test/one:latest
	skopeo copy -q "oci:$WORLD/oci:latest" "docker-archive:$WORLD/load.tar:load.example/one:latest"
}

# Kills COMMAND at a moment between 0 and 60 ms after its start.
kill_at_random() { timeout -s KILL "0.0$(printf %02d $((RANDOM % 60)))" "$DHOW" --root "$WORLD/root" --runroot "$WORLD/run" "$@" >/dev/null 2>&1 || :; }

storm() { # storm ROUNDS COMMAND...: kills it ROUNDS times; in between every image is whole
	local i rounds=$1
	shift
	for ((i = 0; i < rounds; i++)); do
		kill_at_random "$@"
		[ $((i % 10)) != 0 ] || whole
	done
}

@test "kill -9 at random points of pull, load, rmi and prune leaves whole images, and nothing is leaked" {
	prepare
	for _ in $(seq "${DHOW_CRASH_ROUNDS:-4}"); do
		storm 8 pull -q "$REGISTRY/test/one"
		storm 8 load -q -i "$WORLD/load.tar"
		kill_at_random rmi -f "$REGISTRY/test/one"
		kill_at_random rmi -a
		kill_at_random image prune -f
	done
	dhow pull -q "$REGISTRY/test/one"
	dhow load -q -i "$WORLD/load.tar"
	whole
	dhow rmi -a -f
	dhow image prune -f
	[ -z "$(dhow images -q -a)" ]
	left=$(find "$WORLD/root/blobs" "$WORLD/root"/storage/overlay/layers -mindepth 2; find "$WORLD/root"/storage/overlay/{staging,trash} "$WORLD/root/trash" -mindepth 1)
	echo "left: $left"
	[ -z "$left" ]
	[ "$(sqlite3 "$WORLD/root/dhow.db" 'SELECT count(*) FROM lease')" = 0 ]
}

@test "a full disk is one line, and the store stays as it was" {
	need mkfs.ext4
	prepare
	mkdir "$WORLD/small"
	mount -t tmpfs -o size=8m,mode=700 none "$WORLD/small"
	small() { "$DHOW" --root "$WORLD/small/root" --runroot "$WORLD/run" "$@"; }
	echo hello >"$WORLD/b/many/x"
	tar -C "$WORLD/b" -c . | small import - kept:latest
	before=$(small images -q)
	head -c 30000000 /dev/urandom >"$WORLD/a/etc/large"
	layout "$WORLD/oci2" gzip "$WORLD/a"
	publish "$WORLD/oci2" test/large:latest
	run small pull -q "$REGISTRY/test/large"
	echo "$output"
	[ "$status" = 1 ]
	[ "${#lines[@]}" = 1 ]
	[[ "$output" == *"No space left on device"* ]]
	[ "$(small images -q)" = "$before" ]
	[ -z "$(find "$WORLD/small/root"/storage/overlay/staging -mindepth 1)" ]
	small rmi kept
	umount "$WORLD/small"
}

@test "a disk without a free block: the error says so" {
	mkdir "$WORLD/full"
	mount -t tmpfs -o size=2m tmpfs "$WORLD/full"
	"$DHOW" --root "$WORLD/full/root" --runroot "$WORLD/run" images
	head -c 4m /dev/zero >"$WORLD/full/fill" 2>/dev/null || :
	run "$DHOW" --root "$WORLD/full/root" --runroot "$WORLD/run" images
	umount "$WORLD/full"
	echo "$output"
	[ "$status" = 1 ]
	[ "$output" = "dhow: the database $WORLD/full/root/dhow.db: No space left on device" ]
}
