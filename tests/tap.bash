# SPDX-License-Identifier: GPL-2.0-or-later
# Adding up TAP, for tests/run and tests/vm/run: $passed, $failed and $skipped.

passed=0 failed=0 skipped=0

# add NAME FILE STATUS: adds up the TAP in FILE, prints failures and skips. A runner that died counts as a failure.
add() {
	local name=$1 file=$2 status=$3 p f s planned
	# cmocka's way to say that a test was skipped.
	sed -i -E 's/^not (ok [0-9]+ # SKIP )/\1/' "$file"
	p=$(grep -c '^ok ' "$file" || :)
	s=$(grep -ciE '^ok .*# *skip' "$file" || :)
	f=$(grep -c '^not ok ' "$file" || :)
	planned=$(sed -n 's/^1\.\.\([0-9]*\).*/\1/p' "$file" | tail -n 1)
	if [ "$((p + f))" -lt "${planned:-1}" ] || { [ "$status" != 0 ] && [ "$f" = 0 ]; }; then
		f=$((f + 1))
		echo "not ok: $name ended early (status $status)"
		tail -n 20 "$file"
	fi
	grep -iE '^ok .*# *skip' "$file" | sed -E "s|^ok [0-9]+ -? ?|skip: $name: |" || :
	awk '/^not ok /{show=1} /^ok /{show=0} show' "$file" | sed "s|^|$name: |"
	passed=$((passed + p - s)) failed=$((failed + f)) skipped=$((skipped + s))
	printf '%-44s %3d passed %3d failed %3d skipped\n' "$name" "$((p - s))" "$f" "$s"
}

# Prints the last line. Returns 1 when a test failed.
add_end() {
	echo
	echo "$passed passed, $failed failed, $skipped skipped"
	[ "$failed" = 0 ]
}
