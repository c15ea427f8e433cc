#!/bin/sh
# What an image is built for, as C on standard output: site.sh DIRECTORY_URL TLS_NAME ROOTS.pem NAME...
# TLS_NAME is the name in the CA server's certificate when the URL has an address instead; else "".
set -eu
[ $# -ge 4 ] || { echo "usage: site.sh DIRECTORY_URL TLS_NAME ROOTS.pem NAME..." >&2; exit 64; }
directory=$1 tls_name=$2 roots=$3
shift 3

word() { # only what a URL or a host name may hold gets into C
	case $1 in *[!A-Za-z0-9._:/-]*) echo "site.sh: '$1' holds a character that does not belong there" >&2; exit 65 ;; esac
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
