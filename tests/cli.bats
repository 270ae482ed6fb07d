# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC2086,SC2030,SC2031 # lines of words are split on purpose; tests are subshells
# The command line of dhow-oci by itself: usage, help, documents, and the commands that need no container. Where
# runc is installed its exit statuses are compared, which proves the test.

bats_require_minimum_version 1.5.0

setup() {
	OCI=$(command -v "${DHOW_OCI:-dhow-oci}") || { echo "no dhow-oci: set DHOW_OCI" >&2; return 1; }
	WORLD=$(mktemp -d)
	ROOT=$WORLD/root
	mkdir "$ROOT"
	cd "$WORLD" || return 1
}

teardown() {
	cd /
	rm -rf "$WORLD"
}

# oci ARGUMENTS: leaves status, what was written in OUT and ERR.
oci() {
	status=0
	"$OCI" --root "$ROOT" "$@" >"$WORLD/out" 2>"$WORLD/err" </dev/null || status=$?
	OUT=$(cat "$WORLD/out") ERR=$(cat "$WORLD/err")
}

# refused STATUS TEXT ARGUMENTS: one record on standard error that holds TEXT, nothing on standard output.
refused() {
	local expected=$1 text=$2
	shift 2
	oci "$@"
	echo "$*: status $status, out: $OUT, err: $ERR"
	[ "$status" = "$expected" ]
	[ -z "$OUT" ]
	[ "$(wc -l <"$WORLD/err")" = 1 ]
	[[ $ERR == time=*" level=error msg="*"$text"* ]]
}

@test "usage: without a command the help is shown" {
	oci
	[ "$status" = 0 ]
	[[ $OUT == "NAME:"*"COMMANDS:"*"GLOBAL OPTIONS:"* ]]
	[ -z "$ERR" ]
	for word in --help -help -h --h help h; do
		oci $word
		[ "$status" = 0 ]
		[[ $OUT == "NAME:"*"   features "* ]]
	done
}

@test "usage: every command shows its help" {
	oci help
	commands=$(sed -n '/^COMMANDS:/,/^$/s/^   \([a-z]*\) .*/\1/p' "$WORLD/out")
	for wanted in checkpoint create delete events exec features kill list pause ps restore resume run spec start \
		state update help; do
		grep -qx "$wanted" <<<"$commands"
	done
	for command in $commands; do
		oci "$command" --help
		[ "$status" = 0 ]
		[[ $OUT == "NAME:"*"   dhow-oci $command - "*"USAGE:"*"OPTIONS:"* ]]
		same=$OUT
		oci help "$command"
		[ "$OUT" = "$same" ]
	done
}

@test "usage: an unknown command is one line with a suggestion, and status 3" {
	refused 3 'unknown command \"lst\"; did you mean \"list\"?' lst
	refused 3 'unknown command \"frobnicate\"; \"dhow-oci help\" lists them' frobnicate
	refused 3 'unknown command \"frobnicate\"' help frobnicate
}

@test "usage: an unknown flag is one line with a suggestion, and status 1" {
	refused 1 'flag provided but not defined: -bundel; did you mean --bundle?' create --bundel . x
	refused 1 'flag provided but not defined: -frobnicate' --frobnicate list
	refused 1 'flag provided but not defined: -frobnicate' state x --frobnicate
	refused 1 'flag provided but not defined: -qf' list -qf json
	refused 1 'flag needs an argument: -bundle' create --bundle
	refused 1 'bad flag syntax: ---bundle' create ---bundle . x
}

@test "usage: too few or too many arguments are named" {
	for command in create run start state delete pause resume update events checkpoint restore; do
		refused 1 "\\\"$command\\\" requires exactly 1 argument(s)" $command
		refused 1 "\\\"$command\\\" requires exactly 1 argument(s)" $command a b
	done
	for command in list spec features; do
		refused 1 "\\\"$command\\\" requires exactly 0 argument(s)" $command a
	done
	for command in kill exec ps; do
		refused 1 "\\\"$command\\\" requires a minimum of 1 argument(s)" $command
	done
	refused 1 '\"kill\" requires a maximum of 2 argument(s)' kill a TERM c
}

