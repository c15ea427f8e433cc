#!/usr/bin/env python3
"""The firmware as one task of a pre-emptive kernel (lwIP with NO_SYS=0), in the emulator, against Pebble: [BOARD]."""

import os
import re
import subprocess
import sys

sys.path[:0] = [os.path.dirname(os.path.abspath(__file__))]
from machine import GATEWAY, ROOT, Machine, fetch, image
import servers
import tap

BOARD = (sys.argv[1:] or ["mps2-an385"])[0]
EXACT = ("-icount", "shift=0")  # an instruction is a nanosecond, however busy this machine is
NAME = "kernel.example.test"
DONE = r"port 443|no page|failed at|cannot begin|kernel: "
TASKS = {"idle", "client", "counts", "tcpip", "frames"}


def promises(folder):
    """The kernel alone."""
    done = subprocess.run(["make", "-s", "kernel-check", f"BOARD={BOARD}", "KERNEL=1"], cwd=ROOT, capture_output=True, text=True)
    if done.returncode != 0:
        raise servers.Failed(f"make kernel-check: {done.stderr[-600:]}")
    elf = os.path.join(ROOT, "build/firmware", BOARD + "-kernel", "kernel-check.elf")
    machine = Machine(BOARD, elf, folder, servers.free_port(), EXACT)
    machine.wait_end()
    found = re.findall(r"^(not )?ok \d+ - (.*)$", machine.log(), re.M)
    for wrong, what in found:
        tap.ok(not wrong, f"kernel: {what.strip()}")
    tap.ok(f"1..{len(found)}" in machine.log() and len(found) > 15, "kernel: all its promises", machine.log()[-300:])


def tasks(log):
    """What the board tells about its tasks: {name: {figure: value}}."""
    found = {}
    for task, figure, value in re.findall(r"task (\w+): (\w+) (\d+)", log):
        found.setdefault(task, {})[figure] = int(value)
    return found


def first_boot(machine, pebble, folder):
    machine.wait_for(DONE)
    log = machine.log()
    tap.ok("a new certificate" in log and pebble.issued() == 1 and machine.figure("handshakes") == 1,
           "obtains a certificate, answering http-01", log[-600:])

    seen = tasks(log)
    tap.ok(seen.keys() == TASKS, "every task is there", f"{seen}")
    for name, figures in sorted(seen.items()):
        tap.note(f"{name}: {figures['stack_peak']} of {figures['stack_size']} bytes of stack, "
                 f"stopped {figures['preempted']} times while it could run")
    tap.ok(seen and all(0 < f["stack_peak"] < f["stack_size"] for f in seen.values()), "no stack is full", f"{seen}")

    counted = machine.figure("counted_in_one_tick") or 0
    tap.note(f"{machine.figure('counted')} counted in all, {counted} during one tick of the client; "
             f"{machine.figure('milliseconds')} ms, {machine.figure('flash')} bytes of flash, {machine.figure('ram')} of RAM "
             f"with the stacks but {machine.figure('stack_peak_interrupts')} of interrupts")
    tap.ok(counted > 100000 and seen.get("client", {"preempted": 0})["preempted"] > 10,
           "another task goes on while the client computes, which knows nothing of it", f"{counted}")

    roots = pebble.roots_file()
    json = fetch(machine, NAME, roots, "/status.json")
    tap.ok(f'"names":["{NAME}"]' in json, "serves its status with that certificate", json)
    page = fetch(machine, NAME, roots, "/")
    tap.ok("<title>" in page, "serves its page", page)
    machine.cut()


def second_boot(machine, pebble, orders):
    machine.wait_for(DONE)
    tap.ok("nothing to do" in machine.log() and pebble.orders() == orders and machine.figure("requests") == 0,
           "a second boot finds the pair and asks nobody", machine.log()[-400:])
    machine.cut()


folder = servers.workdir()
authority = servers.Authority(folder, key=servers.P256)
try:
    promises(os.path.join(folder, "check"))
    pebble = servers.Pebble(os.path.join(folder, "pebble"), authority)
    elf = image(BOARD, os.path.join(folder, "image"), f"https://{GATEWAY}:{pebble.port}/dir", authority.root, [NAME],
                make=["KERNEL=1"])
    records = os.path.join(folder, "records")
    first_boot(Machine(BOARD, elf, records, pebble.http_port), pebble, folder)
    orders = pebble.orders()
    second_boot(Machine(BOARD, elf, records, pebble.http_port), pebble, orders)
except servers.Failed as failure:
    tap.ok(False, BOARD, str(failure))
tap.end()
