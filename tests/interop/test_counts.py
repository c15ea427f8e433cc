#!/usr/bin/env python3
"""Requests and connections of one issuance, counted at the server: Debian's Pebble, calm; and the newest, for renewal information."""
# alone: an answer that is late is asked for once more, and requests are counted

import datetime
import json
import os
import ssl
import subprocess
import sys
import urllib.request

sys.path[:0] = [os.path.dirname(os.path.abspath(__file__)), os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")]
import servers
import tap
from client import DUE_NOT, NEW, Client
from relay import Relay

# RFC 8555 from nothing: directory, newNonce, newAccount, newOrder, authorization, challenge, authorization (valid),
# finalize, order (valid), certificate. The account and the directory are remembered: two less.
FIRST, RENEWAL = 10, 8
LOOK = 1  # renewal information, without a signature; what it tells is done on the same connection

folder = servers.workdir()
pebble = servers.Pebble(folder, servers.Authority(folder))
relay = Relay(pebble.port)
client = Client(folder, pebble, directory=pebble.through(relay))


def counted(what, requests, **how):
    """Even with PEBBLE_AUTHZREUSE=0 Pebble reuses 1 authorization in 100; such a run is shorter, and is done again."""
    seen = []
    while not any(path.startswith("/chalZ") for _, path in seen):
        mark, connections = pebble.mark(), relay.connections
        run = client.issue("one.example.test", **how)
        seen = pebble.requests(mark)
        if run.code != NEW:
            break
    if tap.ok(run.code == NEW, f"{what} issues", run.tail()):
        fault = client.fault(["one.example.test"], pebble.roots())
        tap.ok(not fault, f"{what}: chain, key and names are right", fault)
    tap.ok(len(seen) == requests, f"{what} takes {requests} requests", " ".join(f"{m} {p}" for m, p in seen))
    tap.ok(relay.connections - connections == 1, f"{what} takes one connection", relay.connections - connections)


counted("first run", FIRST)
counted("renewal", RENEWAL, force=True)
tap.note(f"bytes through the relay in both: {relay.up} up, {relay.down} down")

mark, connections = pebble.mark(), relay.connections
run = client.issue("one.example.test")
tap.ok(run.code == DUE_NOT, "nothing is due just after", run.tail())
tap.ok(relay.connections == connections, "and the CA is not bothered")
tap.ok(pebble.accounts() == 1, "one account in all", pebble.accounts())
tap.ok(pebble.orders() == pebble.issued(), "no order that was not issued for", pebble.orders())


def recall(pebble, chain):
    """The CA suggests a window for that certificate that was over an hour ago, as in a mass revocation."""
    now = datetime.datetime.now(datetime.timezone.utc)
    start, end = ((now - datetime.timedelta(hours=h)).strftime("%Y-%m-%dT%H:%M:%SZ") for h in (3, 1))
    with open(chain, encoding="ascii") as f:
        body = {"Certificate": f.read(), "ARIResponse": json.dumps({"suggestedWindow": {"start": start, "end": end}})}
    urllib.request.urlopen(f"https://localhost:{pebble.management}/set-renewal-info/", json.dumps(body).encode(),
                           context=ssl.create_default_context(cafile=pebble.ca_file)).read()


def by_renewal_info():
    """A certificate that is days old by our clock, far from due by its life, and recalled: the look, and what it tells, in one run."""
    at = os.path.join(folder, "newest")
    newest = servers.Pebble(at, servers.Authority(os.path.join(at, "authority"), days=90), binary=servers.NEWEST_PEBBLE,
                            config={"profiles": {"default": {"description": "ninety days", "validityPeriod": 7776000}}})
    relay = Relay(newest.port)
    client = Client(at, newest, directory=newest.through(relay))
    later = os.path.join(at, "later.so")
    subprocess.run(["cc", "-shared", "-fPIC", f"-DAHEAD_S={9 * 86400}", "-o", later,
                    os.path.join(os.path.dirname(os.path.abspath(__file__)), "clock_ahead.c")], check=True)
    seen = []
    while not any(path.startswith("/chalZ") for _, path in seen):  # as above
        client.forget()
        first = client.issue("two.example.test")
        if first.code != NEW:
            tap.ok(False, "a certificate to be recalled", first.tail())
            return
        recall(newest, client.path("two.example.test", "fullchain.pem"))
        mark, connections = newest.mark(), relay.connections
        run = client.run("renew", "two.example.test", prefix=["env", f"LD_PRELOAD={later}"])
        seen = newest.requests(mark)
        if run.code != NEW:
            break
    fault = client.fault(["two.example.test"], newest.roots())
    tap.ok(run.code == NEW and not fault, "renewal by ARI", f"{run.tail()} {fault}")
    tap.ok(len(seen) == LOOK + RENEWAL, f"takes {LOOK + RENEWAL} requests, its look among them", " ".join(f"{m} {p}" for m, p in seen))
    tap.ok(relay.connections - connections == 1, "one connection", relay.connections - connections)


if os.access(servers.NEWEST_PEBBLE, os.X_OK):
    by_renewal_info()
else:
    tap.skip("renewal by ARI", "no newest Pebble: it takes Go 1.24 to build")
tap.end()
