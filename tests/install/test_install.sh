#!/bin/bash
# What `make install` puts down is enough for a stranger: headers, libraries, pkg-config, man page, program.
cd "$(dirname "$0")/../.." || exit 1
n=0 failed=0
to=$(mktemp -d)
trap 'rm -rf "$to"' EXIT

# result STATUS WHAT
result() {
	n=$((n + 1))
	if [ "$1" = 0 ]; then echo "ok $n - $2"; else echo "not ok $n - $2"; failed=1; fi
}

make -s install DESTDIR="$to/image" PREFIX=/opt/acme >"$to/log" 2>&1
result $? "make install, with DESTDIR and PREFIX"
sed 's/^/# /' "$to/log" | tail -20
root=$to/image/opt/acme

for file in bin/nanoacme lib/libnanoacme.a lib/libnanoacme-posix.a lib/libnanoacme-sockets.a lib/libnanoacme-stores.a lib/pkgconfig/nanoacme.pc share/man/man1/nanoacme.1 \
	lib/systemd/system/nanoacme.service lib/systemd/system/nanoacme.timer lib/systemd/system/nanoacme-daemon.service \
	share/bash-completion/completions/nanoacme share/doc/nanoacme/examples/letsencrypt.conf share/doc/nanoacme/examples/step-ca.conf \
	share/doc/nanoacme/examples/external-account.conf share/doc/nanoacme/examples/openbao.conf \
	include/nanoacme/acme.h include/nanoacme/acme_sockets.h include/nanoacme/acme_files.h include/nanoacme/acme_kv.h include/nanoacme/acme_flash.h include/nanoacme/secure/key_p256.h; do
	[ -s "$root/$file" ]
	result $? "$file is there"
done

export PKG_CONFIG_PATH=$root/lib/pkgconfig PKG_CONFIG_SYSROOT_DIR=$to/image
version=$(sed -n 's/.*ACME_VERSION "\(.*\)".*/\1/p' core/acme_version.h)
[ -n "$version" ] && [ "$(pkg-config --modversion nanoacme)" = "$version" ]
result $? "pkg-config tells version $version"
"$root/bin/nanoacme" version 2>&1 | grep -qF "$version"
result $? "so does the program"

# The units: what both services may do is the same, and systemd has nothing to say against them.
units=$root/lib/systemd/system
! grep -h '^Exec' "$units"/*.service | grep -v '^ExecReload=' | grep -qv '^ExecStart=/opt/acme/bin/nanoacme '
result $? "units start the program that was installed"
[ "$(sed -n '/^StateDirectory=/,/^$/p; /^CapabilityBoundingSet=/,/^$/p' "$units/nanoacme.service")" = \
	"$(sed -n '/^StateDirectory=/,/^$/p; /^CapabilityBoundingSet=/,/^$/p' "$units/nanoacme-daemon.service")" ]
result $? "both services are shut in the same way"
if command -v systemd-analyze >/dev/null; then
	mkdir "$to/units"
	for unit in nanoacme.service nanoacme-daemon.service nanoacme.timer; do
		sed "s|/opt/acme/bin|$root/bin|" "$units/$unit" >"$to/units/$unit"
	done
	said=$(systemd-analyze --man=no verify "$to"/units/* 2>&1)
	[ -z "$said" ]
	result $? "systemd-analyze verify${said:+: $said}"
	for unit in nanoacme.service nanoacme-daemon.service; do
		said=$(systemd-analyze security --offline=true --threshold=25 "$to/units/$unit" 2>&1)
		result $? "systemd-analyze security: $(grep -o 'exposure.*' <<<"$said")"
	done
	times=$(systemd-analyze calendar --iterations=6 "$(sed -n 's/^OnCalendar=//p' "$units/nanoacme.timer")" | grep -c :.0:00)
	[ "$times" -ge 6 ]
	result $? "the timer comes every ten minutes"
else
	n=$((n + 1))
	echo "ok $n - systemd-analyze on the units # SKIP not here"
fi

# A program of a stranger, in another folder, knowing pkg-config only.
cat >"$to/user.c" <<'EOF'
#include <acme.h>
#include <secure/key_p256.h>
#include <protocol/challenge_http01.h>

static struct acme_client client;

int main(void)
{
    static const struct acme_setup setup = {0};
    return acme_init(&client, &setup) == ACME_E_NULL ? 0 : 1; /* and not ACME_E_SIZE: its options are the library's */
}
EOF
read -ra flags < <(pkg-config --cflags nanoacme)
read -ra libs < <(pkg-config --libs nanoacme)
(cd "$to" && gcc -std=c99 -pedantic -Wall -Wextra -Werror "${flags[@]}" user.c -o user "${libs[@]}" && ./user) 2>&1
result $? "a program builds and runs with what pkg-config says"
(cd "$to" && sed 's/static const struct acme_setup setup = {0}/static const struct acme_setup setup{}/' user.c >user.cpp &&
	g++ -std=c++17 -pedantic -Wall -Wextra -Werror "${flags[@]}" user.cpp -o user "${libs[@]}" && ./user) 2>&1
result $? "so does one in C++"
# The same with sockets and a store, which take nothing of BearSSL into the program.
cat >"$to/sockets.c" <<'EOF'
#include <acme_kv.h>
#include <acme_sockets.h>

static struct acme_kv_store store;
static struct acme_sockets_listener listener;

