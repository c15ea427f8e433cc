#!/usr/bin/env python3
"""dns-01 by dynamic update: Debian's BIND 9 as the zone's primary, and Pebble that resolves through it."""

import concurrent.futures
import os
import shutil
import subprocess
import sys
import time

sys.path[:0] = [os.path.dirname(os.path.abspath(__file__)), os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")]
import servers
import tap
from client import CONFIG, FAILED, NEW, USAGE, Client

if not os.path.exists("/usr/sbin/named") or not shutil.which("dig"):
    tap.skip("dns-01 by dynamic update", "BIND 9 is not installed")
    tap.end()

folder = servers.workdir()
authority = servers.Authority(folder)


def make_key(name):
    """A key, as tsig-keygen prints it, in a file of its own."""
    path = os.path.join(folder, f"{name}.key")
    text = subprocess.run(["/usr/sbin/tsig-keygen", "-a", "hmac-sha256", name], capture_output=True, text=True, check=True).stdout
    with open(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600), "w") as f:
        f.write(text)
    return path, text


ours, ours_text = make_key("TSIG_Device.")
stranger, _ = make_key("stranger")
weak, weak_text = make_key("weak")
other_secret = os.path.join(folder, "other.key")
with open(os.open(other_secret, os.O_CREAT | os.O_WRONLY, 0o600), "w") as f:
    f.write("tsig_device:" + "QUJD" * 10 + "\n")
secret = ours_text.split('secret "')[1].split('"')[0]

POLICY = 'type primary; update-policy { grant tsig_device. zonesub TXT; grant weak. name nothing.example.test. TXT; };'
ZONES = [("example.test", POLICY, "* A 127.0.0.1\n_acme-challenge.alias CNAME alias.acme.example.net.\n"
                                  "_acme-challenge.round CNAME _acme-challenge.round2\n"
                                  "_acme-challenge.round2 CNAME _acme-challenge.round\n"
                                  "cut NS ns.elsewhere.test.\n_acme-challenge.named CNAME named.acme.example.net.\n_acme-challenge.multi TXT \"foreign\""),
         ("acme.example.net", POLICY, ""),
         ("sub.example.test", POLICY, "")]
bind = servers.Bind(os.path.join(folder, "bind"), ours_text + weak_text, ZONES)
pebble = servers.Pebble(folder, authority, resolver=bind)
client = Client(folder, pebble)
roots = pebble.roots(1)


def options(key=ours, server=None, more=()):
    return ["--challenge", "dns-01", "--dns-server", server or f"127.0.0.1:{bind.port}", "--tsig-key", key, *more]


def issue(*names, force=True, **how):
    return client.issue(*names, force=force, options=options(**how))


def updates():
    """(added, deleted) of BIND's log."""
    log = bind.log()
    return log.count("adding an RR"), log.count("deleting an RR")


# --- what does not work, each with its words; side by side, for most have to wait until nothing better comes


def refused(case):
    number, (what, words, name, how) = case
    mine = Client(os.path.join(folder, f"refused{number}"), pebble)
    began = time.monotonic()
    run = mine.issue(name, options=options(**how))
    return what, words, run, time.monotonic() - began


CASES = [
    ("a key it does not know", "BADKEY", "one.example.test", {"key": stranger}),
    ("another secret", "BADSIG", "one.example.test", {"key": other_secret}),
    ("a key without the right", "refuses the update by its policy", "one.example.test", {"key": weak}),
    ("aliases in a circle", "the name server could not do it", "round.example.test", {}),  # BIND itself goes round
    ("a name that is delegated", "has no zone for the name", "a.cut.example.test", {}),
    ("another zone", "not in the zone (NOTZONE)", "one.example.test", {"more": ["--dns-zone", "acme.example.net"]}),
    ("a zone it has not", "is not the primary of the zone (NOTAUTH)", "one.example.test", {"more": ["--dns-zone", "test"]}),
    ("nobody there", "the name server does not answer", "one.example.test", {"server": f"127.0.0.1:{servers.free_port()}"}),
]
pool = concurrent.futures.ThreadPoolExecutor(16)


def checked(case):
    """What `check` says of the same: the name server's line, and the words of a run."""
    number, (what, words, name, how) = case
    mine = Client(os.path.join(folder, f"checked{number}"), pebble)
    run = mine.run("check", name, options=options(**how))
    return what, words, next((line for line in run.out.splitlines() if line.startswith("dns-01 ")), ""), run


