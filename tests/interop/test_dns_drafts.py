#!/usr/bin/env python3
"""dns-account-01 and dns-persist-01 with the newest Pebble: by hook, by BIND 9 with a TSIG key, and by a record that was put there
once; wildcards; what dns-record prints and refuses."""

import json
import os
import re
import subprocess
import sys
import urllib.request

sys.path[:0] = [os.path.dirname(os.path.abspath(__file__)), os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")]
import servers
import tap
from client import FAILED, NEW, USAGE, Client

if not os.access(servers.NEWEST_PEBBLE, os.X_OK):
    tap.skip("dns-account-01 and dns-persist-01", "needs the newest Pebble: no Go, or no module proxy")
    tap.end()

folder = servers.workdir()
authority = servers.Authority(folder)
pebble = servers.Pebble(os.path.join(folder, "pebble"), authority, binary=servers.NEWEST_PEBBLE)
URL = f"http://127.0.0.1:{pebble.resolver.management}"
ISSUER = "pebble.letsencrypt.org"  # what it calls itself, where its configuration says nothing


def post(path, **members):
    urllib.request.urlopen(urllib.request.Request(f"{URL}/{path}", json.dumps(members).encode())).read()


# --- dns-persist-01

ONE = "one.example.test"
PERSIST = ["--challenge", "dns-persist-01"]
client = Client(os.path.join(folder, "persist"), pebble)


def record(*names, options=(), of=client):
    return of.run("dns-record", *names, options=options)


def put(run):
    """What the lines of a zone file say, into the DNS. Returns them."""
    lines = re.findall(r'^(\S+)\. IN TXT((?: "[^"]*")+)$', run.out, re.M)
    for name, texts in lines:
        post("set-txt", host=name + ".", value="".join(re.findall(r'"([^"]*)"', texts)))
    return lines


run = record(ONE)
tap.ok(run.code == FAILED and "first run issue with --challenge dns-persist-01" in run.err, "without an account it says what to do first", run.tail())
run = client.issue(ONE, options=PERSIST)
tap.ok(run.code == FAILED and "nanoacme dns-record NAME" in run.err, "without the record it says what prints it", run.tail())
run = record(ONE)
account = re.search(r"accounturi=([^\"; ]+)", run.out)
tap.ok(run.code == NEW and account and run.out == f'_validation-persist.{ONE}. IN TXT "{ISSUER}; accounturi={account.group(1)}"\n',
       "the record, as a line of a zone file", run.tail())
put(run)
mark = pebble.mark()
run = client.issue(ONE, options=PERSIST)
tap.ok(run.code == NEW and not client.fault([ONE], pebble.roots()), "issued", run.tail())
run = client.run("renew", ONE, force=True)
tap.ok(run.code == NEW and len(pebble.requests(mark)) > 8, "renewed, with the same record", run.tail())
run = client.issue(f"*.{ONE}", options=PERSIST)
tap.ok(run.code == FAILED and "policy" in run.out + run.err, "a wildcard needs a record that says so", run.tail())
run = record(ONE, f"*.{ONE}", options=["--until", "2099-12-31"])
lines = put(run)
tap.ok(run.code == NEW and len(lines) == 1 and lines[0][1].endswith('; policy=wildcard; persistUntil=4102444799"'),
       "one record for a name and all below it, until a day", run.tail())
run = client.issue(ONE, f"*.{ONE}", options=PERSIST, force=True)
tap.ok(run.code == NEW and not client.fault([ONE, f"*.{ONE}"], pebble.roots()), "a name and its wildcard by one record", run.tail())
events = client.run("dns-record", ONE, json=True).events()
tap.ok(events[0] == {"event": "dns-record", "name": f"_validation-persist.{ONE}", "type": "TXT",
                     "value": f"{ISSUER}; accounturi={account.group(1)}"}, "the same as JSON", str(events))
for what, name, options, code, words in [
        ("a day that is past", ONE, ["--until", "2020-01-01"], USAGE, "not a day to come"),
        ("a day that is none", ONE, ["--until", "soon"], USAGE, "not a day to come"),
        ("an issuer that is no name", ONE, ["--issuer", "a;b"], USAGE, "--issuer a;b"),
        ("an address", "192.0.2.1", [], USAGE, "has no place in the DNS")]:
    run = record(name, options=options)
    tap.ok(run.code == code and words in run.err and "IN TXT" not in run.out, what, run.tail())
run = record(ONE, options=["--issuer", "CA.Example.Test"])
tap.ok(run.code == NEW and '"ca.example.test; accounturi=' in run.out, "an issuer that is named", run.tail())
run = subprocess.run([*client.command("dns-record", ONE)][:1] + ["--state", client.state, "--directory", "https://localhost:1/dir", "dns-record", "other.example.test"],
                     capture_output=True, text=True)
tap.ok(run.returncode == FAILED and "is one of" in run.stderr, "the account of another CA", run.stderr)

# --- dns-account-01

hook = os.path.join(folder, "hook")
told = os.path.join(folder, "told")
with open(hook, "w") as f:
    f.write(f"""#!/bin/sh
echo "$1 $2 $3 $NANOACME_RECORD" >>{told}
case "$1" in
begin) exec curl -sf -o /dev/null -d "{{\\"host\\":\\"$NANOACME_RECORD.\\",\\"value\\":\\"$5\\"}}" {URL}/set-txt ;;
*) exec curl -sf -o /dev/null -d "{{\\"host\\":\\"$NANOACME_RECORD.\\"}}" {URL}/clear-txt ;;
esac
""")
os.chmod(hook, 0o755)
TWO = "two.example.test"
hooked = Client(os.path.join(folder, "hooked"), pebble)
run = hooked.issue(f"*.{TWO}", options=["--challenge", "dns-account-01", "--hook", hook])
with open(told) as f:
    calls = f.read().splitlines()
tap.ok(run.code == NEW and len(calls) == 2 and re.fullmatch(rf"begin dns-account-01 {TWO} _[a-z2-7]{{16}}\._acme-challenge\.{TWO}", calls[0]) and
       calls[1] == calls[0].replace("begin", "done"), "by hook, a wildcard; the hook is told the record's name", f"{run.tail()} {calls}")
run = Client(os.path.join(folder, "bare"), pebble).issue(TWO, options=["--challenge", "dns-account-01"])
tap.ok(run.code == USAGE and "dns-account-01 needs --dns-server" in run.err, "without a name server", run.tail())
run = Client(os.path.join(folder, "older"), pebble).issue(TWO, options=["--challenge", "dns-account-01,dns-account-01"])
tap.ok(run.code == USAGE and "twice" in run.err, "a type twice", run.tail())

if not os.path.exists("/usr/sbin/named"):
    tap.skip("dns-account-01 by dynamic update", "BIND 9 is not installed")
    tap.end()
key = os.path.join(folder, "device.key")
text = subprocess.run(["/usr/sbin/tsig-keygen", "-a", "hmac-sha256", "device"], capture_output=True, text=True, check=True).stdout
with open(os.open(key, os.O_CREAT | os.O_WRONLY, 0o600), "w") as f:
    f.write(text)
bind = servers.Bind(os.path.join(folder, "bind"), text, [
    ("example.test", "type primary; update-policy { grant device. zonesub TXT; };", "* A 127.0.0.1\n")])
resolving = servers.Pebble(os.path.join(folder, "pebble2"), authority, binary=servers.NEWEST_PEBBLE, resolver=bind)
updating = Client(os.path.join(folder, "updating"), resolving)
run = updating.issue(TWO, f"*.{TWO}", options=["--challenge", "dns-account-01", "--dns-server", f"127.0.0.1:{bind.port}", "--tsig-key", key])
log = bind.log()
labels = {match for match in re.findall(r"adding an RR at '_([a-z2-7]{16})\._acme-challenge\.two\.example\.test'", log)}
tap.ok(run.code == NEW and not updating.fault([TWO, f"*.{TWO}"], resolving.roots()), "by dynamic update, a name and its wildcard", run.tail())
tap.ok(len(labels) == 1 and log.count("adding an RR") == 2 and log.count("deleting an RR") == 2,
       "two values at the account's own name, both taken away again", f"{labels}")
run = updating.run("check", TWO, options=["--challenge", "dns-account-01", "--dns-server", f"127.0.0.1:{bind.port}", "--tsig-key", key])
tap.ok(re.search(rf"^dns-account-01 ok +{TWO}: \S+ takes updates", run.out, re.M) and bind.log().count("adding an RR") == 2,
       "check tries it, and leaves nothing", run.out)
tap.end()
