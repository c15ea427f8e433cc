#!/usr/bin/env python3
"""Certificates for addresses (RFC 8738) from Debian's Pebble, and from the newest one at a URL that is an address."""

import os
import sys

sys.path[:0] = [os.path.dirname(os.path.abspath(__file__)), os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")]
import servers
import tap
from client import DUE_NOT, FAILED, NEW, USAGE, Client

V4, V6, NAME = "127.0.0.1", "::1", "gw.example.test"
MIXED = ["127.0.0.9", V6, NAME, "127.0.0.2"]  # unsorted: the CA compares their order


def issued(what, client, server, names, **how):
    run = client.issue(*names, **how)
    fault = run.tail() if run.code != NEW else client.fault(names, server.roots())
    tap.ok(not fault, what, fault)


def debian(folder):
    """At a name, issuing for addresses."""
    pebble = servers.Pebble(os.path.join(folder, "debian"), servers.Authority(os.path.join(folder, "debian")))
    client = Client(os.path.join(folder, "client"), pebble)
    issued("an IPv4 address", client, pebble, [V4])
    issued("an IPv6 address", client, pebble, [V6])
    issued("addresses beside a name", client, pebble, MIXED)
    files = sorted(os.listdir(client.state))
    tap.ok({V4, "__1", MIXED[0]} <= set(files) and not any(":" in f for f in files), "file names without colons", str(files))
    run = client.run("issue", V6)
    tap.ok(run.code == DUE_NOT, "nothing is due: the certificate is for the address", run.tail())
    run = client.run("status", json=True)
    told = {e["certificate"]: sorted(e.get("names", [])) for e in run.events() if e["event"] == "certificate"}
    tap.ok(told == {V4: [V4], V6: [V6], MIXED[0]: sorted(MIXED)}, "status lists them as they were asked for", run.tail())
    run = client.run("renew", V6, force=True)
    tap.ok(run.code == NEW and not client.fault([V6], pebble.roots()), "renewed by its name", run.tail())
    os.remove(os.path.join(client.state, f".{MIXED[0]}.conf"))
    run = client.run("renew", MIXED[0], force=True)
    fault = client.fault(MIXED, pebble.roots())
    tap.ok(run.code == NEW and not fault, "renewed by the names in its certificate", fault + run.tail())
    run = client.run("remove", V6, options=("--yes",))
    tap.ok(run.code == NEW and not any("__1" in f for f in os.listdir(client.state)), "removed", run.tail())
    pebble.stop()


def newest(folder):
    """At addresses, with a certificate for these only."""
    here = os.path.join(folder, "newest")
    pebble = servers.Pebble(here, servers.Authority(here, names=(f"IP:{V4}", f"IP:{V6}")), binary=servers.NEWEST_PEBBLE,
                            listen="[::]")
    for host in (V4, f"[{V6}]"):
        at = os.path.join(folder, "at" + str(len(host)))
        client = Client(at, pebble, directory=f"https://{host}:{pebble.port}/dir")
        run = client.issue(V4, V6, "a." + NAME)
        tap.ok(run.code == NEW, f"the CA at https://{host}", run.tail())
    run = Client(os.path.join(folder, "name"), pebble).issue(NAME)
    tap.ok(run.code == FAILED and "another name" in run.err, "by its name it is refused", run.tail())
    run = Client(os.path.join(folder, "other"), pebble, directory=f"https://127.0.0.2:{pebble.port}/dir").issue(NAME)
    tap.ok(run.code == FAILED and "another name" in run.err, "at another address, too", run.tail())
    pebble.stop()


def bad(folder):
    """Refused before anybody is asked, with the text to write."""
    class Nobody:
        directory, ca_file, http_port = "https://localhost:1/", "/dev/null", 1
    for word, text in (("2001:DB8::1", "write 2001:db8::1"), ("2001:db8:0:0:0:0:0:1", "write 2001:db8::1"), ("[::1]", "write ::1"),
                       ("::ffff:10.0.0.1", "write 10.0.0.1"), ("10.0.0.01", "without leading zeros")):
        run = Client(os.path.join(folder, "bad"), Nobody).issue(word)
        tap.ok(run.code == USAGE and text in run.err, f"{word} is refused", run.tail())


def main():
    at = servers.workdir()
    bad(at)
    debian(at)
    if os.path.exists(servers.NEWEST_PEBBLE):
        newest(at)
    else:
        tap.skip("the newest Pebble at an address", "it is not there: tests/deps.sh check")


servers.play(main, "certificates for addresses")
