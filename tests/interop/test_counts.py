#!/usr/bin/env python3
"""Requests and connections of one issuance, counted at the server (Debian's Pebble, calm)."""
# alone: an answer that is late is asked for once more, and requests are counted

import os
import sys

sys.path[:0] = [os.path.dirname(os.path.abspath(__file__)), os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")]
import servers
import tap
from client import DUE_NOT, NEW, Client
from relay import Relay

# RFC 8555 from nothing: directory, newNonce, newAccount, newOrder, authorization, challenge, authorization (valid),
# finalize, order (valid), certificate. The account and the directory are remembered: two less.
FIRST, RENEWAL = 10, 8

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
tap.end()
