#!/usr/bin/env python3
"""A board whose keys are in a secure element that takes 300 ms for a signature (make firmware ELEMENT=1): issued, no tick is longer, and
no private key is anywhere in its RAM but in the element, nor in its store."""

import hashlib
import json
import os
import re
import socket
import subprocess
import sys

sys.path[:0] = [os.path.dirname(os.path.abspath(__file__))]
from machine import EXACT, GATEWAY, Machine, image
import servers
import tap

BOARD, NAME = "lm3s6965evb", "element.example.test"
HERE = os.path.dirname(os.path.abspath(__file__))
RAM_AT, RAM = 0x20000000, 64 * 1024
SIGNS_MS = 300
SCALARS = [hashlib.sha256(b"a secure element of a test" + bytes([i])).digest() for i in range(2)]


def symbol(elf, name):
    """Address and size."""
    for line in subprocess.run(["arm-none-eabi-nm", "-S", elf], capture_output=True, text=True, check=True).stdout.splitlines():
        if line.split()[-1] == name:
            return [int(word, 16) for word in line.split()[:2]]
    raise servers.Failed(f"no {name} in the image")


def ram_of(path, to):
    """The board's memory, by the emulator's monitor."""
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(path)
        with s.makefile("rw") as talk:
            talk.readline()
            for command in ({"execute": "qmp_capabilities"},
                            {"execute": "pmemsave", "arguments": {"val": RAM_AT, "size": RAM, "filename": to}}):
                talk.write(json.dumps(command) + "\n")
                talk.flush()
                while "return" not in (answer := json.loads(talk.readline())):
                    if "error" in answer:
                        raise servers.Failed(str(answer))
    with open(to, "rb") as f:
        return f.read()


def usual_tick():
    with open(os.path.join(HERE, "figures.txt"), encoding="utf-8") as f:
        return int(re.search(rf"{BOARD}, p256: first run longest tick (\d+)", f.read())[1])


folder = servers.workdir()
authority = servers.Authority(folder, key=servers.P256)
pebble = servers.Pebble(os.path.join(folder, "pebble"), authority, env={"PEBBLE_VA_ALWAYS_VALID": "1"})
elf = image(BOARD, os.path.join(folder, "image"), f"https://{GATEWAY}:{pebble.port}/dir", authority.root, [NAME], make=["ELEMENT=1"])
monitor = os.path.join(folder, "qmp")
machine = Machine(BOARD, elf, os.path.join(folder, "board"), pebble.http_port, (*EXACT, "-qmp", f"unix:{monitor},server=on,wait=off"))
try:
    machine.wait_for("no page|failed at|cannot begin")
    longest, took = machine.figure("longest_tick_kilo"), machine.figure("milliseconds")
    ram = bytearray(ram_of(monitor, os.path.join(folder, "ram")))
except servers.Failed as failure:
    tap.ok(False, "issued", failure)
    tap.end()
tap.ok("a new certificate is in use" in machine.log() and pebble.orders() == 1, "issued", machine.log()[-600:])
number = {name: int.from_bytes(ram[at - RAM_AT:at - RAM_AT + 4], "little")
          for name in ("element_signatures", "element_asked") for at in [symbol(elf, name)[0]]}
signatures = number["element_signatures"]
tap.ok(signatures >= 9 and number["element_asked"] > 10 * signatures and took > signatures * SIGNS_MS,
       f"{signatures} signatures, asked for {number['element_asked']} times, in {took} ms")
tap.ok(longest <= usual_tick() * 1.02, f"the longest tick is {longest} thousand instructions, as {usual_tick()} without", longest)
at, size = symbol(elf, "element_chip")
chip = bytes(ram[at - RAM_AT:at - RAM_AT + size])
ram[at - RAM_AT:at - RAM_AT + size] = bytes(size)
with open(os.path.join(folder, "board", "records.img"), "rb") as f:
    store = f.read()
found = [(where, i) for where, text in (("RAM", bytes(ram)), ("store", store)) for i, scalar in enumerate(SCALARS)
         for form in (scalar, scalar[::-1]) if form in text]
tap.ok(all(scalar in chip for scalar in SCALARS) and not found and b"PRIVATE" not in store and b"BEGIN CERTIFICATE" in store,
       "both private keys are in the element, and nowhere else in RAM or store", found)
machine.stop()
tap.end()
