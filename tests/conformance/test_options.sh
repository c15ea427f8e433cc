#!/bin/bash
# Options of lwIP that port/lwip cannot do without: each is refused by the compiler with its name, whether lwipopts_acme.h is
# included or not; and what it needs and what lwipopts_acme.h sets go together.
cd "$(dirname "$0")/../.." || exit 1
n=0 failed=0
to=$(mktemp -d)
trap 'rm -rf "$to"' EXIT
lwip=${LWIP_DIR:-build/src/lwip}/src
if [ ! -d "$lwip" ]; then
	printf 'ok 1 - options of lwIP # SKIP no lwIP sources: tests/deps.sh firmware\n1..1\n'
	exit 0
fi

# result STATUS WHAT
result() {
	n=$((n + 1))
	if [ "$1" = 0 ]; then echo "ok $n - $2"; else echo "not ok $n - $2"; failed=1; sed 's/^/# /' "$to/log"; fi
}

# compile OPTION...: port/lwip with these lines as its lwipopts.h; what it says goes to the log.
compile() {
	printf '%s\n' '#include <stdint.h>' '#define NO_SYS 1' '#define SYS_LIGHTWEIGHT_PROT 0' '#define LWIP_SOCKET 0' \
		'#define LWIP_NETCONN 0' 'uint32_t host_random(void);' "$@" >"$to/lwipopts.h"
	for file in port/lwip/*.c; do
		cc -std=gnu11 -fsyntax-only -Wall -Wextra -Werror -Icore -Iport/lwip "-I$to" -Itests/conformance/lwip \
			-isystem "$lwip/include" "$file" || return 1
	done >"$to/log" 2>&1
}

# refuses WORDS OPTION...
refuses() {
	local words=$1
	shift
	local what="$*"
	! compile "$@" && grep -q "error:.*$words" "$to/log"
	result $? "refused, with $words: ${what//#/}"
}

random='#define LWIP_RAND() host_random()'
acme='#include "lwipopts_acme.h"'
own=("$random" '#define LWIP_DNS 1' '#define TCP_LISTEN_BACKLOG 1' '#define SO_REUSE 1' '#define LWIP_HOOK_TCP_ISN(a, b, c, d) 1')

compile "$random" "$acme"
result $? "lwipopts_acme.h and random numbers are enough"
compile "${own[@]}"
result $? "so are options of one's own"
echo '#define LWIP_HOOK_TCP_ISN(a, b, c, d) 1' >"$to/hooks.h"
compile "${own[@]:0:4}" '#define LWIP_HOOK_FILENAME "hooks.h"'
result $? "and a hook in lwIP's file of hooks, as ESP-IDF has it"
compile "$random" '#define LWIP_IPV6 1' "$acme"
result $? "with IPv6 too"
compile "$random" '#define LWIP_IPV4 0' '#define LWIP_IPV6 1' "$acme"
result $? "and with IPv6 alone"
compile "$random" '#define MEMP_MEM_MALLOC 1' '#define MEMP_NUM_SYS_TIMEOUT 1' '#define PBUF_POOL_SIZE 1' "$acme"
result $? "sizes of pools do not matter where there are none"
compile "$random" '#define SNTP_SET_SYSTEM_TIME(s) (void)(s)' '#define MEMP_NUM_SYS_TIMEOUT LWIP_NUM_SYS_TIMEOUT_INTERNAL' "$acme"
result $? "nor room for SNTP where the time goes elsewhere"

for option in LWIP_TCP LWIP_DNS TCP_LISTEN_BACKLOG SO_REUSE; do
	refuses "$option=1" "$random" "#define $option 0" "$acme"
	refuses "$option=1" "${own[@]}" "#undef $option" "#define $option 0"
done
refuses 'LWIP_RAND' "$acme"
refuses 'LWIP_RAND' "${own[@]:1}"
refuses 'LWIP_HOOK_TCP_ISN' "${own[@]:0:4}"
refuses 'MEMP_NUM_SYS_TIMEOUT' "$random" '#define MEMP_NUM_SYS_TIMEOUT LWIP_NUM_SYS_TIMEOUT_INTERNAL' "$acme"
refuses 'MEMP_NUM_SYS_TIMEOUT' "$random" '#define MEMP_NUM_SYS_TIMEOUT 3' "$acme"
refuses 'TCP_WND must be smaller' "$random" '#define TCP_WND 23360' "$acme"
refuses 'TCP_WND must be smaller' "$random" '#define PBUF_POOL_SIZE 2' '#define PBUF_POOL_BUFSIZE 512' "$acme"
refuses 'LWIP_DHCP_MAX_DNS_SERVERS' "$random" '#define LWIP_DHCP_MAX_DNS_SERVERS 3' "$acme"
refuses 'SNTP_COMP_ROUNDTRIP' "$random" '#define SNTP_COMP_ROUNDTRIP 1' "$acme"
refuses 'LWIP_TCPIP_CORE_LOCKING' "$random" '#undef NO_SYS' '#define NO_SYS 0' '#define LWIP_TCPIP_CORE_LOCKING 0' "$acme"

# What every image takes that says nothing else: the numbers are not guessable, one timeout more, no address kept for long.
compile "$random" "$acme"
printf '%s\n' '#include "lwip/opt.h"' 'isn LWIP_HOOK_TCP_ISN(1, 2, 3, 4)' 'room MEMP_NUM_SYS_TIMEOUT' 'ttl DNS_MAX_TTL' |
	cc -E -P -Iport/lwip "-I$to" -Itests/conformance/lwip -isystem "$lwip/include" - >"$to/log"
grep -qF 'isn host_random()' "$to/log" && grep -q '^room .*+ 1)' "$to/log" && grep -q '^ttl 1$' "$to/log"
result $? "random sequence numbers, room for SNTP, and addresses asked for anew, unless an image says otherwise"

# What else port/lwip/README.md shows: tests/boards/integration.c has its first lines only.
compile "$random" "$acme"
{
	printf '#include "%s"\n' acme.h acme_clock.h acme_flash.h acme_lwip.h lwip/apps/sntp.h
	echo '#define clock page_clock
static struct acme_clock clock;
extern struct acme_client client;
bool my_rng_fill(void *buf, size_t len);
int my_flash_read(void *ctx, uint32_t at, void *buf, size_t len), my_flash_erase(void *ctx, uint32_t sector);
int my_flash_program(void *ctx, uint32_t at, const void *data, size_t len);'
	awk '/^```c$/ { block++; inside = 1; next } /^```$/ { inside = 0 } inside && block > 1' port/lwip/README.md
} >"$to/page.c"
cc -std=gnu11 -fsyntax-only -Wall -Wextra -Werror -Wno-unused -Icore -Iport/lwip -Iport/flash "-I$to" -Itests/conformance/lwip \
	-isystem "$lwip/include" "$to/page.c" >"$to/log" 2>&1
result $? "the page's other lines compile"

echo "1..$n"
exit $failed
