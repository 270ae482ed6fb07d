#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# pull and push, with a real registry on loopback.
load images.bash

one_image() { # one_image KIND: REGISTRY/test/one of two layers
	tree "$WORLD/a"
	mkdir -p "$WORLD/b/etc" && echo more >"$WORLD/b/etc/more"
	registry
	layout "$WORLD/oci" "$1" "$WORLD/a" "$WORLD/b"
	publish "$WORLD/oci" test/one:latest
}

pulls() {
	one_image "$1"
	run dhow pull "$REGISTRY/test/one"
	echo "$output"
	[ "$status" = 0 ]
	[ "${lines[0]}" = "Using default tag: latest" ]
	[ "${lines[1]}" = "latest: Pulling from test/one" ]
	[[ "$output" == *"Pull complete"* ]]
	[[ "$output" == *"Status: Downloaded newer image for $REGISTRY/test/one:latest"* ]]
	[ "${lines[-1]}" = "$REGISTRY/test/one:latest" ]
	same "$WORLD/a" "$(layer_of "$REGISTRY/test/one:latest" 0)"
	same "$WORLD/b" "$(layer_of "$REGISTRY/test/one:latest" 1)"
	[ -z "$(rests)" ]
}

@test "pull: gzip layers arrive as they were, and it says what docker says" { pulls gzip; }
@test "pull: zstd layers" { pulls zstd; }
@test "pull: plain layers" { pulls plain; }

@test "pull: what is here is up to date, and nothing is fetched again" {
	one_image gzip
	dhow pull -q "$REGISTRY/test/one"
	run dhow pull "$REGISTRY/test/one"
	[ "$status" = 0 ]
	[[ "$output" == *"Status: Image is up to date for $REGISTRY/test/one:latest"* ]]
	[[ "$output" != *"Pull complete"* ]]
}

@test "pull: another tag of the same image only adds the name" {
	one_image gzip
	publish "$WORLD/oci" test/one:other
	dhow pull -q "$REGISTRY/test/one"
	run dhow pull "$REGISTRY/test/one:other"
	[ "$status" = 0 ]
	[[ "$output" != *"Pull complete"* ]]
	dhow images | grep -q "other"
}

@test "pull: by digest" {
	one_image gzip
	digest=$(skopeo inspect --tls-verify=false "docker://$REGISTRY/test/one:latest" | jq -r .Digest)
	run dhow pull -q "$REGISTRY/test/one@$digest"
	[ "$status" = 0 ]
	[ "$output" = "$REGISTRY/test/one@$digest" ]
}

@test "pull -a: all tags" {
	one_image gzip
	for tag in v1 v2 v3; do publish "$WORLD/oci" "test/one:$tag"; done
	run dhow pull -q -a "$REGISTRY/test/one"
	[ "$status" = 0 ]
	[ "${#lines[@]}" = 4 ]
}

@test "pull: what isn't there is one line that names it" {
	registry
	run dhow pull -q "$REGISTRY/no/such"
	[ "$status" = 1 ]
	[[ "$output" == "dhow: "*"$REGISTRY/no/such"*"manifest unknown"* ]]
	[ "${#lines[@]}" = 1 ]
	[ -z "$(rests)" ]
}

@test "pull: nobody at the port is one line" {
	port=$(free_port)
	run dhow pull -q "127.0.0.1:$port/x"
	[ "$status" = 1 ]
	[ "${#lines[@]}" = 1 ]
	[[ "$output" == *"127.0.0.1:$port"* ]]
}

@test "pull: two at once share the work, and both end well" {
	one_image gzip
	dhow pull -q "$REGISTRY/test/one" >"$WORLD/first" 2>&1 &
	first=$!
	dhow pull -q "$REGISTRY/test/one" >"$WORLD/second" 2>&1 &
	second=$!
	wait "$first" || { cat "$WORLD/first"; false; }
	wait "$second" || { cat "$WORLD/second"; false; }
	same "$WORLD/a" "$(layer_of "$REGISTRY/test/one:latest" 0)"
	[ -z "$(rests)" ]
}