@test "usage: values are checked" {
	refused 1 'invalid boolean value \"maybe\"' list --quiet=maybe
	refused 1 'expected one of \"table\", \"json\"' list --format xml
	refused 1 'expected one of \"text\", \"json\"' --log-format xml list
	refused 1 'expected one of \"true\", \"false\", \"auto\"' --rootless perhaps list
	refused 1 'invalid value \"x\" for flag -preserve-fds' create --preserve-fds x c
	refused 1 'preserve-fds -1' create --preserve-fds -1 c
	refused 1 'invalid value \"soon\" for flag -interval' events --interval soon c
	refused 1 'interval must be greater than 0' events --interval 0s c
	refused 1 'unknown signal \"NOSUCH\"' kill c NOSUCH
	refused 1 'invalid value for memory: \"much\"' update --memory much c
	refused 1 'invalid value for cpu-share: \"-1\"' update --cpu-share -1 c
	refused 1 'blkio-weight: 5 is not from 10 to 1000' update --blkio-weight 5 c
	refused 1 '--page-server nowhere: expected ADDRESS:PORT' checkpoint --page-server nowhere c
	refused 1 '--parent-path must be relative' checkpoint --parent-path /x c
}

@test "usage: a container that is not there is an error, except for delete --force" {
	for command in start state delete pause resume ps events update; do
		refused 1 'does not exist' $command nobody
	done
	refused 1 'does not exist' kill nobody TERM
	refused 255 'exec failed: ' exec nobody true
	for words in "--force nobody" "nobody --force" "-f nobody" "-force nobody"; do
		oci delete $words
		[ "$status" = 0 ]
		[ -z "$OUT$ERR" ]
	done
}

@test "usage: an id that is none is refused" {
	for id in ../x a/b . .. "" "a b" "$(printf 'x%.0s' {1..1100})"; do
		oci state "$id"
		[ "$status" = 1 ]
		[ -z "$OUT" ]
		[ "$(wc -l <"$WORLD/err")" = 1 ]
	done
	[ -z "$(ls -A "$ROOT")" ]
}

@test "usage: the exit statuses are runc's" {
	command -v runc >/dev/null || skip "runc is not installed"
	while read -r line; do
		runc_status=0
		runc --root "$WORLD/root-runc" $line >/dev/null 2>&1 </dev/null || runc_status=$?
		oci $line
		echo "$line: runc $runc_status, dhow-oci $status"
		[ "$status" = "$runc_status" ]
	done <<-'LINES'

		nosuch
		help nosuch
		--nosuch
		---root
		--version
		-v
		create
		create -b /nonexistent x
		run -b /nonexistent x
		run --nosuch x
		list
		list -q=maybe
		list extra
		list -f json
		state nobody
		state -- nobody
		state nobody -h
		kill nobody
		kill nobody 9
		kill a b c
		delete nobody
		delete -f=false nobody
		delete nobody -f
		exec
		exec nobody
		exec nobody true --nosuch
		exec -t=x nobody true
		ps
		ps nobody -o pid
		events --interval x nobody
		update --pids-limit x nobody
		features x
		spec x
		h list
	LINES
}

@test "list: an empty root has the titles, null, or nothing" {
	oci list
	[ "$OUT" = "ID          PID         STATUS      BUNDLE      CREATED     OWNER" ]
	oci list --format=json
	[ "$OUT" = null ]
	oci list --quiet
	[ "$status" = 0 ]
	[ -z "$OUT" ]
	ROOT=$WORLD/nowhere
	oci list --quiet
	[ "$status" = 0 ]
	[ -z "$OUT" ]
}

@test "log: with --log the record goes to the file and the message to standard error" {
	oci --log log --log-format json state nobody
	[ "$status" = 1 ]
	[[ $ERR == *"does not exist: nobody" ]]
	[ "$(jq -r 'keys | join(" ")' log)" = "level msg time" ]
	[ "$(jq -r '.level + ": " + .msg' log)" = "error: $ERR" ]
	jq -e '.time | fromdateiso8601 > 1700000000' log
	oci --log log --log-format json list --nosuch
	[ "$(jq -r .msg log | tail -n 1)" = "flag provided but not defined: -nosuch" ]
	oci --log text state nobody
	grep -E '^time="[0-9T:Z+-]+" level=error msg=".*does not exist: nobody"$' text
	refused 1 'open the log /nonexistent/log' --log /nonexistent/log list
}

@test "log: what can't be written to standard output is an error" {
	status=0
	"$OCI" --root "$ROOT" list >/dev/full 2>err || status=$?
	[ "$status" = 1 ]
	grep "write to standard output: No space left on device" err
}

@test "version: the lines are those that docker and containerd read" {
	oci --version
	[ "$status" = 0 ]
	[[ $OUT =~ ^"dhow-oci version "[0-9]+\.[0-9]+\.[0-9]+$'\n'"commit: "[0-9a-z]+$'\n'"spec: "1\.3\.0$'\n'"libseccomp: "[0-9]+\.[0-9]+\.[0-9]+$ ]]
}

