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

for file in bin/nanoacme lib/libnanoacme.a lib/libnanoacme-posix.a lib/pkgconfig/nanoacme.pc share/man/man1/nanoacme.1 \
	include/nanoacme/acme.h include/nanoacme/secure/key_p256.h; do
	[ -s "$root/$file" ]
	result $? "$file is there"
done

export PKG_CONFIG_PATH=$root/lib/pkgconfig PKG_CONFIG_SYSROOT_DIR=$to/image
version=$(sed -n 's/.*ACME_VERSION "\(.*\)".*/\1/p' core/acme_version.h)
[ -n "$version" ] && [ "$(pkg-config --modversion nanoacme)" = "$version" ]
result $? "pkg-config tells version $version"
"$root/bin/nanoacme" version 2>&1 | grep -qF "$version"
result $? "so does the program"

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

make -s uninstall DESTDIR="$to/image" PREFIX=/opt/acme >/dev/null
[ -z "$(find "$to/image" -type f)" ]
result $? "make uninstall leaves no file"

echo "1..$n"
exit $failed
