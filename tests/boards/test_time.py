#!/usr/bin/env python3
"""A board that gets its time from SNTP: it waits until it has one, and does not believe every one."""

import os
import sys
import time

sys.path[:0] = [os.path.dirname(os.path.abspath(__file__))]
from machine import GATEWAY, Machine, image
from ntp import TimeServer
import servers
import tap

BOARD = sys.argv[1] if len(sys.argv) > 1 else "mps2-an385"
DONE = r"port 443|no page|failed at|cannot begin"
Y2001 = 978307200
Y2040 = 2208988800
FLOOR = 1767225600  # ACME_UTC_FLOOR


def asks_nobody(machine, pebble):
    return "TLS with" not in machine.log() and pebble.accounts() == 0 and pebble.orders() == 0


class Doubter:
    """A board whose time server says 2040 at first: the CA's certificate has expired then, as it seems. Its minute until the
    next run passes while the other board has its scenes."""

    def __init__(self, folder, authority):
        self.pebble = servers.Pebble(os.path.join(folder, "pebble"), authority)
        self.clock = TimeServer(lambda: Y2040)
        elf = image(BOARD, os.path.join(folder, "image"), f"https://{GATEWAY}:{self.pebble.port}/dir", authority.root,
                    ["board.example.test"], make=[f"SNTP={GATEWAY}", f"SNTP_PORT={self.clock.port}"])
        self.machine = Machine(BOARD, elf, os.path.join(folder, "records"), self.pebble.http_port)
        self.machine.wait_for("failed at")
        self.clock.tell(time.time)

    def end(self):
        self.machine.wait_for("a new certificate|cannot begin", 180)
        log = self.machine.log()
        tap.ok("the time is 2040" in log and "in doubt" in log and "the time is 202" in log and self.pebble.issued() == 1,
               "a time at which the CA's certificate seems to have expired is asked for again before the next run", log[-600:])
        self.machine.cut()
        self.pebble.stop()


def scenes(folder):
    authority = servers.Authority(folder, key=servers.P256)
    doubter = Doubter(os.path.join(folder, "doubter"), authority)
    pebble = servers.Pebble(os.path.join(folder, "pebble"), authority)
    clock = TimeServer()
    elf = image(BOARD, os.path.join(folder, "image"), f"https://{GATEWAY}:{pebble.port}/dir", authority.root,
                ["board.example.test"], make=[f"SNTP={GATEWAY}", f"SNTP_PORT={clock.port}"])
    here = os.path.join(folder, "records")

    machine = Machine(BOARD, elf, here, pebble.http_port)
    machine.wait_for("no time yet")
    servers.until(lambda: clock.asked > 0, "the board asking for the time")
    tap.ok(asks_nobody(machine, pebble) and "the time is" not in machine.log(), "without a time the board waits", machine.log())
    clock.tell(lambda: Y2001)
    machine.wait_for("not believed: 2001-01-01")
    tap.ok(asks_nobody(machine, pebble) and "the time is" not in machine.log(), "a time in 2001 is not believed", machine.log())
    clock.tell(time.time)
    machine.wait_for(DONE, 120)  # it asks again after 15 seconds
    tap.ok("the time is 20" in machine.log() and "a new certificate" in machine.log() and pebble.issued() == 1,
           "with the right time it obtains a certificate", machine.log()[-400:])
    machine.cut()

    # Above the build date, but before the certificate was made.
    asked = clock.asked
    clock.tell(lambda: FLOOR + 86400)
    machine = Machine(BOARD, elf, here, pebble.http_port)
    machine.wait_for("not believed: 2026-01-02")
    tap.ok("the time is" not in machine.log(), "nor is a time before its certificate was made", machine.log())
    clock.tell(time.time)
    machine.wait_for(DONE, 120)
    tap.ok("nothing to do" in machine.log() and clock.asked >= asked + 2 and pebble.issued() == 1,
           "with the right one it finds its pair", machine.log()[-400:])
    machine.cut()
    pebble.stop()
    doubter.end()


servers.play(scenes, BOARD, servers.workdir())
