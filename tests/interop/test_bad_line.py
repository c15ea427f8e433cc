#!/usr/bin/env python3
"""A bad line between client and CA: cut, slow, in pieces, with bits turned. An issuance ends with a good pair or with an
error, never with a wrong result, and never takes a second account."""

import concurrent.futures
import os
import sys
import threading

sys.path[:0] = [os.path.dirname(os.path.abspath(__file__)), os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")]
import servers
import tap
from client import FAILED, NEW, Client
from relay import Relay

CONNECTIONS = 45  # the most one run may take: a request is tried four times, and there are eleven
NAME = "relay.example.test"
PLACES = 25  # in each direction
FLIPS = 16

folder = servers.workdir()
authority = servers.Authority(os.path.join(folder, "authority"), key=servers.P256)


class Flipper(Relay):
    """Turns one bit, once: of the byte at `at` of all that goes `way`."""

    def __init__(self, target, way, at):
        super().__init__(target)
        self.way, self.at = way, at

    def _send(self, sink, data, way):
        start = getattr(self, way)
        if way == self.way and start <= self.at < start + len(data):
            data = bytearray(data)
            data[self.at - start] ^= 0x10
        super()._send(sink, data, way)


def spread(count, length):
    return [1 + i * (length - 2) // (count - 1) for i in range(count)]


class Line:
    """A Pebble of its own for each worker: two clients cannot answer on one validation port at once."""

    _free = []
    _lock = threading.Lock()
    _made = 0

    def __enter__(self):
        with Line._lock:
            if Line._free:
                self.pebble, self.roots = Line._free.pop()
                return self
            Line._made += 1
            here = os.path.join(folder, f"pebble{Line._made}")
        self.pebble = servers.Pebble(here, authority)
        self.roots = self.pebble.roots()
        return self

    def __exit__(self, *_):
        with Line._lock:
            Line._free.append((self.pebble, self.roots))


def attempt(what, make_relay, may_fail=False):
    """One first issuance over a bad line; when that failed, one more over a good one. "" when all is well."""
    with Line() as line:
        pebble = line.pebble
        here = os.path.join(folder, what.replace(" ", "-"))
        accounts = pebble.accounts()
        relay = make_relay(pebble.port)
        client = Client(here, pebble, directory=pebble.through(relay))
        run = client.issue(NAME)
        connections = relay.connections
        chain = client.path(NAME, "fullchain.pem")
        bad = ""
        if run.code not in ((NEW, FAILED) if may_fail else (NEW,)):
            bad = run.tail()
        elif "Sanitizer" in run.err:
            bad = run.err[:1000]
        elif run.code == NEW or os.path.exists(chain):
            bad = client.fault([NAME], line.roots)
        if not bad and connections > CONNECTIONS:
            bad = f"{connections} connections"
        relay.harmed, relay.at = 0, -1
        if not bad and run.code != NEW:
            run = client.issue(NAME)
            bad = run.tail() if run.code != NEW else client.fault([NAME], line.roots)
        relay.close()
        if not bad and pebble.accounts() != accounts + 1:
            bad = f"{pebble.accounts() - accounts} accounts"
        return f"{what}: {bad}" if bad else ""


def measure():
    """How many bytes one issuance takes, down and up."""
    with Line() as line:
        relay = Relay(line.pebble.port)
        client = Client(os.path.join(folder, "measure"), line.pebble, directory=line.pebble.through(relay))
        run = client.issue(NAME)
        tap.ok(run.code == NEW and relay.connections == 1, "over a good line: one connection", run.tail())
        return relay.down, relay.up


down, up = measure()
tap.note(f"{down} bytes down, {up} up")


def cut(way, at, cuts):
    return lambda port: Relay(port, **{f"cut_{way}": at}, harmed=cuts)


def flip(way, at):
    return lambda port: Flipper(port, way, at)


GROUPS = {
    f"cut once on its way down, at {PLACES} places: issues":
        [(f"down {n}", cut("down", n, 1)) for n in spread(PLACES, down)],
    f"cut once on its way up, at {PLACES} places: issues":
        [(f"up {n}", cut("up", n, 1)) for n in spread(PLACES, up)],
    "cut three times, at 6 places: issues":
        [(f"thrice {way} {n}", cut(way, n, 3)) for way, length in (("down", down), ("up", up)) for n in spread(3, length)],
    "every connection cut, at 6 places: ends, and the next run over a good line issues":
        [(f"always {way} {n}", cut(way, n, None), True) for way, length in (("down", down), ("up", up))
         for n in spread(3, length)],
    "one byte in a segment: issues": [("split 1", lambda port: Relay(port, split=1))],
    "7 bytes in a segment: issues": [("split 7", lambda port: Relay(port, split=7))],
    "every piece 50 ms late: issues": [("late", lambda port: Relay(port, delay_s=0.05))],
    f"one bit turned on its way down, at {FLIPS} places: an error or a good pair":
        [(f"flip down {n}", flip("down", n), True) for n in [3, *spread(FLIPS - 1, down)]],
    f"one bit turned on its way up, at {FLIPS} places: an error or a good pair":
        [(f"flip up {n}", flip("up", n), True) for n in [3, *spread(FLIPS - 1, up)]],
    "the same byte of every connection damaged: an error, and the next run over a good line issues":
        [(f"always flip {n}", lambda port, n=n: Relay(port, flip=n), True) for n in (60, 400, 700)],
}

with concurrent.futures.ThreadPoolExecutor(4) as pool:
    results = {what: [pool.submit(attempt, *case) for case in cases] for what, cases in GROUPS.items()}
    for what, futures in results.items():
        bad = [bad for f in futures if (bad := f.result())]
        tap.ok(not bad, what, "; ".join(bad).replace("\n", " ")[:1500])
tap.end()
