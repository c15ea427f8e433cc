#!/usr/bin/env python3
"""The small build: all of it in 32 KiB of RAM, stack included, and it still obtains and serves. A CA whose TLS records are
too large for it is refused, in words that name the option to change."""

import os
import sys

sys.path[:0] = [os.path.dirname(os.path.abspath(__file__))]
from machine import GATEWAY, Machine, fetch, image
import servers
import tap

NAME, BOARD, KIB = "small.example.test", "lm3s6965evb", 1024
DONE = "port 443|no page|failed at|cannot begin"


def large_record(folder, authority):
    """Pebble's TLS is Go's, which does not know of small records: it sends them as large as its answers allow, here a chain."""
    pebble = servers.Pebble(os.path.join(folder, "pebble-large"), authority, env={"PEBBLE_CHAIN_LENGTH": "8"})
    for make, words in (["SMALL=1"], "needs FIRMWARE_RECORD_BUFFER as large as ACME_TLS_BUFFER_MIN: build without SMALL=1"), ([], "a new certificate"):
        here = os.path.join(folder, "large" + "".join(make))
        elf = image(BOARD, here, f"https://{GATEWAY}:{pebble.port}/dir", authority.root, [NAME], make=make)
        machine = Machine(BOARD, elf, here, pebble.http_port)
        machine.wait_for(DONE)
        machine.wait_for(r"\] handshakes \d")
        tap.ok(words in machine.log(), f"a CA with large records, {' '.join(make) or 'full buffer'}: {words}", machine.log()[-600:])
        machine.cut()
    pebble.stop()


def main():
    folder = servers.workdir()
    authority = servers.Authority(folder, key=servers.P256)
    large_record(folder, authority)
    pebble = servers.Pebble(os.path.join(folder, "pebble"), authority)
    elf = image(BOARD, os.path.join(folder, "image"), f"https://{GATEWAY}:{pebble.port}/dir", authority.root, [NAME],
                make=["SMALL=1"])
    machine = Machine(BOARD, elf, os.path.join(folder, "board"), pebble.http_port)
    machine.wait_for(DONE)
    tap.ok("a new certificate" in machine.log(), "obtains a certificate", machine.log()[-500:])
    ram, stack, peak = (machine.figure(w) for w in ("ram", "stack_size", "stack_peak"))
    tap.ok(ram and stack and ram + stack <= 32 * KIB, "32 KiB of RAM, stack included", f"{ram} + {stack}")
    tap.ok(peak and peak < stack, "and the stack was deep enough", f"{peak} of {stack}")
    roots = pebble.roots_file()
    page = fetch(machine, NAME, roots, "/status.json")
    tap.ok(NAME in page, "serves its status", page)


servers.play(main, "the small build")
