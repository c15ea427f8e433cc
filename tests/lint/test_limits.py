#!/usr/bin/env python3
"""Limits of the house: what may lie at the root, how long things may be, words that are not used."""

import glob
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import tap

ROOT = {"Makefile", "README.md", "LICENSE", "core", "port", "boards", "tests", "build"}
LINES = {"core/acme.h": 400, "core/acme_port.h": 150}
FUNCTION_LINES = {"core": 50, "port": 60, "boards": 110}


def strip(text):
    """The code without comments and strings; lines stay where they are."""
    def blank(match):
        return re.sub(r"[^\n]", " ", match.group(0))
    return re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', blank, text, flags=re.S)


def functions(code):
    """(first line, last line, text) of every function body: clang-format puts its braces in the first column."""
    lines = code.split("\n")
    start = None
    for number, line in enumerate(lines, 1):
        if line.startswith("{"):
            start = number
        elif line.startswith("}") and start:
            if not line.startswith("};"):
                yield start, number, "\n".join(lines[start - 1:number])
            start = None


def faults(path, text):
    code = strip(text)
    if re.search(r"\bgoto\b", code):
        yield f"{path}: goto"
    for first, last, body in functions(code):
        if path.startswith("core/") and re.search(r"^\s*#\s*(if|ifdef|ifndef)\b", body, re.M):
            yield f"{path}:{first}: #if inside a function"
        limit = FUNCTION_LINES.get(path.split("/")[0], last)  # tests hold tables
        if last - first > limit:
            yield f"{path}:{first}: a function of {last - first} lines (at most {limit})"
        if path.startswith("core/") and re.search(r"\b(float|double|alloca)\b", body):
            yield f"{path}:{first}: float, double or alloca"


try:
    tracked = subprocess.run(["git", "ls-files"], capture_output=True, text=True).stdout.split()
except FileNotFoundError:
    tracked = []  # no git here: a folder of sources
at_root = {p.split("/")[0] for p in tracked or os.listdir(".")}
odd = {n for n in at_root if n not in ROOT and not n.startswith(".")}
tap.ok(not odd, "nothing else at the root", ", ".join(sorted(odd)))

for path, limit in LINES.items():
    count = len(open(path).readlines()) if os.path.exists(path) else None
    tap.ok(count is not None and count <= limit, f"{path} has at most {limit} lines", f"{count}")

config = "core/acme_config.h"
options = re.findall(r"^#ifndef (ACME_(?!CONFIG_)\w+)", open(config).read(), re.M)
tap.ok(0 < len(options) <= 37, f"{config} has at most 37 options", f"{len(options)}")

found = []
for top in ("core", "port", "boards", "tests"):
    for path in sorted(glob.glob(f"{top}/**/*.[ch]", recursive=True)):
        found += faults(path, open(path, encoding="utf-8").read())
tap.note("\n".join(found))
tap.ok(not found, "no goto, no #if in core's functions, no long function", f"{len(found)} found")

# The check itself.
SEEDED = "int f(int a)\n{\n#if X\n    goto end;\n#endif\n%send:\n    return a;\n}\n" % ("    a++;\n" * 90)
tap.ok(len(list(faults("core/seeded.c", SEEDED))) == 3, "would see goto, #if and a long function")
tap.ok(not list(faults("core/seeded.c", 'int f(void)\n{\n    return g("goto"); /* goto #if */\n}\n')),
       "lets words in comments and strings be")
tap.end()