int main(void)
{
    static const struct acme_kv kv = {0};
    return acme_kv_init(&store, &kv) + acme_sockets_listener_init(&listener, "::1", 80);
}
EOF
(cd "$to" && gcc -std=c99 -pedantic -Wall -Wextra -Werror "${flags[@]}" sockets.c -o sockets "${libs[@]}" && ./sockets) 2>&1 && ! nm "$to/sockets" | grep -q ' br_'
result $? "so does one of sockets and a store alone, and nothing of BearSSL is in it"

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$to/k" -out "$to/ec.pem" -subj /CN=ec 2>/dev/null
openssl req -x509 -newkey rsa:2048 -nodes -keyout "$to/k" -out "$to/rsa.pem" -subj /CN=rsa 2>/dev/null
cat "$to/ec.pem" "$to/rsa.pem" >"$to/roots.pem"
make -s anchors PEM="$to/roots.pem" NAME=two_roots >"$to/roots.c" 2>"$to/log"
result $? "make anchors writes a table"
grep -q 'two_roots_anchors, 2, NULL}' "$to/roots.c"
result $? "with both roots in it"
for cc in gcc clang-14; do
	$cc -std=c99 -pedantic -Wall -Wextra -Werror -Wcast-qual -Wconversion -Wmissing-prototypes "${flags[@]}" -c \
		-o "$to/roots.o" "$to/roots.c"
	result $? "that $cc compiles without a warning"
done
objdump -h "$to/roots.o" | awk '$2 ~ /^\.(data|bss)$/ && $3 !~ /^0+$/ { bad = 1 } END { exit bad }'
result $? "and keeps out of RAM"
! make -s anchors PEM=/dev/null NAME=none >/dev/null 2>&1
result $? "and refuses an empty file"

# The roots that come with it: what the page says of each is what OpenSSL reads, each has signed itself, and two CAs are there.
make -s anchors >"$to/public.c" 2>"$to/log" && grep -q 'public_roots_anchors, 6, NULL}' "$to/public.c" &&
	grep -q '^ \* 2: Root YE, 2025-09-03 to 2045-09-02, SHA-256$' "$to/public.c"
result $? "make anchors makes a table of port/roots/public.pem, with dates"
csplit -s -z -f "$to/root" port/roots/public.pem '/^CN=/' '{*}'
judged=0
for root in "$to"/root0[1-9]; do
	openssl x509 -in "$root" -noout -subject -nameopt RFC2253 -startdate -enddate -dateopt iso_8601 -fingerprint -sha256 |
		tr -d : | sed 's/^subject=//; s/^notBefore=//; s/^notAfter=//; s/ 0*[0-9]*Z$//; s/^.*ingerprint=//' >"$to/judge"
	{ read -r name && read -r from && read -r until && read -r print; } <"$to/judge"
	{ read -r says && read -r dates && read -r _ fingerprint; } <"$root"
	[ "$says" = "$name" ] && [ "${dates%%,*}" = "$from to $until" ] && [ "$fingerprint" = "${print,,}" ] &&
		grep -q "$fingerprint" "$to/public.c" && openssl verify -check_ss_sig -CAfile "$root" "$root" >/dev/null && judged=$((judged + 1))
done
[ "$judged" = 6 ] && grep -q 'O=ISRG' port/roots/public.pem && grep -q 'O=Google' port/roots/public.pem
result $? "names, dates and fingerprints in it are those of its certificates"

# A table for a device in the field, signed.
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$to/vendor.pem" 2>/dev/null
make -s anchors KEY="$to/vendor.pem" SERIAL=7 REPLACE=1 OUT="$to/table" 2>"$to/log"
result $? "make anchors signs a table"
grep -q 'table 7, .* replaces the built-in anchors' "$to/log" && [ "$(head -c 16 "$to/table" | od -An -tx1 | tr -d ' \n')" = 61636d65524f4f540101000600000007 ]
result $? "with its serial number, which takes the built-in ones' place"
head -c -64 "$to/table" >"$to/signed"
tail -c 64 "$to/table" | od -An -v -tx1 | tr -d ' \n' >"$to/rs"
printf 'asn1=SEQUENCE:s\n[s]\nr=INTEGER:0x%s\ns=INTEGER:0x%s\n' "$(cut -c1-64 "$to/rs")" "$(cut -c65- "$to/rs")" >"$to/asn1"
openssl asn1parse -genconf "$to/asn1" -noout -out "$to/signature" 2>/dev/null && openssl pkey -in "$to/vendor.pem" -pubout -out "$to/vendor.pub" &&
	openssl dgst -sha256 -verify "$to/vendor.pub" -signature "$to/signature" "$to/signed" >/dev/null
result $? "OpenSSL agrees with the signature"
make -s anchors KEY="$to/vendor.pem" NAME=vendor_key >"$to/vendor.c" 2>/dev/null && gcc -std=c99 -pedantic -Wall -Wextra -Werror -c -o "$to/vendor.o" "$to/vendor.c"
result $? "the vendor's public key is a table in C that compiles"
bad=0
for words in "KEY=$to/k SERIAL=1 OUT=$to/bad" "KEY=$to/vendor.pem OUT=$to/bad" "KEY=$to/vendor.pem SERIAL=0 OUT=$to/bad" \
	"KEY=$to/vendor.pem SERIAL=4294967296 OUT=$to/bad" "KEY=$to/vendor.pem SERIAL=x OUT=$to/bad" "KEY=$to/vendor.pem SERIAL=1" \
	"KEY=$to/vendor.pem SERIAL=1 PEM=/dev/null OUT=$to/bad" "KEY=$to/none SERIAL=1 OUT=$to/bad" "NAME=9x"; do
	# shellcheck disable=SC2086
	make -s anchors $words >/dev/null 2>&1 && bad=$((bad + 1))
done
[ "$bad" = 0 ] && [ ! -e "$to/bad" ]
result $? "and nothing is made of another key, a missing serial number, no roots"

make -s uninstall DESTDIR="$to/image" PREFIX=/opt/acme >/dev/null
[ -z "$(find "$to/image" -type f)" ]
result $? "make uninstall leaves no file"

echo "1..$n"
exit $failed
