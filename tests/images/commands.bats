#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# The commands on images that need no registry: what people type and what they see.
load images.bash

some_image() { # some_image NAME [CHANGE...]
	mkdir -p "$WORLD/t/bin"
	cp "$(command -v busybox)" "$WORLD/t/bin/sh"
	local name=$1 change=() c
	shift
	for c; do change+=(-c "$c"); done
	tar -C "$WORLD/t" -c . | dhow import "${change[@]}" - "$name" >"$WORLD/id"
}

@test "images: docker's columns" {
	some_image example.org/a:v1
	run dhow images
	[ "$status" = 0 ]
	[[ "${lines[0]}" =~ ^REPOSITORY\ +TAG\ +IMAGE\ ID\ +CREATED\ +SIZE$ ]]
	[[ "${lines[1]}" =~ ^example.org/a\ +v1\ +[0-9a-f]{12}\ +.*ago\ +[0-9.]+[kM]B$ ]]
}

@test "images: names are docker's, short where they are docker.io's" {
	some_image tiny
	[ "$(dhow images --format '{{.Repository}}:{{.Tag}}')" = tiny:latest ]
	[ "$(dhow images -q --no-trunc)" = "$(cat "$WORLD/id")" ]
	[ "$(dhow image ls --format json | jq -r .Repository)" = tiny ]
	[ "$(dhow images --format 'table {{.Tag}}' | head -n 1)" = TAG ]
	[ "$(dhow images -aq | wc -l)" = 1 ]
	[ -z "$(dhow images nosuch -q)" ]
	[ "$(dhow images 'ti*' --format '{{.Tag}}')" = latest ]
}

@test "images: filters, and a filter that isn't one" {
	some_image one 'LABEL stage=test'
	echo x >"$WORLD/t/x"
	some_image two
	[ "$(dhow images -f label=stage --format '{{.Repository}}')" = one ]
	[ "$(dhow images -f label=stage=other -q)" = "" ]
	[ "$(dhow images -f reference=two --format '{{.Repository}}')" = two ]
	[ "$(dhow images -f since=one -q | wc -l)" = 1 ]
	dhow untag two
	[ "$(dhow images -f dangling=true -q | wc -l)" = 1 ]
	run dhow images -f nosuch=1
	[ "$status" = 1 ]
	[[ "$output" == "dhow: invalid filter 'nosuch'"* ]]
}

@test "tag, untag, exists, rmi: names come and go, the last one takes the image along" {
	some_image one
	dhow tag one two example.org:5000/three:v1
	dhow image exists two
	run dhow rmi two
	[ "$output" = "Untagged: two:latest" ]
	run dhow image exists two
	[ "$status" = 1 ]
	run dhow rmi "$(dhow images -q | head -n 1)"
	[ "$status" = 1 ]
	[[ "$output" == *"must be forced"* ]]
	dhow rmi one
	run dhow rmi example.org:5000/three:v1
	[ "${lines[0]}" = "Untagged: example.org:5000/three:v1" ]
	[[ "${lines[1]}" == "Deleted: sha256:"* ]]
	[ -z "$(find "$WORLD/root/blobs" "$WORLD/root/storage/overlay/layers" -mindepth 2 2>/dev/null)" ]
	run dhow rmi one
	[ "$status" = 1 ]
	[ "$output" = "dhow: no such image: one" ]
	dhow rmi -i one
}

@test "inspect: docker's keys, templates, and what isn't there" {
	some_image one 'CMD ["sh","-c","true"]' 'ENV A=b' 'LABEL x=y' 'EXPOSE 80' 'USER 5'
	[ "$(dhow inspect -f '{{json .Config.Cmd}}' one)" = '["sh","-c","true"]' ]
	[ "$(dhow image inspect -f '{{index .Config.Labels "x"}}{{range .Config.Env}} {{.}}{{end}}' one)" = "y A=b" ]
	[ "$(dhow inspect -f '{{if eq .Os "linux"}}yes{{else}}no{{end}} {{len .RootFS.Layers}} {{.Config.User | printf "%3s"}}|' one)" = "yes 1   5|" ]
	dhow inspect one | jq -e '.[0] | .Id and .RepoTags == ["one:latest"] and .RootFS.Type == "layers" and .Size > 0 and .GraphDriver.Name == "overlay"'
	run dhow inspect nosuch
	[ "$status" = 1 ]
	[[ "$output" == *"[]"*"no such image: nosuch"* ]]
	run dhow inspect -f '{{.NoSuch}}' one
	[ "$status" = 1 ]
	[[ "$output" == *"NoSuch"* ]]
	run dhow inspect -f '{{' one
	[[ "$output" == *"template parsing error"* ]]
}

