#!/bin/bash
# Every header compiles by itself, as C and as C++, and what it declares is C to both.
cd "$(dirname "$0")/../.." || exit 1
n=0 failed=0

# stands_alone HEADER LANGUAGE COMPILER FLAG...
stands_alone() {
	local header=$1 language=$2 include=${1#core/}
	shift 2
	n=$((n + 1))
	if printf '#include "%s"\ntypedef int acme_not_empty;\n' "$include" |
		"$@" -pedantic -Wall -Wextra -Werror -Icore -I. -Iport/stores -Iport/sockets -Itests/rtos ${BEARSSL_DIR:+-isystem "$BEARSSL_DIR/inc"} \
			-fsyntax-only -x "$language" - 2>&1; then
		echo "ok $n - $header stands alone, $language"
	else
		echo "not ok $n - $header stands alone, $language"; failed=1
	fi
}

for header in core/*.h core/*/*.h port/posix/posix*.h port/sockets/acme_sockets.h port/flash/*.h port/stores/*.h port/lwip/acme_clock.h port/freertos/*.h port/cmsis-rtos2/*.h; do
	[ -e "$header" ] || continue
	posix=()
	case $header in port/posix/* | port/sockets/*) posix=(-D_POSIX_C_SOURCE=200809L) ;; esac
	stands_alone "$header" c gcc -std=c99 "${posix[@]}"
	stands_alone "$header" c++ g++ -std=c++17
	n=$((n + 1))
	# All that declares a function says that it is C's.
	if ! sed 's|/\*.*\*/||' "$header" | grep -qE '^[a-z].*\);$' || grep -q '^extern "C" {$' "$header"; then
		echo "ok $n - $header may be linked from C++"
	else
		echo "not ok $n - $header may be linked from C++"; failed=1
	fi
done
echo "1..$n"
exit $failed
