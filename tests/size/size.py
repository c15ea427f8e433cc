#!/usr/bin/env python3
"""Sizes of the core on Cortex-M3, from the objects `make cross` made: size.py [--update | --structs]."""

import functools
import glob
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import boards

CROSS = "build/cross"
GOAL = 20000   # core's own code; BearSSL and the network stack come on top. Not met; README.md says so
LIMIT = 43000  # what a change may not go beyond, every option of the default build in it
BARE = 32700   # the same with every option off; the aim is 26000
# Rooms that are no part of the sum, since few link them, and who does.
ASIDE = {"roots": "who reads trust anchors from PEM, constrains them or has them signed",
         "dns": "who proves names by dns-01 and updates the zone itself; with its solver, ACME_CFG_CHOICE=1, 4.3 KB"}

# Memory the caller provides for one client: what, header, and what it is for.
STRUCTS = [
    ("struct acme_client", "acme.h", "one client"),
    ("struct acme_tls", "secure/tls.h", "TLS, BearSSL's contexts included"),
    ("struct acme_http01", "protocol/challenge_http01.h", "http-01 responder"),
    ("struct acme_tlsalpn01", "protocol/challenge_tlsalpn01.h", "tls-alpn-01 responder, one visitor at a time"),
    ("struct acme_key_p256", "secure/key_p256.h", "one key, two are needed"),
]
BUFFERS = [  # as expressions of acme_config.h and tls.h
    ("ACME_WORK_MIN", "smallest work buffer"),
    ("ACME_TLS_BUFFER_MIN", "TLS record buffer for any server"),
]


# What is linked only by who gives its solver to the client: its files, and the most bytes of code.
SOLVERS = {
    "tls-alpn-01": (("core/protocol/challenge_tlsalpn01.c", "core/secure/visit.c", "core/x509/alpn.c"), 2150),
}


def structs():
    """C whose object has a symbol as large as each thing asked for."""
    print("/* Made by tests/size/size.py. */")
    for header in dict.fromkeys(h for _, h, _ in STRUCTS):
        print(f'#include "{header}"')
    for i, (what, _) in enumerate([(w, p) for w, _, p in STRUCTS] + BUFFERS):
        size = f"sizeof({what})" if what.startswith("struct") else what
        print(f"extern char size_{i}[];\nchar size_{i}[{size}];")


# What a build may leave out: macro, in words, and the most bytes of code and of RAM it may add. For renewal the aim was 4608.
OPTIONS = {
    "ACME_CFG_RENEWAL": ("when to come again: renewal information, back-off, profiles, a pair is offered and taken over", 8100, 600),
    "ACME_CFG_TRACE": ("the caller is told what happens", 800, 0),
    "ACME_CFG_CHECK": ("the set-up is looked at as a whole", 500, 0),
    "ACME_CFG_RESUME": ("a TLS session goes on for a day", 250, 0),
    "ACME_CFG_V1": ("ACME v1, as Boulder spoke it in 2016", 3400, 850),
    "ACME_CFG_MANAGE": ("revoking, deactivating, another account key, other contacts", 3450, 310),
    "ACME_CFG_ADDRESSES": ("names and the CA's server may be IP addresses", 1300, 0),
    "ACME_CFG_EAB": ("external accounts", 720, 10),
    "ACME_CFG_REUSE_KEY": ("a renewal for the key in use", 120, 0),
    "ACME_CFG_DEACTIVATE_AUTHZ": ("what is open of an order that fails is deactivated", 400, 8),
    "ACME_CFG_ALTERNATE": ("of several chains the one that is wished for", 1650, 150),
    "ACME_CFG_CSR": ("a certificate request that was made elsewhere", 300, 16),
    "ACME_CFG_CHOICE": ("several solvers, wildcards", 1300, 200),
    "ACME_CFG_DNS_DRAFTS": ("dns-account-01 and dns-persist-01, both solvers", 1000, 40),
    "ACME_CFG_SIGNED_ANCHORS": ("trust anchors signed by the vendor", 950, 0),
}
NEEDS = {"ACME_CFG_DNS_DRAFTS": "ACME_CFG_CHOICE"}  # what an option adds is beside the one it needs


