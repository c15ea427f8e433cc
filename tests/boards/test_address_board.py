#!/usr/bin/env python3
"""A board made with ADDRESSES=1: a certificate for its address, from a CA whose own host is one."""

import os
import sys

sys.path[:0] = [os.path.dirname(os.path.abspath(__file__))]
from machine import GATEWAY, Machine, fetch, image
import servers
import tap

# The address at which the CA finds the board: the emulator passes that port on.
BOARD, NAME, KIB = "lm3s6965evb", "127.0.0.1", 1024


def main():
    folder = servers.workdir()
    authority = servers.Authority(folder, names=("DNS:localhost", f"IP:{GATEWAY}"), key=servers.P256)
    pebble = servers.Pebble(os.path.join(folder, "pebble"), authority)
    elf = image(BOARD, os.path.join(folder, "image"), f"https://{GATEWAY}:{pebble.port}/dir", authority.root, [NAME], tls_name="",
                make=["ADDRESSES=1"])
    machine = Machine(BOARD, elf, os.path.join(folder, "board"), pebble.http_port)
    machine.wait_for("port 443|no page|failed at|cannot begin")
    tap.ok("a new certificate" in machine.log(), "obtains a certificate", machine.log()[-500:])
    size = sum(map(int, servers.subprocess.run(["arm-none-eabi-size", elf], capture_output=True, text=True, check=True)
                   .stdout.splitlines()[1].split()[:2]))
    ram, stack, peak = (machine.figure(w) for w in ("ram", "stack_size", "stack_peak"))
    tap.ok(size <= 256 * KIB and ram + stack <= 64 * KIB and peak < stack, f"inside the chip: {size} bytes of flash, {ram + stack} of RAM")
    wrong = machine.as_told("ADDRESSES=1")
    tap.ok(not wrong, "as boards/README.md tells", wrong)
    roots = pebble.roots_file()
    page = fetch(machine, NAME, roots, "/status.json")
    tap.ok(f'"{NAME}"' in page, "serves its page, whose certificate is for the address", page)


servers.play(main, "a board with addresses")
