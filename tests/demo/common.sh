# shellcheck shell=bash
# common.sh - what the demonstrations share: processes that end with them, a story in steps, a CA to talk to.
# Sourced by posix and board, which set `names` before.
set -eu
cd "$(dirname "$0")/../.."
B=${B:-build}

started=()
tmp=$(mktemp -d)
finish() {
	status=$?
	trap '' INT TERM HUP
	# The shell's own list: a signal may come after a start and before it stands in `started`, or before its session.
	local pid all=()
	jobs -p >"$tmp/jobs" # into a file: bash may have been at a $() when the signal came, and trips over another one then
	mapfile -t all <"$tmp/jobs"
	for pid in "${all[@]}"; do
		kill -TERM -- "-$pid" 2>/dev/null || kill -TERM "$pid" 2>/dev/null || true
	done
	wait || true
	for pid in "${all[@]}"; do # a client that waits for a CA which is gone by now
		while kill -KILL -- "-$pid" 2>/dev/null; do
			sleep 0.05 # lint: polls
		done
	done
	rm -rf "$tmp"
	exit "$status"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'exit 129' HUP

number=0
story() {
	number=$((number + 1))
	printf '\n\033[1m%d. %s\033[0m\n' "$number" "$*" | if [ -t 1 ]; then cat; else sed 's/\x1b\[[01]m//g'; fi
}

# begin LOG COMMAND...: in a session and process group of its own, so that its end takes its children along.
begin() {
	local log=$1
	shift
	: >"$log" # what an earlier one said there is not this one's
	setsid "$@" >"$log" 2>&1 </dev/null &
	started+=($!)
}

# until_true WHAT LOG COMMAND...: waits until the command succeeds, as long as what was begun last is alive.
until_true() {
	local what=$1 log=$2 tries=0
	shift 2
	until "$@" >/dev/null 2>&1; do
		tries=$((tries + 1))
		if [ "$tries" -gt 1200 ] || ! kill -0 "${started[-1]}" 2>/dev/null; then
			echo "demo: $what did not start:" >&2
			cat "$log" >&2
			exit 1
		fi
		sleep 0.05 # lint: polls
	done
}

ca_get() {
	curl -sS --fail --cacert "$tmp/ca.pem" --resolve "localhost:$manage_port:127.0.0.1" \
		"https://localhost:$manage_port/$1"
}

free_ports() {
	python3 -c '
import socket
held = [socket.create_server(("127.0.0.1", 0)) for _ in range(5)]
print(*[s.getsockname()[1] for s in held])'
}

# Sets dir_port, manage_port, http_port; the roots to trust are in $tmp/ca.pem.
start_ca() {
	story "A throw-away CA for the server certificate of the ACME server, made with openssl"
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$tmp/ca.key" -out "$tmp/ca.pem" \
		-days 2 -subj "/CN=demo throw-away CA" 2>/dev/null
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$tmp/server.key" \
		-out "$tmp/server.pem" -days 2 -subj "/CN=localhost" -addext subjectAltName=DNS:localhost \
		-addext basicConstraints=critical,CA:FALSE -CA "$tmp/ca.pem" -CAkey "$tmp/ca.key" 2>/dev/null
	openssl verify -CAfile "$tmp/ca.pem" "$tmp/server.pem" | sed "s|$tmp/||"

	read -r dir_port manage_port http_port dns_port dns_manage_port <<<"$(free_ports)"
	story "An ACME server, Pebble, on https://localhost:$dir_port/dir, and name service for it on port $dns_port"
	cat >"$tmp/pebble.json" <<END
{"pebble": {"listenAddress": "127.0.0.1:$dir_port", "managementListenAddress": "127.0.0.1:$manage_port",
 "certificate": "$tmp/server.pem", "privateKey": "$tmp/server.key", "httpPort": $http_port, "tlsPort": $http_port}}
END
	begin "$tmp/dns.log" pebble-challtestsrv -dns01 "127.0.0.1:$dns_port" -management "127.0.0.1:$dns_manage_port" \
		-http01 '' -https01 '' -tlsalpn01 '' -defaultIPv4 127.0.0.1 -defaultIPv6 ''
	until_true pebble-challtestsrv "$tmp/dns.log" bash -c "</dev/tcp/127.0.0.1/$dns_manage_port"
	# No random sleeps, refusals or reuse, so that the figures at the end are the same every time.
	begin "$tmp/pebble.log" env PEBBLE_VA_NOSLEEP=1 PEBBLE_WFE_NONCEREJECT=0 PEBBLE_AUTHZREUSE=0 \
		pebble -config "$tmp/pebble.json" -dnsserver "127.0.0.1:$dns_port"
	until_true pebble "$tmp/pebble.log" ca_get roots/0
	echo "both answer"
}
