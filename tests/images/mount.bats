#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# image mount, unmount, diff and tree: looking into images.
load images.bash

prepare() { # images "one" (two layers) and "low" (its lower layer)
	tree "$WORLD/a"
	mkdir -p "$WORLD/b/etc"
	echo more >"$WORLD/b/etc/more"
	echo changed >"$WORLD/b/etc/file"
	: >"$WORLD/b/etc/.wh.hard"
	layout "$WORLD/oci" gzip "$WORLD/a" "$WORLD/b"
	layout "$WORLD/oci-low" gzip "$WORLD/a"
	dhow load -q -i "$WORLD/oci"
	dhow tag "$(dhow images -q)" one
	dhow load -q -i "$WORLD/oci-low"
	dhow tag "$(dhow images -q --filter dangling=true)" low
}

@test "mount: the files of the image, read-only; as many unmounts as mounts" {
	prepare
	local at
	at=$(dhow image mount one)
	[ "$(cat "$at/etc/more")" = more ]
	[ ! -e "$at/etc/hard" ]
	[ "$(stat -c %u:%g:%a "$at/tmp")" = 0:0:1777 ]
	run touch "$at/new"
	[ "$status" != 0 ]
	[ "$(dhow image mount)" = "one:latest $at" ]
	[ "$(dhow image mount one)" = "$at" ]
	[ "$(dhow image mount --format json | jq -r '.[0].Repositories[0], .[0].mountpoint')" = "one:latest
$at" ]
	dhow image unmount one
	[ -e "$at/etc/more" ]
	[ "$(dhow image unmount one)" = "$(dhow inspect -f '{{.Id}}' one)" ]
	[ ! -e "$at" ]
	[ -z "$(dhow image mount)" ]
	run dhow image unmount one
	[ "$status" = 1 ]
	[[ "$output" == *"is not mounted" ]]
}

@test "mount: what is mounted can't be removed; what a reboot unmounted can" {
	prepare
	dhow image mount one
	run dhow rmi -f one
	[ "$status" = 1 ]
	[[ "$output" == *"is mounted"* ]]
	dhow image prune -af
	dhow image exists one
	dhow image verify -q one
	umount "$(dhow image mount | cut -d' ' -f2)"
	# As a reboot does.
	rm -r "$WORLD/run"
	dhow rmi one
	run dhow image exists one
	[ "$status" = 1 ]
}

@test "mount: killed in the middle, it neither keeps the image nor what comes next" {
	prepare
	need sqlite3
	local id
	id=$(dhow inspect -f '{{.Id}}' one)
	mkdir -p "$WORLD/run/mounts"
	echo 0 >"$WORLD/run/mounts/${id#sha256:}.lock"
	sqlite3 "$WORLD/root/dhow.db" "INSERT INTO layer_use SELECT chain_id, 'mount:' || substr(image, 8) FROM image_layer WHERE image = '$id'"
	dhow image mount one
	dhow image unmount one
	echo 0 >"$WORLD/run/mounts/${id#sha256:}.lock"
	sqlite3 "$WORLD/root/dhow.db" "INSERT INTO layer_use SELECT chain_id, 'mount:' || substr(image, 8) FROM image_layer WHERE image = '$id'"
	dhow rmi one
	# Mounted already, and not counted yet.
	id=$(dhow inspect -f '{{.Id}}' low)
	dhow image mount low
	echo 0 >"$WORLD/run/mounts/${id#sha256:}.lock"
	run dhow rmi low
	[ "$status" = 1 ]
	dhow image unmount low
	dhow rmi low
}

@test "mount: all, forced, and files in use" {
	prepare
	local at
	[ "$(dhow image mount --all | wc -l)" = 2 ]
	at=$(dhow image mount low)
	dhow image unmount low
	exec 5<"$at/etc/file"
	run dhow image unmount low 5<&-
	[ "$status" = 1 ]
	[[ "$output" == *"--force"* ]]
	dhow image unmount --force low 5<&-
	exec 5<&-
	dhow image unmount --all
	[ -z "$(dhow image mount)" ]
	run dhow image unmount
	[ "$status" = 1 ]
	run dhow image mount nosuch
	[ "$status" = 1 ]
	[[ "$output" == *"no such image: nosuch" ]]
	run dhow image mount --format yaml low
	[ "$status" = 125 ]
	[ "$output" = 'dhow: invalid value "yaml" for flag --format: expected one of "json"' ]
	run dhow image unmount low
	[ "$output" = "dhow: image low is not mounted" ]
}

@test "diff: of the last layer, and of two images" {
	prepare
	[ "$(dhow image diff one)" = "C /etc
C /etc/file
D /etc/hard
A /etc/more" ]
	[ "$(dhow image diff one low)" = "C /etc
C /etc/file
D /etc/hard
A /etc/more" ]
	[ "$(dhow image diff --format json low one | jq -c '[.added, .deleted]')" = '[["/etc/hard"],["/etc/more"]]' ]
	[ -z "$(dhow image diff one one)" ]
}

@test "tree: layers, and what stands on them" {
	prepare
	run dhow image tree one
	echo "$output"
	[ "${#lines[@]}" = 6 ]
	[[ "${lines[1]}" == "Tags:     [one:latest]" ]]
	[[ "${lines[4]}" == "├── ID: "*"Top Layer of: [low:latest]" ]]
	[[ "${lines[5]}" == "└── ID: "*"Top Layer of: [one:latest]" ]]
	run dhow image tree --whatrequires low
	echo "$output"
	[[ "${lines[5]}" == "    └── ID: "*"Top Layer of: [one:latest]" ]]
}
