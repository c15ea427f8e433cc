#!/usr/bin/env python3
"""The core keeps below its bar, and README.md tells the sizes as they are."""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..")]
import boards
import prose
import size
import tap

text, total = size.table()
tap.note(text)
tap.ok(0 < total <= size.LIMIT, f"core's own code is at most {size.LIMIT} bytes on Cortex-M3", f"{total}")
whole = boards.measure("lm3s6965evb")
ram = whole["ram_all"] + whole["stack"]
tap.ok(whole["flash_all"] <= boards.FLASH_MAX, f"the firmware takes at most {boards.FLASH_MAX} bytes of flash", whole["flash_all"])
tap.ok(ram <= boards.RAM_MAX, f"and {boards.RAM_MAX} bytes of RAM, stack included", ram)
little = boards.measure(boards.SMALL)
ram = little["ram_all"] + little["stack"]
tap.ok(ram <= boards.RAM_SMALL_MAX, f"the small build takes at most {boards.RAM_SMALL_MAX} bytes of RAM, stack included", ram)
more = boards.measure(boards.V1)["flash_all"] - whole["flash_all"]
tap.ok(0 < more <= boards.V1_MAX, f"ACME v1 adds at most {boards.V1_MAX} bytes of flash", more)
headless = boards.measure(boards.HEADLESS)["flash_all"]
tap.ok(headless <= boards.HEADLESS_MAX, f"without page and words it takes at most {boards.HEADLESS_MAX} bytes of flash", headless)
bare = boards.measure(boards.BARE)["flash_all"]
tap.ok(bare < headless, "with every option of the core off it links, and is smaller", bare)
(flash, client), each = size.options()
tap.ok(flash <= size.BARE, f"with every option off the core has at most {size.BARE} bytes", flash)
rooms = size.code()
for solver, (_, most) in size.SOLVERS.items():
    tap.ok(0 < rooms[solver] <= most, f"{solver} takes at most {most} bytes where it is linked", rooms[solver])
for name, (code, ram) in each.items():
    _, most, most_ram = size.OPTIONS[name]
    tap.ok(0 < code <= most and ram <= most_ram, f"{name} adds at most {most} bytes of code and {most_ram} of RAM", f"{code}, {ram}")
for name, (path, make) in size.TABLES.items():
    parts = size.split(name, path)
    made = make()
    tap.ok(parts and parts[1] == made, f"{path} has the sizes of {name}", "make size UPDATE=1")
for path, sentence in prose.claims(total, whole):
    tap.ok(sentence in prose.words(path), f"{path} says '{sentence}'")
tap.end()
