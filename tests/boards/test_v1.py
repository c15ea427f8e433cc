#!/usr/bin/env python3
"""A board made with V1=1, against Boulder as it was in December 2016, behind TLS: obtains, finds its pair again, resumes."""

import os
import sys
import time

sys.path[:0] = [os.path.dirname(os.path.abspath(__file__))]
from machine import GATEWAY, Machine, image
import servers
import tap
from boulder16 import Boulder
from ntp import TimeServer

BOARD, NAME = "lm3s6965evb", "board.example.test"
DONE = r"port 443|no page|failed at|cannot begin"


def boot(boulder, elf, folder):
    machine = Machine(BOARD, elf, folder, boulder.http_port)
    machine.wait_for(DONE)
    return machine


folder = servers.workdir()
authority = servers.Authority(folder, key=servers.P256)
boulder = Boulder(os.path.join(folder, "boulder"), authority=authority, host=GATEWAY, delay_s=0.7)
clock = TimeServer(time.time)
try:
    elf = image(BOARD, os.path.join(folder, "image"), boulder.directory, authority.root, [NAME],
                make=("V1=1", f"SNTP={GATEWAY}", f"SNTP_PORT={clock.port}"))
    here = os.path.join(folder, "first")
    machine = boot(boulder, elf, here)
    asked = [code for _, path, code in boulder.requests if path == "/acme/new-cert"]
    tap.ok("a new certificate" in machine.log() and len(boulder.certificates) == 1, "obtains a certificate", machine.log()[-400:])
    tap.ok(asked == [201] and boulder.validated == [True], "asked for when the authorization is valid, once", asked)
    tap.ok(machine.figure("handshakes") == 1, "one TLS handshake", machine.figure("handshakes"))
    machine.cut()
    before = len(boulder.requests)
    machine = boot(boulder, elf, here)
    tap.ok("nothing to do" in machine.log() and len(boulder.requests) == before, "a second boot asks nobody", machine.log()[-400:])
    machine.cut()

    here = os.path.join(folder, "cut")
    boulder.reuse, boulder.certificates[:] = False, []
    boulder.ready.clear()  # nothing is validated while this is off
    authorizations = len(boulder.authz)
    machine = Machine(BOARD, elf, here, boulder.http_port)
    machine.wait_for("stored: order")
    machine.cut()
    boulder.ready.set()
    before = len(boulder.requests)
    machine = boot(boulder, elf, here)
    tap.ok("next attempt" in machine.log() and len(boulder.requests) == before,
           "power lost with an authorization under way: nothing is asked for at once", machine.log()[-400:])
    machine.cut()
    clock.tell(lambda: time.time() + 120)  # the first wait is a minute by the clock, and a tenth more by chance
    machine = boot(boulder, elf, here)
    tap.ok("a new certificate" in machine.log() and len(boulder.authz) == authorizations + 1 and len(boulder.certificates) == 1,
           "two minutes later that authorization is taken up", machine.log()[-400:])
    machine.cut()
except servers.Failed as failure:
    tap.ok(False, "a board with ACME v1", str(failure))
boulder.stop()
tap.end()
