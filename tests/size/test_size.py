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
alone = boards.measure(boards.HEADLESS)["flash_all"]
tap.ok(alone <= boards.HEADLESS_MAX, f"headless it takes at most {boards.HEADLESS_MAX} bytes of flash", alone)
more = boards.measure(boards.V1)["flash_all"] - whole["flash_all"]
tap.ok(0 < more <= boards.V1_MAX, f"ACME v1 adds at most {boards.V1_MAX} bytes of flash", more)
(flash, client), each = size.options()
adds = each["ACME_CFG_RENEWAL"]
tap.ok(adds[0] - flash <= size.RENEWAL_MAX[0] and adds[1] - client <= size.RENEWAL_MAX[1],
       f"renewal adds at most {size.RENEWAL_MAX[0]} bytes of code and {size.RENEWAL_MAX[1]} of RAM",
       f"{adds[0] - flash}, {adds[1] - client}")
for name, (path, make) in size.TABLES.items():
    parts = size.split(name, path)
    made = make()
    tap.ok(parts and parts[1] == made, f"{path} has the sizes of {name}", "make size UPDATE=1")
for path, sentence in prose.claims(total, whole):
    tap.ok(sentence in prose.words(path), f"{path} says '{sentence}'")
tap.end()
