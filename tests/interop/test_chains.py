#!/usr/bin/env python3
"""Of the chains a CA has for one certificate the one that is asked for: Debian's Pebble and the newest, each with three roots."""

import json
import os
import re
import sys

sys.path[:0] = [os.path.dirname(os.path.abspath(__file__)), os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")]
import servers
import tap
from client import NEW, Client

folder = servers.workdir()
authority = servers.Authority(os.path.join(folder, "authority"))


def names(pebble):
    """Of the roots: the CA's own choice first."""
    found = []
    for pem in re.findall(r"-----BEGIN.*?END CERTIFICATE-----\n", pebble.roots(3), re.S):
        subject = servers.openssl("x509", "-noout", "-subject", "-nameopt", "multiline", text=pem)
        found.append((re.search(r"commonName *= (.*)", subject).group(1), pem))
    return found


def with_pebble(what, binary):
    place = os.path.join(folder, what)
    pebble = servers.Pebble(place, authority, binary=binary,
                            env={"PEBBLE_ALTERNATE_ROOTS": "2", "PEBBLE_CHAIN_LENGTH": "2", "PEBBLE_VA_ALWAYS_VALID": "1"})
    client = Client(place, pebble)
    roots = names(pebble)

    def issue(name, *options):
        mark = pebble.mark()
        run = client.issue(name, json=True, options=options)
        told = [e for e in run.events() if e["event"] == "chain"]
        return run, sum("cert" in path.lower() for _, path in pebble.requests(mark)), told

    run, usual, told = issue("none.example.test")
    tap.ok(run.code == NEW and usual == 1 and not told and not client.fault(["none.example.test"], roots[0][1]),
           f"{what}: without a wish one request and the CA's own choice", run.tail())
    for i, (name, pem) in enumerate(roots):
        host = f"c{i}.example.test"
        run, requests, told = issue(host, "--preferred-chain", name)
        fault = client.fault([host], pem)
        good = run.code == NEW and not fault and requests <= 1 + i and len(told) == 1 and "error" not in told[0]
        tap.ok(good and (requests == 1) == (i == 0), f"{what}: the chain to root {i}, {requests} request(s) for chains",
               f"{run.tail()} {fault} {told}")
    run, requests, told = issue("odd.example.test", "--preferred-chain", "No Such Root")
    fault = client.fault(["odd.example.test"], roots[0][1])
    tap.ok(run.code == NEW and not fault and requests == 3 and [e.get("error") for e in told] == ["ACME_E_CHAIN"],
           f"{what}: where none is that one, the CA's own choice, and that is said", run.tail() + fault + json.dumps(told))
    run = client.issue("odd.example.test", force=True, options=["--preferred-chain", "No Such Root"])
    tap.ok("the CA's own choice: the CA offers no chain as it is wished for" in run.out + run.err, f"{what}: in words", run.out + run.err)
    with open(os.path.join(client.state, ".c2.example.test.conf")) as f:
        tap.ok(f"preferred_chain = {roots[2][0]}\n" in f.read(), f"{what}: it is kept for renewals")
    pebble.stop()


with_pebble("Debian's Pebble", "pebble")
with_pebble("the newest Pebble", servers.NEWEST_PEBBLE)
tap.end()
