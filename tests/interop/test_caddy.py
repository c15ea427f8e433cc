#!/usr/bin/env python3
"""Caddy's acme_server: another CA's code (smallstep's), always synchronous, a P-256 chain."""

import os
import sys

sys.path[:0] = [os.path.dirname(os.path.abspath(__file__)), os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")]
import servers
import tap
from client import DUE_NOT, NEW, Client

NAMES = ["gateway.example.test", "second.example.test"]

if reason := servers.enter_namespace(NAMES):
    tap.skip("Caddy", reason)
    tap.end()

folder = servers.workdir()
caddy = servers.Caddy(folder)
client = Client(folder, caddy)

for what, names, how in [("Caddy: first run", NAMES[:1], {}), ("Caddy: renewal", NAMES[:1], {"force": True}),
                         ("Caddy: two names", NAMES[::-1], {})]:
    run = client.issue(*names, **how)
    if tap.ok(run.code == NEW, f"{what} issues", run.tail()):
        fault = client.fault(names, caddy.roots())
        tap.ok(not fault, f"{what}: chain, key and names are right", fault)
run = client.issue(*NAMES[:1])
tap.ok(run.code == DUE_NOT, "Caddy: a certificate of 12 hours is not due at once", run.tail())
accounts = sum(uri.endswith("/new-account") for _, uri in caddy.requests())
tap.ok(accounts == 1, "Caddy: one account", accounts)
tap.end()
