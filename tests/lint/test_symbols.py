#!/usr/bin/env python3
"""What the linker sees: no heap, no printf, no globals that change, one prefix. Looks at the objects of `make`."""

import glob
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import tap

HEAP = re.compile(r"^_*(malloc|calloc|realloc|reallocarray|free|cfree|sbrk|brk|mmap|alloca|aligned_alloc|posix_memalign|"
                  r"memalign|valloc|strn?dup|v?asprintf|getline|getdelim|open_memstream|operator.*)(@.*)?$")
PRINTF = re.compile(r"^_*v?(f|s|sn|d)?printf(_chk)?(@.*)?$|^puts$|^putchar$|^perror$")


def symbols(path):
    """(kind, name) of every symbol, as nm tells."""
    text = subprocess.run(["nm", "-P", path], capture_output=True, text=True, check=True).stdout
    return [(line.split()[1], line.split()[0]) for line in text.splitlines() if len(line.split()) >= 2]


def heap(found):
    return [name for kind, name in found if kind == "U" and HEAP.match(name)]


def printf(found):
    return [name for kind, name in found if kind == "U" and PRINTF.match(name)]


def writable(found):
    """Data and bss, local ones too. Tables of function pointers are relocated but never written: those are in
    .data.rel.ro, which nm calls d as well, so sections() decides about them."""
    return [name for kind, name in found if kind in "DdBbCcGgSs"]


def sections(path):
    """Bytes in sections that can be written when the program runs."""
    text = subprocess.run(["objdump", "-hw", path], capture_output=True, text=True, check=True).stdout
    bad = 0
    for line in text.splitlines():
        field = line.split()
        if len(field) > 3 and re.match(r"^\.(data|bss|tdata|tbss)", field[1]) and ".rel.ro" not in field[1]:
            bad += int(field[2], 16)
    return bad


def foreign(found):
    return [name for kind, name in found if kind.isupper() and kind != "U" and not name.startswith("acme_")]


core = sorted(glob.glob("build/obj/core/**/*.o", recursive=True))
core = [o for o in core if os.path.exists(o[len("build/obj/"):-2] + ".c")]
port = [o for room in ("posix/posix_*", "sockets/*", "stores/*", "flash/*") for o in sorted(glob.glob(f"build/obj/port/{room}.o"))
        if os.path.exists(o[len("build/obj/"):-2] + ".c")]


def each(objects, what, check):
    bad = [f"{o}: {result}" for o in objects if (result := check(o))]
    tap.note("\n".join(bad))
    tap.ok(objects and not bad, what, "no objects" if not objects else f"in {len(bad)} objects")


each(core + port, "no heap symbol in core and in the port's structs", lambda o: heap(symbols(o)))
each(core, "no printf in core", lambda o: printf(symbols(o)))
each(core, "no writable data in core", sections)
each(core + port, "every external symbol begins with acme_", lambda o: foreign(symbols(o)))

# The checks themselves.
SEEDED = """
#include <stdio.h>
#include <stdlib.h>
int changes = 3; static int counter; char *leak; int count(void); int count(void) { return counter++; }
void *seeded(void); void *seeded(void) { leak = malloc(10); printf("%d %s", changes, leak); free(leak); return leak; }
"""
os.makedirs("build/lint", exist_ok=True)
with open("build/lint/seeded.c", "w") as f:
    f.write(SEEDED)
subprocess.run(["gcc", "-O2", "-c", "-o", "build/lint/seeded.o", "build/lint/seeded.c"], check=True)
seen = symbols("build/lint/seeded.o")
tap.ok({"malloc", "free"} <= set(heap(seen)), "would see malloc and free")
tap.ok(printf(seen), "would see printf")
tap.ok(sections("build/lint/seeded.o") > 0 and "counter" in writable(seen), "would see a global that changes")
tap.ok("seeded" in foreign(seen), "would see a symbol without the prefix")
tap.end()
