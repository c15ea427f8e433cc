#!/bin/bash
# The same run for port/lwip and port/flash, and faults of theirs.
cd "$(dirname "$0")/../.." || exit 1
. tests/conformance/common.sh

# lwIP without a system, on this machine, with sanitizers; its own files are compiled once.
lwip=${LWIP_DIR:-build/src/lwip}/src
here=tests/conformance/lwip

# lwip_compile PORT_FOLDER ARGUMENT...
lwip_compile() {
	local port=$1
	shift
	cc -std=gnu11 -O1 -g1 -fsanitize=address,undefined -fno-sanitize-recover=all -Icore "-I$port" -Iport/flash -Itests \
		-Itests/conformance -I$here -isystem "$lwip/include" "$@"
}

# lwip_link TO ARGUMENT...: with all that is the same in every run, compiled once
lwip_link() {
	local to=$1
	shift
	lwip_compile port/lwip "$@" "$objects"/*.o -o "$to"
}

# lwip_fault WHAT FILE SED-SCRIPT
lwip_fault() {
	local mutant=$to/$2 object=$objects/${2%.c}.o
	sed "$3" "port/lwip/$2" >"$mutant"
	mv "$object" "$object.good"
	if cmp -s "$mutant" "port/lwip/$2" || ! lwip_compile port/lwip -w -c "$mutant" -o "$object" || ! lwip_link "$to/run" "$to/hasty.o"; then
		result 1 "cannot make: $1"
	else
		! { timeout 60 "$to/run" && timeout 60 "$to/run" addresses; } >"$to/log" 2>&1
		result $? "would see: $1"
	fi
	mv "$object.good" "$object"
}

if [ -d "$lwip" ]; then
	objects=$to/lwip
	mkdir "$objects"
	for name in core/{init,def,dns,inet_chksum,ip,mem,memp,netif,pbuf,tcp,tcp_in,tcp_out,timeouts,udp} \
		core/ipv4/{ip4,ip4_addr,icmp} core/ipv6/{ip6,ip6_addr,icmp6,ip6_frag,nd6,mld6,inet6,ethip6}; do
		lwip_compile port/lwip -w -c "$lwip/$name.c" -o "$objects/$(basename "$name").o"
	done
	for file in tests/conformance/conformance_lwip.c tests/fake/flash.c port/flash/*.c port/lwip/*.c; do
		lwip_compile port/lwip -Wall -Wextra -c "$file" -o "$objects/$(basename "$file" .c).o"
	done
	lwip_compile port/lwip -w -DPATIENCE_MS=2000 -c "$run" -o "$to/hasty.o"
	lwip_link "$to/lwip-run" -Wall -Wextra "$run" &&
		"$to/lwip-run" >"$to/log" 2>&1
	result $? "port/lwip and port/flash"
	grep -v '^ok' "$to/log" | sed 's/^/# /'
	[ "$(tail -1 "$to/log")" = "1..$(grep -c '^ok' "$to/log")" ]
	result $? "every line of it is ok, and it tells how many there are"
	"$to/lwip-run" addresses >"$to/log" 2>&1
	result $? "a name with an address that leads nowhere: the next attempt takes another one, of either kind"
	sed 's/^/# /' "$to/log"
	"$to/lwip-run" datagrams >"$to/log" 2>&1
	result $? "datagrams: from where they were sent to and nowhere else, of one's own port"
	sed 's/^/# /' "$to/log"
	lwip_fault "the kind of address that failed asked for again" lwip_net.c 's/n->other = !n->other/n->other = false/'
	lwip_fault "the kind of address that is not there asked for alone" lwip_net.c 's/LWIP_DNS_ADDRTYPE_IPV6_IPV4  */LWIP_DNS_ADDRTYPE_IPV6 /'
	mv "$objects/dns.o" "$to/dns.o"
	lwip_compile port/lwip -w -DDNS_MAX_TTL=60 -c "$lwip/core/dns.c" -o "$objects/dns.o"
	lwip_link "$to/run" "$to/hasty.o" && ! "$to/run" addresses >"$to/log" 2>&1
	result $? "would see: an address that is kept though it leads nowhere"
	mv "$to/dns.o" "$objects/dns.o"
	lwip_fault "a window that is never opened again" lwip_conn.c '/pbuf_free_header/,/^}/s/tcp_recved(c->pcb, count)/(void)count/'
	lwip_fault "a port that is not free for two minutes" lwip_listener.c '/ip_set_option/d'
	lwip_fault "an end told as not now" lwip_conn.c 's/result = c->error != 0 ? c->error : /result = /'
	lwip_fault "a refusal told as a timeout" lwip_conn.c 's/err == ERR_RST ? ACME_E_REFUSED : //'
	lwip_fault "bytes thrown away with the end" lwip_conn.c 's/if (c->received != NULL) {/if (c->received != NULL \&\& c->error == 0) {/'
	lwip_fault "listening that does not stop" lwip_listener.c '/^static void listener_stop/,/^}/s/tcp_close(l->pcb)/0/'
else
	n=$((n + 1))
	echo "ok $n - port/lwip # SKIP no lwIP sources: tests/deps.sh firmware"
fi

echo "1..$n"
exit $failed
