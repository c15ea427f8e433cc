#!/bin/sh
# What an image is built for, as C on standard output: site.sh DIRECTORY_URL TLS_NAME ROOTS.pem NAME...
# TLS_NAME is the name in the CA server's certificate when the URL has an address instead; else "".
# With DNS_SERVER=host, DNS_PORT=number (or none) and TSIG_KEY=file (of tsig-keygen) it is for an image made with DNS01=1.
set -eu
[ $# -ge 4 ] || { echo "usage: site.sh DIRECTORY_URL TLS_NAME ROOTS.pem NAME..." >&2; exit 64; }
directory=$1 tls_name=$2 roots=$3
shift 3

word() { # only what a URL or a host name may hold gets into C
	case $1 in *[!A-Za-z0-9._:/*-]*) echo "site.sh: '$1' holds a character that does not belong there" >&2; exit 65 ;; esac
	printf '"%s"' "$1"
}

${NANOACME_ANCHORS:-build/nanoacme-anchors} site_roots <"$roots"
printf '\n#include "firmware.h"\n\nstatic const char *const names[] = {'
for name in "$@"; do
	word "$name"
	printf ', '
done
printf '};\n\nconst struct firmware_site firmware_site = {'
word "$directory"
printf ', '
if [ -n "$tls_name" ]; then word "$tls_name"; else printf NULL; fi
printf ', NULL, names, %d, &site_roots};\n' $#

[ -n "${DNS_SERVER:-}" ] || exit 0
key=$(sed -n 's/^key "\(.*\)" {.*/\1/p' "$TSIG_KEY")
secret=$(sed -n 's/.*secret "\(.*\)";.*/\1/p' "$TSIG_KEY" | base64 -d | od -An -v -tu1 | tr -s ' \n' ', ')
case $key:$secret in :* | *:) echo "site.sh: $TSIG_KEY has no key as tsig-keygen prints it" >&2; exit 65 ;; esac
printf '\n#include "option/dns01.h"\n\nstatic const unsigned char secret[] = {%s};\n' "${secret#,}"
printf 'const struct acme_rfc2136_zone firmware_zone = {.udp = &firmware_udp.udp, .sys = &firmware.sys, .server = '
word "$DNS_SERVER"
printf ', .port = %d, .key = {' "${DNS_PORT:-0}"
word "$key"
printf ', secret, sizeof secret}};\n'
