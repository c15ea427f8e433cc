# What the conformance runs share; sourced by them, at the root of the tree.
n=0 failed=0
to=$(mktemp -d)
trap 'rm -rf "$to"' EXIT

# result STATUS WHAT
result() {
	n=$((n + 1))
	if [ "$1" = 0 ]; then echo "ok $n - $2"; else echo "not ok $n - $2"; failed=1; fi
}

compile() {
	cc -std=c99 -D_POSIX_C_SOURCE=200809L -O1 -Wall -Wextra -Icore -Itests/conformance "$@"
}

run="tests/conformance/conformance.c"
