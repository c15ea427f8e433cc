#!/usr/bin/env python3
"""The stack of every board's firmware: computed from the image, and painted by a run in the emulator.

test_stack.py [BOARD...] [--ca=rsa|p256|p384]: what the CA's server signs with; the longest tick depends on that.
"""

import json
import os
import re
import sys

sys.path[:0] = [os.path.dirname(os.path.abspath(__file__))]
from machine import BOARDS, EXACT, GATEWAY, HERE, KERNEL_BOARD, KEYS, Machine, fetch, image
import servers
import stack
import tap

NAME = "stack.example.test"
ABOVE = 1.25  # computed, at most, of what a run paints


def painted(board, elf, folder, pebble):
    """Obtains a certificate, serves the page with it, and asks that for the peak. Returns it and the machine."""
    machine = Machine(board, elf, os.path.join(folder, "run"), pebble.http_port, EXACT)
    try:
        machine.wait_for("port 443", 120)
        roots = pebble.roots_file()
        fetch(machine, NAME, roots, "/")
        status = json.loads(fetch(machine, NAME, roots, "/status.json"))  # knows of the first one's handshake
        return max(machine.figure("stack_peak"), status["stack_peak"]), machine
    except ValueError as failure:
        raise servers.Failed(f"no page: {failure}") from None
    finally:
        machine.cut()


def peaks(machine, peak):
    """What was painted of each stack that the board tells of, by the stack's name in the image."""
    found = re.findall(r"task (\w+): stack_peak (\d+)", machine.log())
    if not found:
        return {"main": peak}
    tasks = {f"{task}_stack": int(bytes_) for task, bytes_ in found}
    return {**tasks, "client_stack": peak, "stack.0": tasks["tcpip_stack"], "main": machine.figure("stack_peak_interrupts")}


def compare(board, found, seen, key):
    for s in found:
        peak = max(seen.get(s.name, 0), 1)
        tap.note(f"{board}, {s.name}: {s.bytes} bytes computed, {peak} painted (x {s.bytes / peak:.2f}), {s.room} there are")
    deepest = max(found, key=lambda s: s.bytes)
    tap.note(" > ".join(function.name for _, function in deepest.chain))
    over = [f"{s.name}: {seen[s.name]}, computed {s.bytes}" for s in found if seen.get(s.name, 0) > s.bytes]
    tap.ok(not over, f"{board}: no run needs more than what is computed", " ".join(over))
    if key == "p384":  # the deepest call: a signature on a curve that has no engine of its own
        tap.ok(deepest.bytes <= ABOVE * seen[deepest.name], f"{board}: what is computed is not much more than what a run needs",
               f"{deepest.bytes}, painted {seen[deepest.name]}")


def measure(board, kernel, folder, authority, key):
    pebble = servers.Pebble(os.path.join(folder, "pebble"), authority)
    table = stack.Table(*[os.path.join(HERE, "kernel", "calls.txt")] * kernel)
    name = board + ", a task" * kernel
    try:
        elf = image(board, os.path.join(folder, "image"), f"https://{GATEWAY}:{pebble.port}/dir", authority.root, [NAME],
                    make=["KERNEL=1"] * kernel)
        _, found = stack.analyse(elf, table)
        peak, machine = painted(board, elf, folder, pebble)
        if not kernel:  # there, others count in the same time
            tap.note(f"{name}: the CA's chain is signed with {key}: {machine.figure('longest_tick_kilo')} thousand instructions in the "
                     f"longest tick, {machine.figure('all_ticks_kilo')} in all ticks of a run")
        compare(name, found, peaks(machine, peak), key)
    finally:
        pebble.stop()


def main():
    folder, key = servers.workdir(), next((a[len("--ca="):] for a in sys.argv if a.startswith("--ca=")), "p384")
    authority = servers.Authority(folder, key=KEYS[key])
    boards = [(b, False) for b in sys.argv[1:] if not b.startswith("--")]
    for board, kernel in boards or [*((b, False) for b in BOARDS), (KERNEL_BOARD, True)]:
        try:
            measure(board, kernel, os.path.join(folder, f"{board}{kernel}"), authority, key)
        except (servers.Failed, stack.Wrong) as failure:
            tap.ok(False, board, str(failure))


main()
tap.end()