@test "spec: writes config.json once, into the bundle" {
	oci spec
	[ "$status" = 0 ]
	[ -z "$OUT$ERR" ]
	jq -e '.process.args == ["sh"] and .root.path == "rootfs" and (.mounts | length > 5)' config.json
	cp config.json before
	refused 1 'File config.json exists. Remove it first' spec
	cmp config.json before
	mkdir bundle
	oci spec --bundle bundle
	cmp config.json bundle/config.json
	refused 1 'open the bundle nowhere' spec -b nowhere
}

@test "spec: --rootless maps the caller to root" {
	oci spec --rootless
	jq -e --argjson uid "$(id -u)" '
		([.linux.namespaces[].type] | contains(["user"]))
		and .linux.uidMappings == [{containerID: 0, hostID: $uid, size: 1}]' config.json
}

@test "spec: what it writes is what runc writes" {
	command -v runc >/dev/null || skip "runc is not installed"
	mkdir a b
	oci spec -b a
	runc spec -b b
	# runc before 1.2 set ambient capabilities.
	local same='del(.ociVersion, .linux.namespaces, .process.capabilities.ambient)'
	diff <(jq -S "$same" a/config.json) <(jq -S "$same" b/config.json)
}

@test "features: is a features document that tells what is there" {
	oci features
	[ "$status" = 0 ]
	jq -e '
		def names: type == "array" and length > 0 and all(type == "string");
		.ociVersionMin == "1.0.0" and .ociVersionMax == "1.3.0"
		and .hooks == ["prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"]
		and (.mountOptions | names and contains(["bind", "rbind", "ro", "rro", "idmap", "ridmap", "tmpcopyup"]))
		and (.linux.namespaces | sort == ["cgroup", "ipc", "mount", "network", "pid", "time", "user", "uts"])
		and (.linux.capabilities | names and length >= 41 and all(test("^CAP_[A-Z_]+$")))
		and ([.linux.cgroup | .v1, .v2, .systemd, .systemdUser, .rdma | type == "boolean"] | all)
		and (.linux.seccomp | .enabled
			and (.actions | names and contains(["SCMP_ACT_NOTIFY", "SCMP_ACT_KILL_PROCESS"]))
			and (.operators | length == 7)
			and (.archs | contains(["SCMP_ARCH_X86_64", "SCMP_ARCH_AARCH64"]))
			and (.supportedFlags - .knownFlags == []))
		and .linux.apparmor.enabled and .linux.selinux.enabled and .linux.intelRdt.enabled
		and .linux.mountExtensions.idmap.enabled and .linux.netDevices.enabled
		and (.linux.memoryPolicy.modes | contains(["MPOL_BIND", "MPOL_INTERLEAVE"]))
		and (.annotations | all(.[]; type == "string"))
		and (.potentiallyUnsafeConfigAnnotations | names)' "$WORLD/out"
}

@test "features: knows every name that runc knows" {
	command -v runc >/dev/null || skip "runc is not installed"
	oci features
	runc features >runc.json || skip "this runc has no features"
	jq -e -s '
		(.[1].mountOptions - .[0].mountOptions) + (.[1].hooks - .[0].hooks)
		+ (.[1].linux.namespaces - .[0].linux.namespaces)
		+ (.[1].linux.capabilities - .[0].linux.capabilities)
		+ (.[1].linux.seccomp.actions - .[0].linux.seccomp.actions)
		+ (.[1].linux.seccomp.operators - .[0].linux.seccomp.operators)
		+ (.[1].linux.seccomp.archs - .[0].linux.seccomp.archs) == []' "$WORLD/out" runc.json
}

@test "update: --resources takes a file or standard input, and nothing else" {
	echo '{"memory": {"limit": "much"}}' >wrong.json
	refused 1 'memory.limit' update --resources wrong.json nobody
	refused 1 'nowhere.json' update -r nowhere.json nobody
	status=0
	"$OCI" --root "$ROOT" update -r - nobody <wrong.json 2>err || status=$?
	[ "$status" = 1 ]
	grep 'memory.limit' err
	echo '{"memory": {"limit": 1048576}}' >right.json
	refused 1 'does not exist' update -r right.json nobody
}

@test "create: a descriptor to preserve that is not there is named, and nothing is left behind" {
	oci spec
	mkdir rootfs
	status=0
	"$OCI" --root "$ROOT" create --preserve-fds 7 x 2>err 3>&- 4>&- || status=$?
	[ "$status" = 1 ]
	grep "dhow-oci create failed: .*preserve" err
	[ -z "$(ls -A "$ROOT")" ]
}

