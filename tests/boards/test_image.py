#!/usr/bin/env python3
"""What is linked for every board: no heap, no recursion, no frame of unknown size, no call that nobody can follow."""

import copy
import os
import re
import sys

sys.path[:0] = [os.path.dirname(os.path.abspath(__file__))]
from machine import BOARDS, HERE, KERNEL_BOARD, image
import servers
import stack
import tap

# lwIP's mem_malloc and memp_malloc are its own pools, static arrays.
HEAP = re.compile(r"_*(malloc|calloc|realloc|free|memalign|s?brk|alloca|v?(s|sn|f|d|as)?i?printf|v?s?f?i?scanf|strdup)(_r)?")


def refused(what, act):
    """That a gate can close."""
    try:
        act()
        tap.ok(False, f"refused: {what}", "it was not")
    except stack.Wrong as wrong:
        tap.ok(True, f"refused: {what}", str(wrong))


def gates(elf, table):
    for caller in ("sys_check_timeouts", "br_hmac_update"):
        fewer = copy.deepcopy(table)
        del fewer.calls[caller]
        refused(f"the calls of {caller} are not in the table", lambda: stack.analyse(elf, fewer))
    fewer = copy.deepcopy(table)
    fewer.calls["udp_input"].remove("dns_recv")
    refused("a callback is not in the table", lambda: stack.analyse(elf, fewer))
    again = copy.deepcopy(table)
    again.calls["lwip_cyclic_timer"].append("sys_check_timeouts")
    refused("a call that comes back", lambda: stack.analyse(elf, again))
    for cpu, name, rest in ((stack.Arm(), "sub.w", "sp, sp, r3"), (stack.Arm(), "mov", "sp, r3"), (stack.RiscV(), "sub", "sp,sp,a5")):
        refused(f"a frame as large as a variable says: {name} {rest}", lambda: cpu.step(name, rest))


def check(board, elf, table, images):
    tools = stack.cpu(elf).tools
    symbols = stack.run(tools + "nm", "-a", elf)
    found = sorted({n for n in re.findall(r" \w (\S+)$", symbols, re.M) if HEAP.fullmatch(n)})
    tap.ok("main" in symbols and not found, f"{board}: nothing of a heap, and no printf, is linked", " ".join(found))
    sections = re.findall(r"\] (\S*heap\S*) ", stack.run(tools + "readelf", "-SW", elf))
    ends = re.findall(r" [A-Z] (_*(?:heap_\w+|HeapLimit|HeapBase|end))$", symbols, re.M)
    tap.ok(not sections and not ends, f"{board}: no section is a heap, and no symbol says where one would begin", " ".join(sections + ends))
    try:
        found, stacks = stack.analyse(elf, table)
        images.append(found)
        tap.ok(True, f"{board}: every call is followed, none comes back, every frame has a size")
        over = [f"{s.name}: {s.bytes} of {s.room}" for s in stacks if s.bytes > s.room]
        tap.ok(not over, f"{board}: every stack is large enough", " ".join(over))
    except stack.Wrong as wrong:
        tap.ok(False, f"{board}: every call is followed, none comes back, every frame has a size", str(wrong))


def main():
    folder = servers.workdir()
    authority = servers.Authority(folder, key=servers.P256)
    table, under, images = stack.Table(), stack.Table(os.path.join(HERE, "kernel", "calls.txt")), []
    kinds = [*((board, "", table) for board in BOARDS),
             *(("lm3s6965evb", option, table) for option in ("SMALL=1", "V1=1", "SNTP=192.0.2.1", "HEADLESS=1")), (KERNEL_BOARD, "KERNEL=1", under)]
    for board, option, one in kinds:
        name = f"{board} {option}".strip()
        elf = image(board, os.path.join(folder, board + option.partition("=")[0]), "https://ca.example.test/dir", authority.root, ["image.example.test"], "",
                    make=[option] if option else [])
        check(name, elf, one, images)
        if name == "lm3s6965evb":
            gates(elf, table)
    if len(images) == len(kinds):
        under.used |= table.used
        stale = sorted({*table.stale(images), *under.stale(images)} - under.used)
        tap.ok(not stale, "nothing stands in calls.txt that is in no image", " ".join(stale))


servers.play(main, "the images")