checks = [pool.submit(checked, case) for case in enumerate(CASES)]
refusals = [pool.submit(refused, case) for case in enumerate(CASES)]

# --- what works

run = issue("one.example.test")
tap.ok(run.code == NEW and client.fault(["one.example.test"], roots) == "", "one name", run.tail())
tap.ok(updates() == (1, 1), "one add, one delete", f"{updates()}")
tap.ok(bind.look("_acme-challenge.one.example.test") == [], "nothing is left")



def good(case):
    """Runs of one client, side by side with those of others. Returns what went wrong of the last."""
    number, (what, names, how) = case
    mine = Client(os.path.join(folder, f"good{number}"), pebble)
    run = mine.issue(*names, options=options(**how) if isinstance(how, dict) else how)
    wanted = how.get("more", [])[:1] == ["-v"] if isinstance(how, dict) else False
    fault = "" if run.code == NEW and (not wanted or "alias.acme.example.net in acme.example.net" in run.out) else run.tail()
    if not fault and names[0].startswith("*."):
        stored = os.path.join(mine.state, "_" + names[0][1:])
        fault = "" if os.path.islink(stored) else f"no {stored}"
        run = mine.run("renew", *names, force=True)
        fault = fault or ("" if run.code == NEW else run.tail())
    return what, fault


with open(os.open(os.path.join(folder, "spelled.key"), os.O_CREAT | os.O_WRONLY, 0o600), "w") as f:
    f.write(f"HMAC-SHA256.:tsig_device:{secret}\n")
GOOD = [
    ("a name and its wildcard at once", ["multi.example.test", "*.multi.example.test"], {}),
    ("a wildcard is stored under a name without *, and renewed by what is kept beside it", ["*.wild.example.test"], {}),
    ("an alias is followed, and told", ["alias.example.test"], {"more": ["-v"]}),
    ("record and zone as named", ["named.example.test"],
     {"more": ["--dns-record", "named.acme.example.net", "--dns-zone", "acme.example.net"]}),
    ("the zone that is found is the closest", ["deep.sub.example.test"], {}),
    ("a key in one line, spelled otherwise; two types; a server that is watched", ["two.example.test"],
     ["--challenge", "dns-01,http-01", "--dns-server", f"127.0.0.1:{bind.port}", "--tsig-key", os.path.join(folder, "spelled.key"),
      "--dns-watch", "127.0.0.1"]),
]
for what, fault in pool.map(good, enumerate(GOOD)):
    tap.ok(fault == "", what, fault)
left = bind.look("_acme-challenge.multi.example.test")
tap.ok(left == ["foreign"], "what others have at the name stays", str(left))

for case in refusals:
    what, words, run, took = case.result()
    tap.ok(run.code not in (NEW, USAGE, CONFIG) and words in run.err and took < 60, f"{what}: {words}", run.tail())

for case in checks:
    what, words, line, run = case.result()
    tap.ok("FAILED" in line and words in line and run.code == FAILED, f"check: {what}: {words}", run.out)
added, serial = updates()[0], bind.look("example.test", "SOA")
run = client.run("check", "one.example.test", "*.wild.example.test", "alias.example.test", options=options())
lines = [line for line in run.out.splitlines() if line.startswith("dns-01 ")]
tap.ok(len(lines) == 3 and all(" ok " in line for line in lines) and "alias.acme.example.net in acme.example.net" in lines[2] and run.code == NEW,
       "check: what works", run.out)
now = bind.look("example.test", "SOA")  # BIND has a line in its log for a record that is not there, too
tap.ok(updates()[0] == added and now == serial, "check leaves the zone as it was", f"{added} {updates()} {serial} {now}")
run = client.issue("*.example.test", options=["--challenge", "http-01"])
tap.ok(run.code in (USAGE, CONFIG) and "needs a solver for dns-01" in run.err, "a wildcard without dns-01", run.tail())
run = client.issue("one.example.test", options=["--challenge", "dns-01"])
tap.ok(run.code == USAGE and "--dns-server" in run.err, "dns-01 without a name server", run.tail())
run = client.issue("one.example.test", options=["--dns-server", "::1"])
tap.ok(run.code == USAGE and "--tsig-key" in run.err, "a name server without a key", run.tail())
os.chmod(ours, 0o604)
run = issue("one.example.test")
tap.ok(run.code == CONFIG and "everybody on this machine can read it" in run.err, "a key for everybody", run.tail())
tap.end()
