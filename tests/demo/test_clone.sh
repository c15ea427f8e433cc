#!/bin/bash
# `make demo` in a fresh clone, with no tools but those of the packages that tests/deps.sh installs for it. A tree in which
# everything has been made once hides what the demonstration does not make itself, and a file that nobody has committed.
# The libraries' sources are this tree's, when it has them: fetching them is the same for every purpose.
cd "$(dirname "$0")/../.." || exit 1
what="make demo in a fresh clone"
echo 1..1
if [ -z "$(git ls-files 2>/dev/null)" ]; then echo "ok 1 - $what # SKIP not a git checkout"; exit 0; fi

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
clone=$tmp/clone tools=$tmp/tools
mkdir "$clone" "$tools"
# What is tracked, as it stands here: what is not committed yet is tried too.
git ls-files -z | tar --null --files-from=- -c | tar -x -C "$clone"
[ ! -d build/src ] || { mkdir "$clone/build" && ln -s "$PWD/build/src" "$clone/build/src"; }

# Every command of the demonstration's packages, of what they depend on, and of every Debian system.
if command -v dpkg-query >/dev/null; then
	eval "$(sed -n '/^build=/,/^demo=/p' tests/deps.sh)"
	# shellcheck disable=SC2154 # that has set it
	read -rd '' -a wanted <<<"$demo $(dpkg-query -W -f '${Package} ${Essential} ${Priority}\n' |
		sed -nE 's/^(\S+) (yes .*|\S+ required)$/\1/p')"
	no=(--no-recommends --no-suggests --no-conflicts --no-breaks --no-replaces --no-enhances)
	mapfile -t packages < <(apt-cache depends --recurse --installed "${no[@]}" "${wanted[@]}" | grep '^[a-z0-9]' | sort -u)
	dpkg-query -L "${packages[@]}" 2>/dev/null | grep -E '^(/usr)?/s?bin/.' | sort -u >"$tmp/owned"
	while read -r path; do ln -sf "$path" "$tools/"; done <"$tmp/owned"
	while read -r path; do
		if grep -qxF "$(readlink "$(readlink "$path")")" "$tmp/owned"; then ln -sf "$path" "$tools/"; fi
	done < <(find /usr/bin -lname '/etc/alternatives/*')
	export PATH=${SHARED_OBJECTS:+$SHARED_OBJECTS:}$tools # tests/run.py: the compilers, which look for themselves in what follows
fi

if output=$(make -C "$clone" demo 2>&1 </dev/null) && [[ $output == *"page is on port 443"* ]]; then
	echo "ok 1 - $what"
else
	tail -40 <<<"$output" | sed 's/^/# /'
	echo "not ok 1 - $what"
	exit 1
fi
