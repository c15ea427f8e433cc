#!/usr/bin/env python3
"""The board's http-01 responder beside crowds that want to keep the CA out. Pebble looks three times, each up to two seconds after it
was asked; the crowd is there before. lwIP has no queue: QEMU asks again after 6 s for a connection that found no slot, and
Pebble gives up after 10 s. So not every boot has its certificate: two of three had, on a machine that was busy (8 of 12, 2026-11).
Here it is one of six.
With a number, so many boots of each, and every pace: test_crowd_board.py 3 tells how many were issued."""
# alone: Pebble and the emulator's network give up after a time that is real

import itertools
import os
import sys
import time

sys.path[:0] = [os.path.dirname(os.path.abspath(__file__))]
from machine import GATEWAY, Machine, image
import servers
import tap
from crowd import Crowd

NAME, BOARD = "crowd.example.test", "lm3s6965evb"
PATH = "GET /.well-known/acme-challenge/"
ALL = itertools.product((8, 40, 200), (0.1, 0.3, 1, 5), ("", "GET /", PATH))
SOME = ((8, 0.3, "GET /"), (40, 0.2, ""), (40, 1, PATH))


def main(times):
    folder = servers.workdir()
    authority = servers.Authority(folder, key=servers.P256)
    pebble = servers.Pebble(os.path.join(folder, "pebble"), authority, env={"PEBBLE_VA_NOSLEEP": None, "PEBBLE_VA_SLEEPTIME": "3"})
    elf = image(BOARD, os.path.join(folder, "image"), f"https://{GATEWAY}:{pebble.port}/dir", authority.root, [NAME])
    for count, pause_s, first in ALL if times else SOME:
        crowd = Crowd(pebble.http_port, count, pause_s, first)
        issued, boots, longest, log = 0, 0, 0, ""
        while boots < times or (not times and not issued and boots < 6):
            began = time.monotonic()
            machine = Machine(BOARD, elf, os.path.join(folder, f"{count}-{pause_s}-{len(first)}-{boots}"), pebble.http_port)
            issued += "new" in machine.wait_for("a new certificate is in use|failed at", 90).group()
            longest = max(longest, time.monotonic() - began)
            boots += 1
            log = machine.log()
            machine.cut()
        crowd.stop()
        tap.ok(issued >= (times or 1), f"{count} visitors, a byte each {pause_s} s, behind '{first}': {issued} of {boots} issued, the longest "
               f"run took {longest:.1f} s", log[-600:])


servers.play(main, "the CA beside a crowd", int(sys.argv[1]) if len(sys.argv) > 1 else 0)