@test "history: newest step first" {
	some_image one
	run dhow history one
	[[ "${lines[0]}" =~ ^IMAGE\ +CREATED\ +CREATED\ BY\ +SIZE\ +COMMENT$ ]]
	[ "${#lines[@]}" = 2 ]
	[ "$(dhow history -q --no-trunc one)" = "$(cat "$WORLD/id")" ]
}

@test "import: the same tar at the same time is the same image" {
	export SOURCE_DATE_EPOCH=1000000000
	some_image one
	first=$(cat "$WORLD/id")
	dhow rmi one
	some_image one
	[ "$first" = "$(cat "$WORLD/id")" ]
	[ "$(dhow inspect -f '{{.Created}}' one)" = 2001-09-09T01:46:40Z ]
}

@test "prune: what has no name goes; it asks first" {
	some_image one
	dhow untag one
	run dhow image prune <<<n
	[ "$(dhow images -q | wc -l)" = 1 ]
	run dhow image prune -f
	[[ "${lines[0]}" = "Deleted Images:" ]]
	[[ "${lines[-1]}" == "Total reclaimed space: "*B ]]
	[ -z "$(dhow images -q)" ]
}

@test "wrong usage is 125 and one line; a suggestion where a word is near" {
	run dhow histroy
	[ "$status" = 125 ]
	[[ "$output" == *"did you mean 'history'"* ]]
	run dhow images --no-such
	[ "$status" = 125 ]
	[ "$output" = "dhow: unknown flag: --no-such" ]
	run dhow tag one
	[ "$status" = 125 ]
	[[ "$output" == *"requires at least 2 arguments"* ]]
	run dhow pull 'UPPER/case'
	[ "$status" = 1 ]
	run dhow --storage-driver nosuch pull x
	[ "$status" = 1 ]
	[[ "$output" == *'unknown storage driver "nosuch"'* ]]
}

@test "help: every command and group" {
	dhow --help | grep -q 'Manage images'
	dhow image --help | grep -q 'dhow image COMMAND'
	dhow help image ls | grep -q -- '--no-trunc'
	for c in $(dhow --help | awk '/^Commands:/ {on = 1; next} /^$/ {on = 0} on {print $1}'); do dhow "$c" --help | grep -q '^Usage:  dhow '"$c"; done
}

@test "the store is nobody else's to look into, whatever the umask" {
	(umask 000 && dhow images)
	[ "$(stat -c %a "$WORLD/root")" = 700 ]
	[ "$(stat -c %a "$WORLD/run")" = 700 ]
	chmod 755 "$WORLD/root"
	dhow images
	[ "$(stat -c %a "$WORLD/root")" = 700 ]
}

@test "configuration: an unknown key is an error that names it" {
	echo '{"default-registri": "x"}' >"$WORLD/config.json"
	run dhow --config "$WORLD/config.json" images
	[ "$status" = 1 ]
	[[ "$output" == *'unknown key "default-registri"; did you mean "default-registry"?'* ]]
}

@test "other storage drivers: the image is unpacked as it is" {
	tree "$WORLD/a"
	for driver in vfs fuse-overlayfs; do
		if [ $driver = fuse-overlayfs ] && ! command -v fuse-overlayfs >/dev/null; then continue; fi
		tar -C "$WORLD/a" --format=pax -c . | "$DHOW" --root "$WORLD/$driver" --runroot "$WORLD/run-$driver" --storage-driver $driver import - a
		same "$WORLD/a" "$(echo "$WORLD/$driver/storage/$driver/layers"/*)"
		[ "$("$DHOW" --root "$WORLD/$driver" --runroot "$WORLD/run-$driver" inspect -f '{{.GraphDriver.Name}}' a)" = $driver ]
	done
	run "$DHOW" --root "$WORLD/aufs" --runroot "$WORLD/run-aufs" --storage-driver aufs import - a </dev/null
	[ "$status" = 1 ]
	[[ "$output" == *"the kernel has no aufs"* ]]
}

@test "many first commands at once choose the same storage driver" {
	tree "$WORLD/a"
	tar -C "$WORLD/a" -cf "$WORLD/a.tar" .
	pids=()
	for i in 1 2 3 4 5 6 7 8; do
		dhow import -q "$WORLD/a.tar" "made:$i" >"$WORLD/out.$i" 2>&1 &
		pids+=($!)
	done
	for i in 1 2 3 4 5 6 7 8; do wait "${pids[i - 1]}" || { cat "$WORLD/out.$i"; false; }; done
	[ "$(ls "$WORLD/root/storage" | wc -l)" = 1 ]
	[ "$(dhow images -q made | wc -l)" = 8 ]
}