@test "root: a normal user's is below XDG_RUNTIME_DIR" {
	[ "$(id -u)" = 0 ] || skip "needs root to become somebody else"
	mkdir -m 777 "$WORLD/run"
	chmod 755 "$WORLD"
	# Its own copy: the clone may be in a home that is closed to others.
	install -m 755 "$OCI" "$WORLD/dhow-oci"
	OCI=$WORLD/dhow-oci
	as_user() { setpriv --reuid 1000 --regid 1000 --clear-groups env "$@"; }
	run as_user XDG_RUNTIME_DIR="$WORLD/run" "$OCI" list --quiet
	[ "$status" = 0 ]
	[ -z "$output" ]
	run as_user XDG_RUNTIME_DIR="$WORLD/run" "$OCI" create -b "$WORLD/nowhere" x
	[ "$status" = 1 ]
	[ "$(stat -c '%A %u' "$WORLD/run/dhow-oci")" = "drwx-----T 1000" ]
	run env XDG_RUNTIME_DIR="$WORLD/run2" "$OCI" create -b "$WORLD/nowhere" x
	[ "$status" = 1 ]
	[ ! -e "$WORLD/run2" ]
}

@test "completion: bash reads it and completes" {
	"$OCI" completion bash >script
	bash -n script
	if command -v shellcheck >/dev/null; then shellcheck -s bash script; fi
	ln -s "$OCI" dhow-oci
	complete_line() {
		PATH=$WORLD:$PATH bash -c '
			source ./script
			COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
			_dhow_oci 2>/dev/null
			echo "${COMPREPLY[*]}"' completion "$@"
	}
	[ "$(complete_line dhow-oci sta)" = "start state" ]
	[ "$(complete_line dhow-oci --root /tmp --log-format j)" = json ]
	[ "$(complete_line dhow-oci list -f '')" = "table json" ]
	[ "$(complete_line dhow-oci create --pid)" = "--pidfd-socket --pid-file" ]
	[ -z "$(complete_line dhow-oci --root "$ROOT" state '')" ]
}

@test "completion: zsh reads it" {
	command -v zsh >/dev/null || skip "zsh is not installed"
	"$OCI" completion zsh >script
	zsh -n script
	mkdir functions
	mv script functions/_dhow-oci
	[ "$(HOME=$WORLD zsh -f -c 'fpath=($PWD/functions $fpath); autoload -U compinit; compinit -D -u; echo $_comps[dhow-oci]')" = _dhow-oci ]
}

@test "completion: fish reads it and completes" {
	command -v fish >/dev/null || skip "fish is not installed"
	"$OCI" completion fish >script
	[ "$(HOME=$WORLD fish --no-config -c 'source script; complete -C "dhow-oci sta"' | cut -f 1 | xargs)" = "start state" ]
}

@test "completion and manual: each is installed where its reader looks" {
	[ -n "${DHOW_STAGE:-}" ] || skip "no installed tree: DHOW_STAGE is not set"
	[ "$(bash --norc -c 'source "$1"; complete -p dhow-oci' bash "$DHOW_STAGE/usr/share/bash-completion/completions/dhow-oci")" \
		= "complete -F _dhow_oci dhow-oci" ]
	"$OCI" completion zsh | cmp - "$DHOW_STAGE/usr/share/zsh/site-functions/_dhow-oci"
	"$OCI" completion fish | cmp - "$DHOW_STAGE/usr/share/fish/vendor_completions.d/dhow-oci.fish"
	"$OCI" man | cmp - "$DHOW_STAGE/usr/share/man/man8/dhow-oci.8"
	[ -x "$DHOW_STAGE/usr/libexec/dhow/dhow-systemd" ]
	"$OCI" man | grep -F "$DHOW_STAGE/usr/libexec/dhow/dhow-systemd"
}

@test "completion: another shell is an error" {
	refused 1 'no completion for the shell \"tcsh\"' completion tcsh
}

@test "manual: renders without a warning and tells of every command and flag" {
	"$OCI" man >dhow-oci.8
	if command -v man >/dev/null; then
		MANWIDTH=100 man -l --warnings dhow-oci.8 2>warnings | col -b >text
	elif command -v groff >/dev/null; then
		groff -man -Tutf8 -ww dhow-oci.8 2>warnings | col -b >text
	else
		skip "neither man nor groff is installed"
	fi
	[ ! -s warnings ]
	for word in "EXIT STATUS" create restore --pidfd-socket --ignore-paused --log-format --cpu-burst; do
		grep -q -- "$word" text
	done
	run ! grep -q -- "--criu" text
}
