#!/usr/bin/env python3
"""What README.md claims is so: its files exist, its figures are those that are tested. tests/install/test_pages.py has the rest."""

import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..")]
import tap

README = open("README.md", encoding="utf-8").read()
def files():
    links = re.findall(r"\]\((?!http)([^)]+)\)", README) + re.findall(r"`((?:core|port|tests|boards)/[^`]*)`", README)
    return [f for f in links if not os.path.exists(f)]


def figures():
    counts = open("tests/interop/test_counts.py", encoding="utf-8").read()
    first, renewal = re.search(r"FIRST, RENEWAL = (\d+), (\d+)", counts).groups()
    limit = re.search(r"#define ACME_NAMES_MAX +(\d+)", open("core/acme_config.h", encoding="utf-8").read()).group(1)
    wanted = [rf"{first}\s+requests for a first certificate", rf"{renewal} for a renewal, one TLS handshake each",
              rf"1 to {limit} names"]
    flash = int(re.search(r"\*\*flash, all\*\* \| \*\*(\d+)", README).group(1))  # of the table, which make size measures
    wanted.append(rf"it takes {flash // 1024} KiB")
    places, block = (int(re.search(rf"#define {name} +(\d+)", open("port/flash/acme_flash.h", encoding="utf-8").read()).group(1))
                     for name in ("ACME_FLASH_PLACES", "ACME_FLASH_BLOCK"))
    room = 32 * 1024 // places - 4 * block  # headers: of the place, twice, of the chain, of the key
    wanted.append(rf"32 KiB will do with sectors up to {32 // places}\s+KiB and a chain up to {room * 10 // 1024 / 10} KiB")
    return [w for w in wanted if not re.search(w, README)]


for check, what in ((files, "the files README.md names exist"),
                    (figures, "the figures in README.md are those the tests hold to")):
    wrong = check()
    tap.ok(not wrong, what, ", ".join(wrong))
tap.end()
