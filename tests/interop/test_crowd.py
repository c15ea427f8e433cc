#!/usr/bin/env python3
"""The program's own http-01 responder beside crowds that want to keep the CA out, against Pebble, which looks three times, each up to
two seconds after it was asked: the crowd is there before.
With numbers, so many runs of each, and every pace: test_crowd.py 100 tells how many were issued."""

# alone: it counts the seconds a validator waits in a crowd
import itertools
import os
import sys
import time

sys.path[:0] = [os.path.dirname(os.path.abspath(__file__)), os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")]
import servers
import tap
from client import NEW, Client
from crowd import Crowd

PATH = "GET /.well-known/acme-challenge/"
ALL = itertools.product((8, 40, 200), (0.1, 0.3, 1, 5), ("", "GET /", PATH))
SOME = ((8, 0.3, ""), (40, 0.2, ""), (40, 5, PATH), (200, 0.1, PATH), (200, 1, "GET /"), (200, 5, ""))


def main(times):
    folder = servers.workdir()
    pebble = servers.Pebble(os.path.join(folder, "pebble"), servers.Authority(folder),
                            env={"PEBBLE_VA_NOSLEEP": None, "PEBBLE_VA_SLEEPTIME": "3"})
    for count, pause_s, first in ALL if times else SOME:
        crowd = Crowd(pebble.http_port, count, pause_s, first)
        issued, longest, last = 0, 0, None
        for turn in range(times or 1):
            client = Client(os.path.join(folder, f"{count}-{pause_s}-{len(first)}-{turn}"), pebble)
            began = time.monotonic()
            last = client.issue(f"n{turn}.example.test")
            longest = max(longest, time.monotonic() - began)
            issued += last.code == NEW
        crowd.stop()
        tap.ok(issued == (times or 1) and longest < 60, f"{count} visitors, a byte each {pause_s} s, behind '{first}': {issued} of {times or 1} "
               f"issued, the longest run took {longest:.1f} s", last.tail())


servers.play(main, "the CA beside a crowd", int(sys.argv[1]) if len(sys.argv) > 1 else 0)
