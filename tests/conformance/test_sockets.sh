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

# A stack that does not tell SO_ERROR, as Zephyr's: connect() is asked.
cat >"$to/without.c" <<'EOF'
#include <errno.h>
#include <sys/socket.h>
int getsockopt(int fd, int level, int name, void *value, socklen_t *len) /* test_without_so_error in their objects */
{
    (void)fd, (void)level, (void)name, (void)value, (void)len;
    errno = ENOPROTOOPT;
    return -1;
}
EOF
compile -Dgetsockopt=test_without_so_error -Iport/posix -Iport/sockets $run tests/conformance/conformance_sockets.c "$to/without.c" port/posix/posix_*.c \
	port/sockets/*.c -lpthread -o "$to/without" 2>"$to/log" && "$to/without" "$to/other" >"$to/log" 2>&1
result $? "the same without SO_ERROR"
grep -v '^ok' "$to/log" | sed 's/^/# /'

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
names "Zephyr since 4.4, without those from before" -D__ZEPHYR__ -DNAMES_OF_4_4 -Itests/conformance/zephyr
mbedtls=${MBEDTLS_DIR:-build/src/mbedtls}
if [ -d "$mbedtls" ]; then
	echo 0 >"$to/roots.inc"
	cc -std=gnu11 -Wall -Wextra -Werror -Wconversion -fsyntax-only -D__ZEPHYR__ -Itests/conformance/zephyr -Icore -Iport/sockets -Iport/stores \
		-Iport/mbedtls -isystem "$mbedtls/include" '-DMBEDTLS_CONFIG_FILE="acme_mbedtls_config.h"' -DACME_CFG_BEARSSL=0 "-I$to" \
		'-DCONFIG_SAMPLE_NAME="a.example"' '-DCONFIG_SAMPLE_DIRECTORY="https://ca.example/"' '-DCONFIG_SAMPLE_TLS_NAME=""' \
		'-DCONFIG_SAMPLE_TIME_SERVER="time.example"' port/package/zephyr/sample/src/*.c >"$to/log" 2>&1
	result $? "compiled: the sample for Zephyr"
	sed 's/^/# /' "$to/log"
else
	n=$((n + 1))
	echo "ok $n - compiled: the sample for Zephyr # SKIP no sources of Mbed TLS: tests/deps.sh check"
fi
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
