#!/usr/bin/env python3
"""No circle among the files of core and of the ports: neither of includes, nor of what one object takes from another. Looks at the objects of
`make`, in which every option of the program is on."""

import glob
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import tap

INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"', re.M)


def circles(arrows):
    """The circles of a graph {node: nodes it leads to}: each set of nodes that reach each other, sorted."""
    reach = {}
    for node in arrows:
        seen, todo = set(), list(arrows[node])
        while todo:
            at = todo.pop()
            if at not in seen:
                seen.add(at)
                todo += arrows.get(at, ())
        reach[node] = seen
    found = {tuple(sorted(m for m in reach[n] if n in reach.get(m, ()))) for n in arrows if n in reach[n]}
    return sorted(found)


def includes(tree):
    """{file: files it includes} of {path: text}."""
    return {path: {os.path.normpath(os.path.join(os.path.dirname(path), name)) for name in INCLUDE.findall(text)}
            for path, text in tree.items()}


def symbols(path):
    """(names defined for others, names wanted from others) of an object."""
    text = subprocess.run(["nm", "-P", path], capture_output=True, text=True, check=True).stdout
    fields = [line.split() for line in text.splitlines()]
    return ({f[0] for f in fields if f[1].isupper() and f[1] != "U"}, {f[0] for f in fields if f[1] == "U"})


def uses(objects):
    """{file: files it calls, or has data of} of {file: (defined, wanted)}."""
    home = {name: file for file, (defined, _) in objects.items() for name in defined}
    return {file: {home[n] for n in wanted if n in home and home[n] != file} for file, (_, wanted) in objects.items()}


def objects_of(folder):
    """{file: its symbols} of what `make` has compiled below a folder, as long as there is the file."""
    sources = {path[len("build/obj/"):-2] + ".c": path for path in sorted(glob.glob(f"build/obj/{folder}/**/*.o", recursive=True))}
    return {source: symbols(path) for source, path in sources.items() if os.path.exists(source)}


def told(found):
    return "; ".join(" <-> ".join(circle) for circle in found)


tree = {}
for path in sorted(glob.glob("core/**/*.[ch]", recursive=True)):
    tree[path] = open(path, encoding="utf-8").read()
found = circles(includes(tree))
tap.ok(tree and not found, "no circle of includes in core", told(found))

objects, ports = objects_of("core"), objects_of("port")
found = circles(uses(objects))
tap.ok(len(objects) == sum(p.endswith(".c") for p in tree), "an object for each file of core", "run `make`")
tap.ok(not found, "no circle of calls in core", told(found))
found = circles(uses(ports))
tap.ok(ports and not found, "no circle of calls in the ports", told(found))
arrows = uses(objects)
tables = [f"core/protocol/{name}.c" for name in ("flow", "flow_v1", "manage")]
tap.ok(all(t in objects for t in tables) and not [t for t in tables if arrows[t] & set(tables)],
       "no table of the protocol takes anything from another")
long = [path for path, text in tree.items() if path.startswith("core/protocol/") and text.count("\n") > 400]
tap.ok(not long, "no file of protocol over 400 lines", ", ".join(long))
# Words of the option itself; what rows and tables say of it is for everybody.
CONDITION = re.compile(r"^(?!\s*[/ ]?\*).*\bACME_CFG_(V1|MANAGE)\b", re.M)
OWN = re.compile(r"(_v1|manage|contacts)\.[ch]$|acme_config\.h$")
for option in ("V1", "MANAGE"):
    n = sum(m.group(1) == option for path, text in tree.items() if not OWN.search(path) for m in CONDITION.finditer(text))
    tap.ok(n <= 10, f"ACME_CFG_{option}: at most 10 conditions outside its own files", f"{n} lines")

# The check itself.
tap.ok(circles({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}) == [("a", "b", "c")], "would see a circle of three")
tap.ok(circles({"a": {"b", "c"}, "b": {"d"}, "c": {"d"}}) == [], "two ways to one file are no circle")
tap.ok(circles(includes({"core/a.h": '#include "b/b.h"\n', "core/b/b.h": '#include "../a.h"\n'})), "would see includes")
tap.ok(circles(uses({"a.c": ({"f"}, {"g"}), "b.c": ({"g"}, {"f"})})), "would see two files that call each other")
tap.end()
