#!/bin/bash
# clang-format decides about the layout of C, shellcheck looks at scripts, and tests wait for events, never for time.
cd "$(dirname "$0")/../.." || exit 1
failed=0

# result N STATUS WHAT
result() {
	if [ "$2" = 0 ]; then echo "ok $1 - $3"; else echo "not ok $1 - $3"; failed=1; fi
}

mapfile -t sources < <(find core port tests boards -name '*.[ch]')
clang-format-14 --dry-run -Werror "${sources[@]}" 2>&1
result 1 $? "clang-format leaves every C file as it is"

mapfile -t shell < <(grep -rlE --exclude-dir=build '^#!/bin/(ba)?sh' tests port boards .ci)
shellcheck -x "${shell[@]}"
result 2 $? "shellcheck is content with every script"

# A sleep() in a test is a guess about another process. Polling with a deadline is in interop/servers.py, once.
mapfile -t sleeping < <(grep -rnE '\b(u|nano)?sleep *\(|^[^#]*\bsleep +[0-9.$]' tests --include='*.c' --include='*.py' \
	--include='*.sh' | grep -v '^tests/lint/' | grep -v 'lint: polls')
printf '# %s\n' "${sleeping[@]}"
result 3 "${#sleeping[@]}" "no test sleeps"

echo 1..3
exit $failed
