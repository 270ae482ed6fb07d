#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# save and load, with the tools that people have beside dhow.
load images.bash

prepare() { # an image "one" of two layers in the store
	need skopeo
	tree "$WORLD/a"
	mkdir -p "$WORLD/b/etc" && echo more >"$WORLD/b/etc/more"
	layout "$WORLD/oci" "${1:-gzip}" "$WORLD/a" "$WORLD/b"
	skopeo copy -q "oci:$WORLD/oci:latest" "docker-archive:$WORLD/in.tar:one:latest"
	dhow load -q -i "$WORLD/in.tar"
	CONFIG=$(dhow images -q --no-trunc)
}
config_of() { skopeo inspect --config --raw "$1" | sha256sum | cut -d' ' -f1; }

@test "load: what skopeo writes (docker-archive, oci-archive, oci, dir), from file and pipe, compressed or not" {
	prepare
	same "$WORLD/a" "$(layer_of docker.io/library/one:latest 0)"
	skopeo copy -q "oci:$WORLD/oci:latest" "oci-archive:$WORLD/oci.tar:two"
	run dhow load <"$WORLD/oci.tar"
	echo "$output"
	[ "$status" = 0 ]
	gzip -k "$WORLD/in.tar"
	zstd -q "$WORLD/oci.tar"
	dhow rmi -a -f
	run dhow load -i "$WORLD/in.tar.gz"
	[ "$output" = "Loaded image: one:latest" ]
	dhow rmi -a -f
	dhow load -q <"$WORLD/oci.tar.zst"
	dhow rmi -a -f
	dhow load -q -i "$WORLD/oci"
	[ "$(dhow images -q | wc -l)" = 1 ]
}

@test "save: skopeo reads docker-archive, oci-archive and oci directory; the image is the same" {
	prepare
	dhow save -o "$WORLD/d.tar" one
	dhow save --format oci-archive -o "$WORLD/o.tar" one
	dhow save --format oci-dir -o "$WORLD/o" one
	[ "sha256:$(config_of "docker-archive:$WORLD/d.tar")" = "$CONFIG" ]
	[ "sha256:$(config_of "oci-archive:$WORLD/o.tar")" = "$CONFIG" ]
	[ "sha256:$(config_of "oci:$WORLD/o")" = "$CONFIG" ]
	skopeo copy -q "docker-archive:$WORLD/d.tar" "dir:$WORLD/dir"
}

@test "save: the same image is the same bytes, and what was saved loads again" {
	prepare
	dhow save one >"$WORLD/1.tar"
	dhow save -o "$WORLD/2.tar" one
	cmp "$WORLD/1.tar" "$WORLD/2.tar"
	dhow rmi one
	dhow load -q -i "$WORLD/2.tar"
	[ "$(dhow images -q --no-trunc)" = "$CONFIG" ]
	same "$WORLD/a" "$(layer_of docker.io/library/one:latest 0)"
}

@test "save and load: podman" {
	need podman
	prepare
	p() { podman --root "$WORLD/p" --runroot "$WORLD/pr" --storage-driver vfs "$@" 2>/dev/null; }
	dhow save -o "$WORLD/d.tar" one
	p load -q -i "$WORLD/d.tar"
	[ "sha256:$(p images -q --no-trunc | sed s/sha256://)" = "$CONFIG" ]
	p save -q -o "$WORLD/back.tar" "$(p images --format '{{.Repository}}:{{.Tag}}')"
	dhow rmi -a -f
	dhow load -q -i "$WORLD/back.tar"
	[ "$(dhow images -q --no-trunc)" = "$CONFIG" ]
}

@test "save: umoci unpacks the oci directory" {
	need umoci
	prepare
	dhow save --format oci-dir -o "$WORLD/o" one
	name=$(jq -r '.manifests[0].annotations["org.opencontainers.image.ref.name"]' "$WORLD/o/index.json")
	umoci unpack --image "$WORLD/o:$name" "$WORLD/bundle"
	[ "$(cat "$WORLD/bundle/rootfs/etc/more")" = more ]
}

@test "load: what is no archive, a cut one and a wrong digest are one line, and leave nothing" {
	prepare
	dhow rmi -a -f
	echo rubbish >"$WORLD/rubbish"
	run dhow load -i "$WORLD/rubbish"
	[ "$status" = 1 ]
	[ "${#lines[@]}" = 1 ]
	head -c 300000 "$WORLD/in.tar" >"$WORLD/cut.tar"
	run dhow load -i "$WORLD/cut.tar"
	[ "$status" = 1 ]
	[ "${#lines[@]}" = 1 ]
	run dhow load -i "$WORLD/nosuch"
	[ "$status" = 1 ]
	[[ "$output" == *"$WORLD/nosuch"*"No such file"* ]]
	[ -z "$(dhow images -q)" ]
	dhow image prune -f
	[ -z "$(find "$WORLD/root/blobs" "$WORLD/root/storage/overlay/layers" -mindepth 2)" ]
}

@test "save: not to a terminal, and what isn't there is named" {
	run dhow save nosuch -o "$WORLD/x"
	[ "$status" = 1 ]
	[[ "$output" == *"no such image: nosuch"* ]]
	[ ! -e "$WORLD/x" ]
}