def tool(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def code(build=CROSS):
    """Bytes of code and constants of each room; what writes to RAM would be counted too."""
    rooms, paths = {}, sorted(glob.glob(f"{build}/core/**/*.o", recursive=True))
    for path, line in zip(paths, tool("arm-none-eabi-size", *paths).splitlines()[1:]):
        source = path[len(build) + 1:-2] + ".c"
        if not os.path.exists(source):
            continue  # an object of a file that is no more
        room = os.path.dirname(source).replace("core/", "").replace("core", "acme.c")
        room = next((solver for solver, (files, _) in SOLVERS.items() if source in files), room)
        text, data, _ = map(int, line.split()[:3])
        rooms[room] = rooms.get(room, 0) + text + data
    return rooms


def whole():
    """Bytes of the core when it is optimized as one and what an image does not use is left out."""
    text, data = tool("arm-none-eabi-size", f"{CROSS}/whole.elf").splitlines()[1].split()[:2]
    return int(text) + int(data)


def total(rooms):
    """Bytes of the rooms that every client has."""
    return sum(size for room, size in rooms.items() if room not in ASIDE and room not in SOLVERS)


@functools.cache
def options():
    """Bytes of the core and of one client: (with every option off, {option: what it adds by itself})."""
    found = {}
    for only in [None, *OPTIONS]:
        defines = " ".join(f"-D{o}={int(o in (only, NEEDS.get(only)))}" for o in OPTIONS)
        tool("make", "-s", "-j2", f"B=build/size/{only or 'none'}", f"CROSS_OPTIONS={defines}", "cross-objects")
        build = f"build/size/{only or 'none'}/cross"
        found[only] = code(build), memory(build)[0][2]
    bare, client = found.pop(None)
    def ours(rooms):  # an option's own room counts, that of a solver which needs the option does not
        return sum(size for room, size in rooms.items() if room != "dns")
    base = {name: found[NEEDS[name]] if name in NEEDS else (bare, client) for name in found}
    added = {name: (ours(rooms) - ours(base[name][0]), ram - base[name][1]) for name, (rooms, ram) in found.items()}
    return (total(bare), client), added


def memory(build=CROSS):
    sizes = dict(re.findall(r"^size_(\d+) \w [0-9a-f]+ ([0-9a-f]+)$", tool("arm-none-eabi-nm", "-P", "-S",
                                                                       f"{build}/sizes.o"), re.M))
    names = [(w, why) for w, _, why in STRUCTS] + BUFFERS
    return [(what, why, int(sizes[str(i)], 16)) for i, (what, why) in enumerate(names)]


def frame():
    """The largest stack frame of a function of ours, and its name."""
    frames = []
    for path in glob.glob(f"{CROSS}/core/**/*.su", recursive=True):
        for line in open(path):
            place, size, kind = line.rstrip("\n").split("\t")
            if "dynamic" in kind and "bounded" not in kind:
                sys.exit(f"size: {place} has a frame that depends on the run")
            frames.append((int(size), place.split(":")[-1]))
    return max(frames, default=(0, "none"))


def table():
    rooms = code()
    lines = ["| code on Cortex-M3, `-Os`, bytes | |", "|---|---:|"]
    for room, size in sorted(rooms.items(), key=lambda r: -r[1]):
        if room not in ASIDE and room not in SOLVERS:
            lines.append(f"| {room} | {size} |")
    lines += [f"| **core** (goal {GOAL}) | **{total(rooms)}** |",
              *[f"| {room}, linked only by {who} | {rooms[room]} |" for room, who in ASIDE.items()],
              *[f"| {solver}, linked only by who answers so (at most {most}) | {rooms[solver]} |" for solver, (_, most) in SOLVERS.items()],
              f"| the same with `-flto -fno-thread-jumps`, unused parts left out | {whole()} |", "", "| RAM on Cortex-M3, bytes | |", "|---|---:|"]
    for what, why, size in memory():
        lines.append(f"| `{what}`: {why} | {size} |")
    size, function = frame()
    lines.append(f"| largest stack frame: `{function}` | {size} |")
    (flash, ram), each = options()
    lines += ["", "| options of the core, Cortex-M3, bytes | code | budget | `struct acme_client` |", "|---|---:|---:|---:|",
              f"| every option off | {flash} | {BARE} | {ram} |"]
    lines += [f"| `{name}=1`: {OPTIONS[name][0]} | + {f} | {OPTIONS[name][1]} | + {r} |" for name, (f, r) in each.items()]
    return "\n".join(lines), total(rooms)


def split(name, path):
    """A page as (before, table, after) with the marks left out; None when it has none."""
    text = open(path, encoding="utf-8").read()
    begin, end = f"<!-- {name}:begin -->", f"<!-- {name}:end -->"
    if begin not in text or end not in text:
        return None
    before, _, rest = text.partition(begin)
    inside, _, after = rest.partition(end)
    return before + begin + "\n", inside.strip(), "\n" + end + after


TABLES = {"size": ("README.md", lambda: table()[0]), "boards": ("README.md", boards.table), "lwip": ("port/lwip/README.md", boards.page)}


def main():
    if "--structs" in sys.argv:
        return structs()
    for name, (path, make) in TABLES.items():
        text = make()
        print(text, end="\n\n")
        if "--update" in sys.argv:
            parts = split(name, path)
            if not parts:
                sys.exit(f"size: {path} has no place for {name}")
            with open(path, "w", encoding="utf-8") as f:
                f.write(parts[0] + text + parts[2])


if __name__ == "__main__":
    main()
