#!/bin/sh
# Installs what is lacking for one purpose: tests/deps.sh build|unit|firmware|demo|check|proof. Silent when all is there.
# Debian 12's packages; root, or sudo. Versions are named where another one would not do.
set -eu
cd "$(dirname "$0")/.."

build="gcc make libc6-dev libbearssl-dev libjsmn-dev scdoc"
firmware="$build gcc-arm-none-eabi libnewlib-arm-none-eabi gcc-riscv64-unknown-elf picolibc-riscv64-unknown-elf dpkg-dev
 qemu-system-arm qemu-system-misc"
demo="$firmware pebble openssl curl ca-certificates python3"
unit="$build python3 libcmocka-dev libjansson-dev libssl-dev gcovr clang-format-14 shellcheck binutils"
check="$demo $unit clang-14 libclang-rt-14-dev caddy uacme valgrind bind9 bind9-dnsutils
 gcc-s390x-linux-gnu libc6-dev-s390x-cross qemu-user chromium libnss3-tools util-linux pkg-config cmake musl-tools ccache"
proof="$build python3 frama-c-base"

case ${1:-} in
build) wanted=$build ;;
unit) wanted=$unit ;;
firmware) wanted=$firmware ;;
demo) wanted=$demo ;;
check) wanted=$check ;;
proof) wanted=$proof ;;
*) echo "usage: tests/deps.sh build|unit|firmware|demo|check|proof" >&2; exit 64 ;;
esac

installed() { dpkg-query -W -f '${db:Status-Status} ${Version}\n' "$1" 2>/dev/null | sed -n 's/^installed //p'; }

if ! command -v dpkg-query >/dev/null; then
	echo "deps: not a Debian system; the build needs: $wanted" >&2
	exit 1
fi

lacking=
for package in $wanted; do
	[ -n "$(installed "$package")" ] || lacking="$lacking $package"
done

if [ -n "$lacking" ]; then
	if [ "$(id -u)" = 0 ]; then sudo=
	elif command -v sudo >/dev/null; then sudo=sudo
	else
		echo "deps: as root: apt-get install$lacking" >&2
		exit 1
	fi
	echo "deps: installing for '$1':$lacking"
	log=$(mktemp)
	trap 'rm -f "$log"' EXIT
	# Package lists may be absent or old on a new machine, so a failure is tried once more with new ones.
	install="$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends"
	# shellcheck disable=SC2086 # words on purpose
	$install $lacking >"$log" 2>&1 || { $sudo apt-get update -qq >>"$log" 2>&1 && $install $lacking >>"$log" 2>&1; } ||
		{ cat "$log" >&2; echo "deps: apt-get could not install:$lacking" >&2; exit 1; }
	# Debian starts a packaged server at once; the tests start their own, on ports of their own.
	for server in caddy named; do
		case " $lacking " in *" $server "* | *" bind9 "*) [ ! -d /run/systemd/system ] || $sudo systemctl -q disable --now $server || : ;; esac
	done
fi

# at_least PACKAGE 0.30.2 WHY
at_least() {
	case " $(echo "$wanted" | tr '\n' ' ') " in *" $1 "*) ;; *) return 0 ;; esac
	dpkg --compare-versions "$(installed "$1")" ge "$2" || { echo "deps: $1 must be $2 or later: $3" >&2; exit 1; }
}
at_least libbearssl-dev 0.6 "key generation and the TLS profiles came with it"
at_least pebble 2.4 "chain length and alternate roots came with it"

# BearSSL and lwIP for boards: Debian's source packages, from where this machine has its packages. It takes no root.
# source_of PACKAGE FOLDER OWN_TREE: into build/src/FOLDER, unless the user has a tree.
source_of() {
	[ -z "$3" ] && [ ! -d "build/src/$2" ] || return 0
	echo "deps: fetching the source of $1"
	work=$PWD/build/src/.apt
	mkdir -p "$work/lists/partial" "$work/cache/archives/partial"
	# shellcheck disable=SC2016 # apt fills these in
	apt-get indextargets --format 'deb-src $(REPO_URI) $(RELEASE) $(COMPONENT)' 'Identifier: Packages' |
		sort -u >"$work/sources.list"
	apt_source="-qq -o Dir::Etc::SourceList=$work/sources.list -o Dir::Etc::SourceParts=- -o Dir::State::Lists=$work/lists
	 -o Dir::Cache=$work/cache -o APT::Sandbox::User="
	# shellcheck disable=SC2086 # words on purpose
	(apt-get $apt_source update && cd "$work" && apt-get $apt_source source --download-only "$1" &&
		rm -rf tree && dpkg-source --no-check -x "$1"_*.dsc tree && mv tree "../$2") >"$work/log" 2>&1 ||
		{ cat "$work/log" >&2; echo "deps: no source of $1; a tree of your own will do: $4" >&2; exit 1; }
}
case $1 in
firmware | demo | check)
	source_of bearssl bearssl "${BEARSSL_DIR:-}" 'BEARSSL_DIR=... with inc/ and src/'
	source_of lwip lwip "${LWIP_DIR:-}" 'LWIP_DIR=... with src/'
	;;
esac
# Mbed TLS for port/mbedtls: Debian's binary lacks the arena and curves in pieces.
[ "$1" != check ] || source_of mbedtls mbedtls "${MBEDTLS_DIR:-}" 'MBEDTLS_DIR=... with include/ and library/'

# The newest Pebble, for what Debian's lacks (Retry-After, challenge state processing, User-Agent required). It needs
# Go 1.24; where that is not to be had the tests that use it are skipped.
pebble=github.com/letsencrypt/pebble/v2/cmd
stepca=github.com/smallstep/certificates/cmd/step-ca
# go_install WHAT SECONDS PACKAGE...: into build/go.
go_install() {
	what=$1 limit=$2
	shift 2
	echo "deps: building $what with Go $have"
	(GOBIN="$PWD/build/go" CGO_ENABLED=0; export GOBIN CGO_ENABLED; cd / && timeout "$limit" go install "$@") \
		>build/go.log 2>&1 || echo "deps: that did not work (build/go.log); its tests will be skipped"
}
if [ "$1" = check ] && command -v go >/dev/null; then
	have=$(go env GOVERSION | sed 's/^go//')
	if dpkg --compare-versions "$have" ge 1.24; then
		mkdir -p build
		[ -x build/go/pebble ] || go_install 'Pebble 2.10.1' 300 $pebble/pebble@v2.10.1 $pebble/pebble-challtestsrv@v2.10.1
		[ -x build/go/step-ca ] || go_install 'step-ca 0.30.2' 600 $stepca@v0.30.2
	fi
fi
