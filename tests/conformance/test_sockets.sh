#!/bin/bash
# port/sockets: the conformance run on this machine, whose sockets are POSIX's; compiled with the names of Zephyr and of lwIP.
cd "$(dirname "$0")/../.." || exit 1
. tests/conformance/common.sh

compile -Iport/posix -Iport/sockets $run tests/conformance/conformance_sockets.c port/posix/posix_*.c port/sockets/*.c -lpthread -o "$to/sockets" \
	2>"$to/log" && "$to/sockets" "$to/state" >"$to/log" 2>&1
result $? "port/sockets"
grep -v '^ok' "$to/log" | sed 's/^/# /'
[ "$(tail -1 "$to/log")" = "1..$(grep -c '^ok' "$to/log")" ]
result $? "every line of it is ok, and it tells how many there are"

# names WHAT FLAG...: every file, with these names
names() {
	local what=$1
	shift
	cc -std=gnu11 -Wall -Wextra -Werror -Wconversion -fsyntax-only -Icore -Iport/sockets "$@" port/sockets/*.c >"$to/log" 2>&1
	result $? "compiled with the names of $what"
	sed 's/^/# /' "$to/log"
}

nuttx=(-D__NuttX__ -DCONFIG_NET_TCP=1 -DCONFIG_NET_SOCKOPTS=1 -DCONFIG_NET_TCPBACKLOG=1)
names NuttX "${nuttx[@]}" -DCONFIG_NET_TCP_WRITE_BUFFERS=1
! cc -fsyntax-only -Icore -Iport/sockets "${nuttx[@]}" port/sockets/sockets_net.c 2>"$to/log" && grep -q NET_TCP_WRITE_BUFFERS "$to/log"
result $? "a NuttX whose calls would block is refused, and told what it lacks"
cc -std=gnu11 -Wall -Wextra -Werror -Icore -Iport/sockets "${nuttx[@]}" -DCONFIG_NET_TCP_WRITE_BUFFERS=1 -DCONFIG_NET_TCP_WAIT_TIMEOUT=30 \
	-Dclock_gettime=played_clock tests/conformance/patience.c port/sockets/sockets_{listener,numeric}.c -o "$to/patience" 2>"$to/log" &&
	"$to/patience"
result $? "NuttX: a port in use is waited for as long as a connection of it is remembered, and no longer"
names Zephyr -D__ZEPHYR__ -Itests/conformance/zephyr
lwip=${LWIP_DIR:-build/src/lwip}/src
if [ -d "$lwip" ]; then
	printf '%s\n' '#include <stdint.h>' '#define NO_SYS 0' '#define LWIP_ARP 0' '#define LWIP_SOCKET 1' '#define LWIP_COMPAT_SOCKETS 0' \
		'#define LWIP_POSIX_SOCKETS_IO_NAMES 0' '#define LWIP_TIMEVAL_PRIVATE 0' >"$to/lwipopts.h"
	names 'lwIP, without IPv6 and name servers' -DLWIP_IPV6=0 -DLWIP_DNS=0 -DACME_SOCKETS_LWIP "-I$to" -Itests/boards/kernel -Itests/conformance/lwip \
		-isystem "$lwip/include"
	names lwIP -DLWIP_IPV6=1 -DLWIP_DNS=1 -DACME_SOCKETS_LWIP "-I$to" -Itests/boards/kernel -Itests/conformance/lwip -isystem "$lwip/include"
else
	n=$((n + 1))
	echo "ok $n - compiled with the names of lwIP # SKIP no lwIP sources: tests/deps.sh firmware"
fi

echo "1..$n"
exit $failed
