#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# image verify: an image that is whole, and every way in which one may be damaged.
load images.bash

prepare() { # an image "one" of two layers, the upper one with deletions
	need sqlite3
	tree "$WORLD/a"
	mkdir -p "$WORLD/b/etc" "$WORLD/b/dir"
	echo more >"$WORLD/b/etc/more"
	: >"$WORLD/b/etc/.wh.hard"
	: >"$WORLD/b/dir/.wh..wh..opq"
	layout "$WORLD/oci" gzip "$WORLD/a" "$WORLD/b"
	dhow load -q -i "$WORLD/oci"
	dhow tag "$(dhow images -q)" one
}
damaged() { # damaged WHAT: verify says so in one line, and exits with 1
	run dhow image verify one
	echo "$output"
	[ "$status" = 1 ]
	[ "${#lines[@]}" = 1 ]
	[[ "$output" == "dhow: one: "*"$1"* ]]
}

@test "verify: an image that is whole, with every driver that works here" {
	prepare
	run dhow image verify one
	echo "$output"
	[ "$status" = 0 ]
	[[ "$output" == "one: whole (4 blobs of "*", 2 layers of "*")" ]]
	[ -z "$(dhow image verify -q --all)" ]
	[ -z "$(rests)" ]
	dhow save -o "$WORLD/one.tar" one
	for driver in vfs fuse-overlayfs; do
		run dhow --root "$WORLD/$driver" --storage-driver "$driver" load -q -i "$WORLD/one.tar"
		[ "$status" = 0 ] || continue
		run dhow --root "$WORLD/$driver" image verify one
		echo "$driver: $output"
		[ "$status" = 0 ]
		[[ "$output" == *"2 layers of "* ]]
	done
}

@test "verify: a layer that another driver has not unpacked is no damage" {
	prepare
	run dhow --storage-driver vfs image verify one
	echo "$output"
	[ "$status" = 0 ]
	[[ "$output" == *"; not unpacked: 2)" ]]
}

@test "verify: what was done to a layer's files is found" {
	prepare
	local low high
	low=$(layer_of docker.io/library/one:latest 0) high=$(layer_of docker.io/library/one:latest 1)
	# The same size and time.
	cp -a "$low/etc/file" "$WORLD/keep"
	echo jello | dd of="$low/etc/file" conv=notrunc status=none
	touch -r "$WORLD/keep" "$low/etc/file"
	damaged "/etc/file was changed"
	cat "$WORLD/keep" >"$low/etc/file"
	touch -r "$WORLD/keep" "$low/etc/file"
	dhow image verify one
	chmod g+w "$low/dir"
	damaged "/dir has other attributes"
	chmod g-w "$low/dir"
	: >"$low/bin/new"
	damaged "/bin/new was added"
	rm "$low/bin/new"
	dhow image verify -q one
	rm "$high/etc/hard"
	damaged "/etc/hard is missing"
	mknod "$high/etc/hard" c 0 0
	setfattr -x trusted.overlay.opaque "$high/dir"
	damaged "/dir "
	[ -z "$(rests)" ]
}

@test "verify: a blob that was changed, cut or lost" {
	prepare
	local blob
	blob=$(sqlite3 "$WORLD/root/dhow.db" "SELECT substr(blob, 8) FROM image_layer WHERE position = 0")
	blob=$WORLD/root/blobs/sha256/$blob
	cp -a "$blob" "$WORLD/blob"
	printf x | dd of="$blob" bs=1 seek=100 conv=notrunc status=none
	damaged "is damaged"
	cp "$WORLD/blob" "$blob"
	truncate -s -1 "$blob"
	damaged "is damaged"
	rm "$blob"
	damaged "is missing"
	run dhow image verify --all
	[ "$status" = 1 ]
	cp "$WORLD/blob" "$blob"
	dhow image verify one
}

@test "verify: wrong use" {
	run dhow image verify
	[ "$status" = 1 ]
	[ "$output" = "dhow: name images, or give --all" ]
	run dhow image verify nosuch
	[ "$status" = 1 ]
	[[ "$output" == *"no such image: nosuch"* ]]
}
