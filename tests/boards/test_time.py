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
FLOOR = 1767225600  # ACME_UTC_FLOOR


def asks_nobody(machine, pebble):
    return "TLS with" not in machine.log() and pebble.accounts() == 0 and pebble.orders() == 0


def scenes(folder):
    authority = servers.Authority(folder, key=("ec", "-pkeyopt", "ec_paramgen_curve:P-256"))
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
    tap.ok("not due" in machine.log() and clock.asked >= asked + 2 and pebble.issued() == 1,
           "with the right one it finds its pair", machine.log()[-400:])
    machine.cut()
    pebble.stop()


try:
    scenes(servers.workdir())
except servers.Failed as failure:
    tap.ok(False, BOARD, str(failure))
tap.end()
