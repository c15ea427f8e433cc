#!/usr/bin/env python3
"""A network in between that cuts, delays, splits and damages. A cut costs a reconnect, never an account or a key; what
TLS finds damaged is never believed."""

import concurrent.futures
import os
import sys

sys.path[:0] = [os.path.dirname(os.path.abspath(__file__)), os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")]
import servers
import tap
from client import FAILED, NEW, Client
from relay import Relay

NAME = ["one.example.test"]
# An issuance is about 5500 bytes up and 10000 down; the handshake is the first 250 up and 1300 down.
DOWN, UP = (0, 5, 700, 1500, 2600, 3900, 5200, 6500, 7800, 9000), (1, 240, 700, 1300, 1900, 2600, 3300, 4000, 4700, 5300)

CASES = [
    ("bytes one at a time", {"split": 1}),
    ("20 ms of delay for each piece", {"delay_s": 0.02}),
    *[(f"cut after {n} bytes down", {"cut_down": n, "harmed": 1}) for n in DOWN],
    *[(f"cut after {n} bytes up", {"cut_up": n, "harmed": 1}) for n in UP],
    ("three connections cut after 2000 bytes down", {"cut_down": 2000, "harmed": 3}),
    *[(f"a bit of byte {n} down turned", {"flip": n, "harmed": 1}) for n in (3, 40, 900, 1250, 1400, 4000, 7000)],
]

folder = servers.workdir()
authority = servers.Authority(folder)


def attempt(case):
    """Returns what went wrong ("" nothing) and a remark."""
    number, (_, harm) = case
    try:
        pebble = servers.Pebble(os.path.join(folder, str(number)), authority)
    except servers.Failed as failure:
        return str(failure), ""
    relay = Relay(pebble.port, **harm)
    client = Client(os.path.join(folder, str(number)), pebble, directory=pebble.through(relay))
    run, remark = client.issue(*NAME), ""
    if run.code == FAILED and "flip" in harm:  # damage may look like an attack, which ends a run
        remark = run.tail()
        run = client.issue(*NAME)
    bad = run.code != NEW and run.tail() or client.fault(NAME, pebble.roots())
    if not bad and pebble.accounts() != 1:
        bad = f"{pebble.accounts()} accounts"
    if not bad and pebble.orders() > 1 + harm.get("harmed", 0):
        bad = f"{pebble.orders()} orders"
    if not bad and not harm.get("harmed") and relay.connections != 1:
        bad = f"{relay.connections} connections"
    relay.close()
    pebble.stop()
    return bad, remark


with concurrent.futures.ThreadPoolExecutor(3) as pool:
    for (what, _), (bad, remark) in zip(CASES, pool.map(attempt, enumerate(CASES))):
        tap.ok(not bad, f"{what}: issues", bad)
        if remark:
            tap.note(f"  on the second run; the first: {remark}")
tap.end()
