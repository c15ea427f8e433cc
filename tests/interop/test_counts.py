#!/usr/bin/env python3
"""Requests and connections of one issuance, counted at the server (Debian's Pebble, calm), by each challenge; of a renewal the CA has
suggested (the newest one)."""
# alone: an answer that is late is asked for once more, and requests are counted

import json
import os
import ssl
import subprocess
import sys
import time
import urllib.request

sys.path[:0] = [os.path.dirname(os.path.abspath(__file__)), os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")]
import servers
import tap
from client import DUE_NOT, NEW, Client
from relay import Relay

# RFC 8555 from nothing: directory, newNonce, newAccount, newOrder, authorization, challenge, authorization (valid),
# finalize, order (valid), certificate. The account and the directory are remembered: two less.
FIRST, RENEWAL = 10, 8
# RFC 9773: a look, which is not signed, tells that it is due; then a renewal, on the same connection.
SUGGESTED = 1 + RENEWAL
DAY = 86400

folder = servers.workdir()
authority = servers.Authority(folder, days=365)
have_bind = os.path.exists("/usr/sbin/named")
zone = servers.Zone(os.path.join(folder, "bind"), "example.test") if have_bind else None
pebble = servers.Pebble(folder, authority, resolver=zone)
relay = Relay(pebble.port)
client = Client(folder, pebble, directory=pebble.through(relay))


def counted(what, requests, client=client, **how):
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
by_tls = Client(folder, pebble, directory=pebble.through(relay), tls_port=pebble.tls_port)  # the same state
counted("renewal by tls-alpn-01", RENEWAL, by_tls, force=True)
if not have_bind:
    tap.skip("renewal by dns-01", "BIND 9 is not installed")
else:
    by_dns = ["--challenge", "dns-01", "--dns-server", f"127.0.0.1:{zone.port}", "--tsig-key", zone.key]
    counted("renewal by dns-01", RENEWAL, force=True, options=by_dns)

mark, connections = pebble.mark(), relay.connections
run = client.issue("one.example.test")
tap.ok(run.code == DUE_NOT, "nothing is due just after", run.tail())
tap.ok(relay.connections == connections, "and the CA is not bothered")
tap.ok(pebble.accounts() == 1, "one account in all", pebble.accounts())
tap.ok(pebble.orders() == pebble.issued(), "no order that was not issued for", pebble.orders())


def suggested(pebble, relay, client):
    """A window that is over for the certificate of a name, seen by a client whose clock is ahead: due, but not by its life."""
    name, ahead_s = f"ari{pebble.issued()}.example.test", 50 * DAY
    run = client.issue(name)
    if not tap.ok(run.code == NEW, "a certificate for ninety days", run.tail()):
        return []
    with open(client.path(name, "fullchain.pem")) as f:
        leaf = f.read().split("-----END")[0] + "-----END CERTIFICATE-----\n"
    window = {word: time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + ahead_s - before_s))
              for word, before_s in (("start", 7200), ("end", 3600))}
    urllib.request.urlopen(urllib.request.Request(
        f"https://localhost:{pebble.management}/set-renewal-info/", method="POST",
        data=json.dumps({"certificate": leaf, "ariResponse": json.dumps({"suggestedWindow": window})}).encode()),
        context=ssl.create_default_context(cafile=pebble.ca_file)).read()
    shim = os.path.join(folder, "ahead.so")
    subprocess.run(["cc", "-std=gnu11", "-shared", "-fPIC", f"-DAHEAD_S={ahead_s}", "-o", shim,
                    os.path.join(os.path.dirname(os.path.abspath(__file__)), "clock_ahead.c")], check=True)
    mark, connections = pebble.mark(), relay.connections
    run = client.run("renew", name, prefix=["env", f"LD_PRELOAD={shim}"])
    seen = pebble.requests(mark)
    if any(path.startswith("/chalZ") for _, path in seen) or run.code != NEW:
        tap.ok(run.code == NEW, "a renewal that the CA has suggested", run.tail())
        tap.ok(relay.connections - connections == 1, "takes one handshake, with the look", relay.connections - connections)
        log = pebble.log()[mark:]
        tap.ok(log.count("Added order") == 1 and log.count("is a replacement of") == 1, "and one order, which says what it replaces")
        return seen
    return suggested(pebble, relay, client)


if not os.path.exists(servers.NEWEST_PEBBLE):
    tap.skip("a renewal that the CA has suggested", "no newest Pebble")
else:
    newest = servers.Pebble(os.path.join(folder, "newest"), authority, binary=servers.NEWEST_PEBBLE,
                            config={"profiles": {"default": {"description": "ninety days", "validityPeriod": 90 * DAY}}})
    relay = Relay(newest.port)
    seen = suggested(newest, relay, Client(os.path.join(folder, "ari"), newest, directory=newest.through(relay)))
    tap.ok(len(seen) == SUGGESTED, f"takes {SUGGESTED} requests, the look among them: {len(seen)}", " ".join(f"{m} {p}" for m, p in seen))
    tap.note(" ".join(f"{m} {p}" for m, p in seen))
tap.end()
