#!/usr/bin/env python3
"""The lines of port/lwip/README.md, as they stand there, obtain a certificate in the emulator; so does a firmware that does nothing
beside (HEADLESS=1)."""

import os
import sys
import time

sys.path[:0] = [os.path.dirname(os.path.abspath(__file__))]
from machine import GATEWAY, Machine, image
import integration
import servers
import tap

WORDS = {15: "Fifteen"}


def main():
    folder = servers.workdir()
    count = len([line for line in integration.lines().splitlines() if line.strip()])
    with open(integration.PAGE, encoding="utf-8") as f:
        tap.ok(f"{WORDS.get(count, count)} lines:" in f.read(), "the page counts its lines right", count)
    authority = servers.Authority(folder, key=servers.P256)
    pebble = servers.Pebble(os.path.join(folder, "pebble"), authority)
    elf = image(integration.BOARD, os.path.join(folder, "image"), f"https://{GATEWAY}:{pebble.port}/dir", authority.root,
                ["integration.example.test"], make=[f"MAIN={integration.program(os.path.join(folder, 'program'))}"])
    machine = Machine(integration.BOARD, elf, os.path.join(folder, "board"), pebble.http_port)
    status = machine.wait_end(60)
    tap.ok(status == 0 and pebble.issued() == 1, "a firmware of these lines obtains a certificate", f"{status}: {machine.log()[-500:]}")
    headless(folder, pebble, authority)


def rests(folder, seconds=4):
    """Until it has written nothing to its records for a while."""
    def quiet():
        written = max(os.path.getmtime(os.path.join(folder, f)) for f in os.listdir(folder))
        return time.time() - max(written, began) > seconds
    began = time.time()
    servers.until(quiet, "the board resting", 60)


def headless(folder, pebble, authority):
    """It tells nobody anything, so the CA is asked how it was."""
    elf = image(integration.BOARD, os.path.join(folder, "headless"), f"https://{GATEWAY}:{pebble.port}/dir", authority.root,
                ["headless.example.test"], make=["HEADLESS=1"])
    machine = Machine(integration.BOARD, elf, os.path.join(folder, "alone"), pebble.http_port)
    servers.until(lambda: pebble.issued() == 2 and pebble.requests()[-1][1].startswith("/certZ/"),
                  "the headless firmware fetching its certificate", 60)
    rests(os.path.join(folder, "alone"))  # it has been put into use
    machine.cut()
    words = [line for line in machine.log().splitlines() if line.strip() and not line.startswith("Timer with period zero")]  # QEMU's
    tap.ok(not words, "a firmware without words obtains one as well, and says nothing", words)
    asked = len(pebble.requests())
    again = Machine(integration.BOARD, elf, os.path.join(folder, "alone"), pebble.http_port)
    rests(os.path.join(folder, "alone"))
    again.cut()
    paths = [path for _, path in pebble.requests()[asked:]]
    tap.ok(not [p for p in paths if not p.startswith(("/dir", "/draft-ietf-acme-ari"))], "its next boot finds it, and orders none", paths)


servers.play(main, "the lines of the page")
