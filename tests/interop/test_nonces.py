#!/usr/bin/env python3
"""Pebble refuses good nonces, up to every second: each issuance still gets through, with one account and one order."""

import concurrent.futures
import os
import sys

sys.path[:0] = [os.path.dirname(os.path.abspath(__file__)), os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")]
import servers
import tap
from client import NEW, Client

RATES, TIMES = (0, 5, 15, 50), 20

folder = servers.workdir()
authority = servers.Authority(folder)


def rate(percent):
    """Twenty first runs, each with nothing remembered."""
    here = os.path.join(folder, str(percent))
    pebble = servers.Pebble(here, authority, env={"PEBBLE_WFE_NONCEREJECT": str(percent)})
    client = Client(here, pebble)
    bad = []
    for i in range(TIMES):
        client.forget()
        run = client.issue(f"n{i}.example.test")
        if run.code != NEW:
            bad.append(run.tail())
        elif fault := client.fault([f"n{i}.example.test"], pebble.roots()):
            bad.append(fault)
    return bad, pebble.accounts(), pebble.orders(), len(pebble.requests())


with concurrent.futures.ThreadPoolExecutor(len(RATES)) as pool:
    for percent, (bad, accounts, orders, requests) in zip(RATES, pool.map(rate, RATES)):
        tap.note("\n".join(bad))
        tap.ok(not bad, f"{percent} % rejected: {TIMES - len(bad)} of {TIMES} issued, {requests / TIMES:.1f} requests each")
        tap.ok(accounts == TIMES, f"{percent} % rejected: one account each", f"{accounts} for {TIMES}")
        tap.ok(orders == TIMES, f"{percent} % rejected: one order each", f"{orders} for {TIMES}")
tap.end()
