#!/usr/bin/env python3
"""The stack of every board's firmware: computed from the image, painted by a run in the emulator, and what the board has.

test_stack.py [BOARD...] [--ca=rsa|p256|p384]: what the CA's server signs with; the longest tick depends on that.
"""

import json
import os
import sys

sys.path[:0] = [os.path.dirname(os.path.abspath(__file__))]
from machine import BOARDS, GATEWAY, Machine, fetch, image
import servers
import stack
import tap

NAME = "stack.example.test"
EXACT = ("-icount", "shift=0")  # an instruction is a nanosecond, so the board can count them
ABOVE = 1.25  # computed, at most, of what a run paints
KEYS = {"rsa": ("rsa:2048",), **{f"p{size}": ("ec", "-pkeyopt", f"ec_paramgen_curve:P-{size}") for size in (256, 384)}}


def painted(board, elf, folder, pebble):
    """Obtains a certificate, serves the page with it, and asks that for the peak. Returns it and the machine."""
    machine = Machine(board, elf, os.path.join(folder, "run"), pebble.http_port, EXACT)
    try:
        machine.wait_for("port 443", 120)
        roots = os.path.join(folder, "roots.pem")
        with open(roots, "w") as f:
            f.write(pebble.roots())
        fetch(machine, NAME, roots, "/")
        status = json.loads(fetch(machine, NAME, roots, "/status.json"))  # knows of the first one's handshake
        return max(machine.figure("stack_peak"), status["stack_peak"]), machine
    except ValueError as failure:
        raise servers.Failed(f"no page: {failure}") from None
    finally:
        machine.cut()


def measure(board, folder, authority, key):
    pebble = servers.Pebble(os.path.join(folder, "pebble"), authority)
    try:
        elf = image(board, os.path.join(folder, "image"), f"https://{GATEWAY}:{pebble.port}/dir", authority.root, [NAME])
        _, size, trap, chain = stack.analyse(elf)
        peak, machine = painted(board, elf, folder, pebble)
        room, size = machine.figure("stack_size"), size + trap
        tap.note(f"{board}, a CA that signs with {key}: {size} bytes of stack computed ({trap} of them for an interrupt), {peak} painted "
                 f"(x {size / peak:.2f}), {room} there are; {machine.figure('longest_tick_kilo')} thousand instructions in the longest "
                 f"tick, {machine.figure('all_ticks_kilo')} in all ticks of a run")
        tap.note(" > ".join(function.name for function, _ in chain))
        tap.ok(size <= room, f"{board}: the deepest stack fits", f"{size} of {room}")
        tap.ok(peak <= size, f"{board}: no run needs more than what is computed", f"{peak} of {size}")
        if key == "p384":  # the deepest call: a signature on a curve that has no engine of its own
            tap.ok(size <= ABOVE * peak, f"{board}: what is computed is not much more than what a run needs", f"{size}, painted {peak}")
    finally:
        pebble.stop()


def main():
    folder, key = servers.workdir(), next((a[len("--ca="):] for a in sys.argv if a.startswith("--ca=")), "p384")
    authority = servers.Authority(folder, key=KEYS[key])
    for board in [a for a in sys.argv[1:] if not a.startswith("--")] or BOARDS:
        try:
            measure(board, os.path.join(folder, board), authority, key)
        except (servers.Failed, stack.Wrong) as failure:
            tap.ok(False, board, str(failure))


main()
tap.end()
