#!/usr/bin/env python3
"""Boards that have it hard: a wire that loses, doubles and reorders frames; no random numbers.

test_link.py [BOARD...]; test_link.py --boots 50 [--first 1] [BOARD]: only the wire, that many boots in a row.
"""

import os
import sys
from concurrent.futures import ThreadPoolExecutor

sys.path[:0] = [os.path.dirname(os.path.abspath(__file__))]
from machine import GATEWAY, ROOT, Machine, image
import servers
import tap

NAME = "board.example.test"
PERCENT = 10


def bad_wire(board, folder, authority, pebble, seed):
    """A new device: from the first question for an address to the certificate. Other frames are lost each time."""
    elf = image(board, os.path.join(folder, "image"), f"https://{GATEWAY}:{pebble.port}/dir", authority.root, [NAME],
                make=[f"LOSSY={PERCENT},{seed}"])
    before = pebble.issued()
    machine = Machine(board, elf, folder, pebble.http_port)
    try:
        machine.wait_for(r"a new certificate[^$]*\] milliseconds", 300)
    except servers.Failed:
        pass
    log = machine.log()
    lost, twice, late = (log.count(f"] {word} ") for word in ("lost", "twice", "late"))
    machine.cut()
    return ("a new certificate" in log and pebble.issued() == before + 1 and lost > 0,
           f"{board}: a certificate over a bad wire, boot {seed}: {lost} frames lost, {twice} doubled, {late} late; "
           f"{machine.figure('milliseconds')} ms, {machine.figure('requests')} requests", log[-600:])


def no_random(board, folder, authority, pebble):
    elf = image(board, os.path.join(folder, "image"), f"https://{GATEWAY}:{pebble.port}/dir", authority.root, [NAME])
    with open(elf, "rb") as f:
        code = f.read()
    with open(elf, "wb") as f:  # where the board takes them from the emulator's file system, there is no such file
        f.write(code.replace(b"/dev/urandom\0", b"/dev/nothing\0"))
    machine = Machine(board, elf, folder, pebble.http_port, env={"NO_RANDOM": "1"})
    status = machine.wait_end()
    return (status == 3 and "random" in machine.log() and "address" not in machine.log(),
           f"{board}: without random numbers it ends before it asks anybody", f"{status}: {machine.log()}")


def main(arguments):
    def number_after(option, otherwise):
        return int(arguments[arguments.index(option) + 1]) if option in arguments else otherwise

    boots, first = number_after("--boots", 0), number_after("--first", 1)
    boards = [a for a in arguments if not a.startswith("--") and not a.isdigit()]
    boards = boards or sorted(b for b in os.listdir(os.path.join(ROOT, "boards"))
                              if os.path.exists(os.path.join(ROOT, "boards", b, "qemu")))
    folder = servers.workdir()
    authority = servers.Authority(folder, key=servers.P256)

    def scenes(board, seeds, random):
        here = os.path.join(folder, board)
        pebble = servers.Pebble(os.path.join(here, "pebble"), authority)  # each its own: it looks at one port
        if random:
            yield no_random(board, os.path.join(here, "random"), authority, pebble)
        for seed in seeds:
            yield bad_wire(board, os.path.join(here, str(seed)), authority, pebble, seed)

    if boots:
        for result in scenes(boards[0], range(first, first + boots), False):
            tap.ok(*result)
        return
    with ThreadPoolExecutor(len(boards)) as pool:  # they mostly wait for what was lost
        for results in pool.map(lambda b: list(scenes(b, [boards.index(b) + 1], True)), boards):
            for result in results:
                tap.ok(*result)


servers.play(main, "link", sys.argv[1:])
