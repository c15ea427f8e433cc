#!/bin/bash
# The conformance run of port/README.md: the POSIX port passes it, the empty template links and does not, and a port with a
# single fault is found out.
cd "$(dirname "$0")/../.." || exit 1
. tests/conformance/common.sh

compile -Iport/posix $run tests/conformance/conformance_posix.c port/posix/posix_*.c -lpthread -o "$to/posix" && "$to/posix" "$to/state" >"$to/log" 2>&1
result $? "the POSIX port"
grep -v '^ok' "$to/log" | sed 's/^/# /'
lines=$(grep -c '^ok' "$to/log")
[ "$(tail -1 "$to/log")" = "1..$lines" ]
result $? "every line of it is ok, and it tells how many there are"

# Stores for those who have a file system, or keys with values, on media in memory.
compile -Iport/posix -Iport/flash -Iport/stores -Itests $run tests/conformance/conformance_stores.c tests/fake/media.c port/stores/*.c \
	port/flash/flash_place.c port/posix/posix_*.c -lpthread -o "$to/stores"
for kind in replacing names values; do
	"$to/stores" $kind >"$to/log" 2>&1
	result $? "port/stores: $kind"
	grep -v '^ok' "$to/log" | sed 's/^/# /'
done

! compile -Iport/template $run port/template/conformance.c -o "$to/none" 2>"$to/log" &&
	grep -q acme_template_store "$to/log"
result $? "without a port nothing links, and the linker tells what is missing"
compile -Iport/template $run port/template/*.c -o "$to/template"
result $? "the template links"
"$to/template" >"$to/log" 2>&1
[ $? = 1 ] && grep -q '^not ok' "$to/log"
result $? "the template does not pass, and comes to its end"
grep -q " $(sed -n 's/^1\.\.//p' "$to/log") of $lines are said" port/README.md
result $? "port/README.md tells how many lines there are"

# A port with a fault: the file that has it is compiled, the others are the same each time.
mkdir "$to/objects"
for file in "$run" tests/conformance/conformance_posix.c port/posix/posix_*.c; do
	compile -DPATIENCE_MS=2000 -w -Iport/posix -c "$file" -o "$to/objects/$(basename "$file" .c).o"
done

# fault WHAT FILE SED-SCRIPT
fault() {
	local mutant=$to/$2 object=$to/objects/${2%.c}.o
	rm -rf "$to/mutant-state"
	sed "$3" "port/posix/$2" >"$mutant"
	mv "$object" "$object.good"
	if cmp -s "$mutant" "port/posix/$2" || ! compile -w -Iport/posix -c "$mutant" -o "$object" ||
		! compile "$to"/objects/*.o -lpthread -o "$to/run"; then
		result 1 "cannot make: $1"
	else
		! timeout 60 "$to/run" "$to/mutant-state" >"$to/log" 2>&1
		result $? "would see: $1"
	fi
	mv "$object.good" "$object"
}

fault "an end told as not now" posix_net.c 's/? ACME_E_CLOSED : moved/? 0 : moved/'
fault "not now told as an end" posix_net.c '/armed |= event/{n;s/return 0/return ACME_E_CLOSED/}'
fault "a send to nobody that kills" posix_net.c 's/MSG_NOSIGNAL/0/'
fault "more bytes said to be sent than were" posix_net.c 's/: (int)count;/: event == POLLOUT ? (int)count + 1 : (int)count;/'
fault "the answer of a lookup given up before" posix_lookup.c 's/if (same)/if (same || !same)/'
fault "entropy that leaves the end empty" posix_sys.c 's/have < len;/have + 8 < len;/; s/len - have,/len - have - 8,/'
fault "a clock that is not set" posix_sys.c 's/= now.tv_sec;/= now.tv_sec % 1000;/'
fault "a record's length cut to the buffer" posix_store.c 's/code == 0 ? len/code == 0 ? (len < (int)cap ? len : (int)cap)/'
fault "an unfinished chain that is not dropped" posix_pair.c 's/= acme_posix_clear(at, name)/= 0/; s/O_CREAT | O_EXCL/O_CREAT/'
fault "an order that outlives commit" posix_store.c 's/store_put(ctx, ACME_RECORD_ORDER, NULL, 0)/0/'
fault "a next key that outlives commit" posix_store.c 's/store_put(ctx, ACME_RECORD_KEY_NEXT, NULL, 0)/0/'
fault "a chain written over the one in use" posix_pair.c "s/== 'a' ? \".b\" : \".a\"/== 'a' ? \".a\" : \".a\"/"
fault "listening that does not stop" posix_listener.c '/^static void listener_stop/,/^}/s/close(l->fd)/0/'

echo "1..$n"
exit $failed