@test "pull: a download that was cut is resumed, a damaged one begun anew" {
	one_image gzip
	blob=$(jq -r '.manifests[0].digest' "$WORLD/oci/index.json")
	layer=$(jq -r '.layers[0].digest' "$WORLD/oci/blobs/sha256/${blob#sha256:}")
	dhow images
	mkdir -p "$WORLD/root/ingest"
	head -c 1000 "$WORLD/oci/blobs/sha256/${layer#sha256:}" >"$WORLD/root/ingest/sha256-${layer#sha256:}"
	dhow pull -q "$REGISTRY/test/one"
	dhow rmi "$REGISTRY/test/one"
	head -c 1000 /dev/zero >"$WORLD/root/ingest/sha256-${layer#sha256:}"
	dhow pull -q "$REGISTRY/test/one"
	same "$WORLD/a" "$(layer_of "$REGISTRY/test/one:latest" 0)"
}

@test "pull: a layer that isn't what its digest says is refused, and nothing stays" {
	one_image gzip
	blob=$(jq -r '.manifests[0].digest' "$WORLD/oci/index.json")
	layer=$(jq -r '.layers[1].digest' "$WORLD/oci/blobs/sha256/${blob#sha256:}")
	file=$WORLD/registry/docker/registry/v2/blobs/sha256/${layer:7:2}/${layer#sha256:}/data
	size=$(stat -c %s "$file")
	head -c "$size" /dev/urandom >"$file"
	run dhow pull -q "$REGISTRY/test/one"
	[ "$status" = 1 ]
	[ "${#lines[@]}" = 1 ]
	[ -z "$(dhow images -q)" ]
	[ -z "$(find "$WORLD/root/storage/overlay/layers" "$WORLD/root/blobs" -mindepth 2)" ]
}

@test "pull: other platforms of an index" {
	need umoci
	one_image gzip
	run dhow pull -q --platform linux/s390x "$REGISTRY/test/one"
	# A manifest without an index serves whatever is asked for, as docker has it.
	[ "$status" = 0 ]
}

@test "push: to another repository, mounted there, and back" {
	one_image gzip
	dhow pull -q "$REGISTRY/test/one"
	dhow tag "$REGISTRY/test/one" "$REGISTRY/copy/two:v1"
	run dhow push "$REGISTRY/copy/two:v1"
	echo "$output"
	[ "$status" = 0 ]
	[ "${lines[0]}" = "The push refers to repository [$REGISTRY/copy/two]" ]
	[[ "$output" == *"Mounted from test/one"* ]]
	digest=$(skopeo inspect --tls-verify=false "docker://$REGISTRY/test/one:latest" | jq -r .Digest)
	[[ "${lines[-1]}" == "v1: digest: $digest size: "* ]]
	run dhow push "$REGISTRY/copy/two:v1"
	[[ "$output" == *"Layer already exists"* ]]
	dhow rmi -f "$(dhow images -q | head -n 1)"
	dhow pull -q "$REGISTRY/copy/two:v1"
	same "$WORLD/a" "$(layer_of "$REGISTRY/copy/two:v1" 0)"
}

@test "push: to an empty registry, and skopeo reads it; compressed anew with zstd" {
	one_image plain
	dhow pull -q "$REGISTRY/test/one"
	rm -rf "$WORLD/registry"
	registry
	dhow tag "$(dhow images -q | head -n 1)" "$REGISTRY/fresh/gz" "$REGISTRY/fresh/zst"
	dhow push -q "$REGISTRY/fresh/gz"
	skopeo copy -q --src-tls-verify=false "docker://$REGISTRY/fresh/gz:latest" "oci:$WORLD/back:latest"
	dhow push -q --compression-format zstd "$REGISTRY/fresh/zst"
	skopeo inspect --raw --tls-verify=false "docker://$REGISTRY/fresh/zst:latest" | jq -e '.layers[0].mediaType | endswith("zstd")'
	dhow rmi -a
	dhow pull -q "$REGISTRY/fresh/zst"
	same "$WORLD/a" "$(layer_of "$REGISTRY/fresh/zst:latest" 0)"
}

@test "push: what isn't here is one line" {
	run dhow push 127.0.0.1:1/no/such
	[ "$status" = 1 ]
	[ "${#lines[@]}" = 1 ]
	[[ "$output" == *"no such image: 127.0.0.1:1/no/such"* ]]
}
