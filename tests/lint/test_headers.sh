#!/bin/bash
# Every header compiles by itself.
cd "$(dirname "$0")/../.." || exit 1
n=0 failed=0
for header in core/*.h core/*/*.h port/posix/posix*.h; do
	[ -e "$header" ] || continue
	n=$((n + 1))
	posix=
	case $header in port/posix/*) posix=-D_POSIX_C_SOURCE=200809L ;; esac
	# shellcheck disable=SC2086 # words on purpose
	if printf '#include "%s"\ntypedef int acme_not_empty;\n' "${header#core/}" |
		gcc -std=c99 -pedantic -Wall -Wextra -Werror -Icore -I. $posix ${BEARSSL_DIR:+-isystem $BEARSSL_DIR/inc} \
			-fsyntax-only -x c - 2>&1; then
		echo "ok $n - $header stands alone"
	else
		echo "not ok $n - $header stands alone"; failed=1
	fi
done
echo "1..$n"
exit $failed
