#!/usr/bin/env python3
"""core/Filelists.mk is the tree, sorted, one file a line; and what every packager takes in is that list."""

import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import tap

TREE = {"ACME_CORE": ["core/*.c", "core/*/*.c"], "ACME_BEARSSL": ["core/*.c", "core/*/*.c"], "ACME_FLASH": ["port/flash/*.c"], "ACME_LWIP": ["port/lwip/*.c"],
        "ACME_STORES": ["port/stores/*.c"], "ACME_POSIX": ["port/posix/posix_*.c"], "ACME_SECURE": ["port/secure/*.c"], "ACME_MBEDTLS": ["port/mbedtls/*.c"],
        "ACME_FREERTOS": ["port/freertos/*.c"], "ACME_CMSIS": ["port/cmsis-rtos2/*.c"]}
ROW = re.compile(r"^(ACME_\w+) \+= (\S+)$")


def read(text):
    """The lists by name, and lines that are neither a row, nor a comment, nor empty."""
    lists, odd = {}, []
    for line in text.splitlines():
        if row := ROW.match(line):
            lists.setdefault(row[1], []).append(row[2])
        elif line and not line.startswith("#"):
            odd.append(line)
    return lists, odd


def differs(lists, tree=TREE):
    """What a list lacks (+) or has beyond the tree (-)."""
    for name in sorted(set(lists) | set(tree)):
        here, there = lists.get(name, []), [p for pattern in tree.get(name, []) for p in glob.glob(pattern)]
        if name in ("ACME_CORE", "ACME_BEARSSL"):
            there = by_bearssl(there) if name == "ACME_BEARSSL" else set(there) - by_bearssl(there)
        yield from (f"{name} + {p}" for p in sorted(set(there) - set(here)))
        yield from (f"{name} - {p}" for p in sorted(set(here) - set(there)))
        yield from (f"{name}: {p} twice" for p in sorted({p for p in here if here.count(p) > 1}))


def by_bearssl(files):
    """The files that look for a header of BearSSL's where there shall be none."""
    rules = subprocess.run(["cc", "-std=c99", "-Icore", "-DACME_CFG_BEARSSL=0", "-M", "-MG", *files], capture_output=True, text=True,
                           check=True).stdout.replace("\\\n", " ")
    return {rule.split()[1] for rule in rules.splitlines() if "bearssl" in rule}


def unsorted(text):
    """Blocks between empty lines whose rows are not in order."""
    for block in text.split("\n\n"):
        rows = [line for line in block.splitlines() if ROW.match(line)]
        if rows != sorted(rows):
            yield rows[0]


def by_cmake(names):
    """What port/cmake/lists.cmake makes of the lists."""
    with tempfile.NamedTemporaryFile("w", suffix=".cmake") as script:
        script.write('include("%s/port/cmake/lists.cmake")\n' % os.getcwd() +
                     "".join(f'nanoacme_list(f {n})\nmessage("{n};${{f}}")\n' for n in names))
        script.flush()
        said = subprocess.run(["cmake", "-P", script.name], capture_output=True, text=True).stderr
    return {line.split(";")[0]: [os.path.relpath(p) for p in line.split(";")[1:] if p] for line in said.splitlines()}


text = open("core/Filelists.mk", encoding="utf-8").read()
lists, odd = read(text)
wrong = odd + list(differs(lists))
tap.ok(not wrong, "core/Filelists.mk has every file there is, once, and no other", "; ".join(wrong))
wrong = list(unsorted(text))
tap.ok(not wrong, "each of its blocks is sorted", "; ".join(wrong))
database = subprocess.run(["make", "-pn", "-f", "core/Filelists.mk", "none"], capture_output=True, text=True).stdout
wrong = [n for n in lists if re.search(rf"^{n} [+:]?= (.*)$", database, re.M)[1].split() != lists[n]]
tap.ok(not wrong, "make reads the lists as they stand", " ".join(wrong))
if shutil.which("cmake"):
    made = by_cmake(lists)
    tap.ok(made == lists, "so does port/cmake", str({n: made.get(n) for n in lists if made.get(n) != lists[n]})[:300])
else:
    tap.skip("so does port/cmake", "no cmake")

# The checks themselves.
seeded, odd = read(text.replace("ACME_CORE += core/wire/url.c\n", "ACME_CORE += core/wire/earl.c\nACME_CORE = x\n"))
tap.ok(odd == ["ACME_CORE = x"] and list(differs(seeded)) == ["ACME_CORE + core/wire/url.c", "ACME_CORE - core/wire/earl.c"],
       "would see a file too few, one too many, another kind of line")
moved, _ = read(text.replace("ACME_BEARSSL += core/secure/tls.c\n", "ACME_CORE += core/secure/tls.c\n"))
tap.ok(list(differs(moved)) == ["ACME_BEARSSL + core/secure/tls.c", "ACME_CORE - core/secure/tls.c"], "would see BearSSL in the core of those without")
tap.ok(list(unsorted("ACME_X += b\nACME_X += a")), "would see what is not sorted")
tap.end()
