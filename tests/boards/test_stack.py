#!/usr/bin/env python3
"""The stack of every board's firmware: computed from the image, painted by a run in the emulator, and what the board has."""

import json
import os
import subprocess
import sys

sys.path[:0] = [os.path.dirname(os.path.abspath(__file__))]
from machine import BOARDS, GATEWAY, Machine, image
import servers
import stack
import tap

NAME = "stack.example.test"
ABOVE = 1.25  # computed, at most, of what a run paints


def painted(board, elf, folder, pebble):
    """Obtains a certificate, serves the page with it, and asks that for the peak."""
    machine = Machine(board, elf, os.path.join(folder, "run"), pebble.http_port, ("-icount", "shift=0"))
    try:
        machine.wait_for("port 443", 120)
        roots = os.path.join(folder, "roots.pem")
        with open(roots, "w") as f:
            f.write(pebble.roots())
        status = {}
        for _ in range(2):  # the second answer knows of the first one's handshake
            done = subprocess.run(["curl", "-sS", "--fail", "--max-time", "30", "--cacert", roots, "--resolve",
                                   f"{NAME}:{machine.https_port}:127.0.0.1", f"https://{NAME}:{machine.https_port}/status.json"],
                                  capture_output=True, text=True)
            status = json.loads(done.stdout) if done.returncode == 0 else {}
        return max(machine.figure("stack_peak"), status.get("stack_peak", 0)), machine.figure("stack_size")
    finally:
        machine.cut()


def measure(board, folder, authority, table, images):
    pebble = servers.Pebble(os.path.join(folder, "pebble"), authority)
    try:
        elf = image(board, os.path.join(folder, "image"), f"https://{GATEWAY}:{pebble.port}/dir", authority.root, [NAME])
        try:
            found, size, trap, chain = stack.analyse(elf, table)
        except stack.Wrong as wrong:
            tap.ok(False, f"{board}: every call is followed, and none comes back", str(wrong))
            return
        images.append(found)
        tap.ok(True, f"{board}: every call is followed, and none comes back")
        peak, room = painted(board, elf, folder, pebble)
        print(f"# {board}: computed {size} + {trap} for an interrupt = {size + trap}, painted {peak} (x {(size + trap) / peak:.2f}), "
              f"the board has {room}")
        print("#   " + " > ".join(function.name for function, _ in chain))
        tap.ok(size + trap <= room, f"{board}: the deepest stack fits", f"{size + trap} of {room}")
        tap.ok(peak <= size + trap, f"{board}: no run needs more than what is computed", f"{peak} of {size + trap}")
        tap.ok(size + trap <= ABOVE * peak, f"{board}: what is computed is not much more than what a run needs",
               f"{size + trap}, painted {peak}")
    finally:
        pebble.stop()


def main():
    folder = servers.workdir()
    # The deepest call is a signature of a curve that has no engine of its own.
    authority = servers.Authority(folder, key=("ec", "-pkeyopt", "ec_paramgen_curve:P-384"))
    table, images = stack.Table(), []
    for board in sys.argv[1:] or BOARDS:
        try:
            measure(board, os.path.join(folder, board), authority, table, images)
        except servers.Failed as failure:
            tap.ok(False, board, str(failure))
    if not sys.argv[1:] and len(images) == len(BOARDS):
        stale = table.stale(images)
        tap.ok(not stale, "nothing stands in calls.txt that is in no image", " ".join(stale))


main()
tap.end()
