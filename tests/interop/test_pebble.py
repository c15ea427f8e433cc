#!/usr/bin/env python3
"""Pebble's moods, Debian's and the newest: reused authorizations, slow validation, chains of any length, many names,
strict mode, Retry-After in both forms. What each does when calm: test_matrix.py."""

import concurrent.futures
import os
import sys

sys.path[:0] = [os.path.dirname(os.path.abspath(__file__)), os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")]
import servers
import tap
from client import NEW, Client

ALTERNATES = 2
ONE = ["one.example.test"]
EIGHT = [f"name{i}.example.test" for i in range(8)]
RETRY_AFTER = {"retryAfter": {"authz": 1, "order": 2}}
NEWEST = {"binary": servers.NEWEST_PEBBLE}

# what, names, times, how to start Pebble
CASES = [
    *[(f"authorizations reused {p} %", ONE, 4, {"env": {"PEBBLE_AUTHZREUSE": str(p)}}) for p in (50, 100)],
    *[(f"chain length {n} with alternates", ONE, 1,
       {"env": {"PEBBLE_CHAIN_LENGTH": str(n), "PEBBLE_ALTERNATE_ROOTS": str(ALTERNATES)}}) for n in (2, 3)],  # with 0 every Pebble up to 2.10.1 panics at its start
    ("validation sleeps up to 3 s", ONE, 2, {"env": {"PEBBLE_VA_NOSLEEP": None, "PEBBLE_VA_SLEEPTIME": "3"}}),
    ("everything at Pebble's defaults", ONE, 2, {"env": {k: None for k in servers.CALM}}),
    ("eight names", EIGHT, 1, {}),
    ("eight names, reused", EIGHT, 2, {"env": {"PEBBLE_AUTHZREUSE": "50"}}),
    ("strict", ONE, 2, {"arguments": ["-strict"]}),
    ("newest Pebble, strict", ONE, 2, {**NEWEST, "arguments": ["-strict"]}),
    ("newest Pebble, Retry-After in seconds and as date", ONE, 6, {**NEWEST, "config": RETRY_AFTER}),
    ("newest Pebble, P-256 hierarchy, eight names", EIGHT, 1, {**NEWEST, "config": {"keyAlgorithm": "ecdsa"}}),
    ("newest Pebble, everything at its defaults", ONE, 2, {**NEWEST, "env": {k: None for k in servers.CALM},
                                                           "config": RETRY_AFTER}),
]

folder = servers.workdir()
authority = servers.Authority(folder)


def attempt(case):
    """Returns what went wrong; "" nothing."""
    try:
        return run_case(*case)
    except servers.Failed as failure:
        return str(failure)


def run_case(number, case):
    what, names, times, how = case
    here = os.path.join(folder, str(number))
    pebble = servers.Pebble(here, authority, **how)
    client = Client(here, pebble)
    roots = pebble.roots(ALTERNATES + 1 if "alternates" in what else 1)
    bad = ""
    for turn in range(times):
        run = client.issue(*names, force=turn > 0)
        bad = bad or (run.code != NEW and run.tail()) or client.fault(names, roots)
    if pebble.accounts() != 1 or pebble.orders() != times:
        bad = bad or f"{pebble.accounts()} accounts, {pebble.orders()} orders in {times} runs"
    pebble.stop()
    return bad


have_newest = os.access(servers.NEWEST_PEBBLE, os.X_OK)
cases = [(n, c) for n, c in enumerate(CASES) if have_newest or c[3].get("binary") != servers.NEWEST_PEBBLE]
with concurrent.futures.ThreadPoolExecutor(3) as pool:
    for (_, case), bad in zip(cases, pool.map(attempt, cases)):
        tap.ok(not bad, f"{case[0]}: issues" + (f" {case[2]} times" if case[2] > 1 else ""), bad)
for case in CASES:
    if case not in [c for _, c in cases]:
        tap.skip(case[0], "no newest Pebble: it takes Go 1.24 to build")
tap.end()
