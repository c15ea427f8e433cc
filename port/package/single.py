#!/usr/bin/env python3
"""single.py FOLDER: writes acme.c and acme.h into the folder: the core and the stores for devices as two files.

acme.h is the public headers, one behind the other; acme.c every other header and the sources of core/Filelists.mk, in its order.
A name of file scope that another source uses too gets its file's name behind it; a macro of one source ends with it."""

import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
LISTS = ("ACME_CORE", "ACME_BEARSSL", "ACME_FLASH", "ACME_STORES")
PUBLIC = ["core/acme.h", "core/acme_keep.h", "core/acme_manage.h", "core/protocol/challenge_http01.h",
          "core/protocol/challenge_tlsalpn01.h", "core/protocol/challenge_dns01.h", "core/dns/rfc2136.h", "core/secure/key_p256.h",
          "core/secure/anchors.h", "core/roots/roots.h", "core/roots/anchor_table.h", "port/flash/acme_flash.h", "port/stores/acme_files.h", "port/stores/acme_kv.h"]
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*"([^"]+)"[^\n]*\n', re.M)
TOKEN = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'|^[ \t]*#[ \t]*include[^\n]*|(?:->|\.)\s*\w+|\b(?:struct|enum|union)\s+\w+|\w+', re.S | re.M)


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as f:
        return f.read()


def sources():
    return [m[2] for m in re.finditer(r"^(\w+) \+= (\S+)$", read("core/Filelists.mk"), re.M) if m[1] in LISTS]


def find(name, path):
    """The file that `path` means by name."""
    for folder in (os.path.dirname(path), "core", "port/flash", "port/stores"):
        there = os.path.normpath(os.path.join(folder, name))
        if os.path.exists(os.path.join(ROOT, there)):
            return there
    raise SystemExit(f"single: {path} includes {name}, which is not there")


def headers(path, seen):
    """What a file includes of ours, deepest first, and was not seen before."""
    for name in INCLUDE.findall(read(path)):
        header = find(name, path)
        if header not in seen:
            seen.add(header)
            yield from headers(header, seen)
            yield header


def flat(text):
    """The text without comments, strings and macros, and with {} for every body: what is declared at file scope."""
    text = re.sub(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", "", text, flags=re.M)
    text = re.sub(r'/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', "", text, flags=re.S)
    found, depth = [], 0
    for c in text:
        depth -= c == "}"
        if depth == 0 or c == "{" and depth == 0:
            found.append(c)
        depth += c == "{"
    return "".join(found)


def names(text):
    """What a source declares for itself at file scope, macros aside."""
    outer = flat(text)
    yield from re.findall(r"\bstatic\b[^;{}()=]*?\b(?!\w+\s*\(\*)(\w+)\s*\(", outer)
    yield from re.findall(r"\bstatic\b[^;{}()=]*?\(\*(?:const )?(\w+)", outer)
    yield from re.findall(r"\bstatic\b(?:[^;()={}]|\{\})*?\b(\w+)(?:\[[^\]]*\])*\s*[=;]", outer)
    yield from re.findall(r"\b((?:struct|enum|union) \w+)\s*\{\}", outer)
    for body in re.findall(r"\benum\b[^;{()]*\{([^}]*)\}", re.sub(r"/\*.*?\*/", "", text, flags=re.S)):
        yield from re.findall(r"(?:^|,)\s*(\w+)", re.sub(r"=[^,]*", "", body))
    yield from re.findall(r"\btypedef\b[^;]*?\b(\w+)(?:\[[^\]]*\])?;", outer)


def renamed(text, path, twice):
    """The text with its own names told from those of other sources; members of structs keep theirs."""
    behind = "__" + os.path.splitext(os.path.basename(path))[0]
    return TOKEN.sub(lambda m: m[0] + behind if m[0] in twice else m[0], text)


def whole(path):
    return f"\n/* ---- {path} ---- */\n\n" + INCLUDE.sub("", read(path))


def main(folder):
    licence = "/* nanoacme " + re.search(r'ACME_VERSION "(.*)"', read("core/acme_version.h"))[1] + ", made of its sources: %s.\n *\n" + \
              "".join(" * " + line if line.strip() else " *\n" for line in read("LICENSE").splitlines(True)) + " */\n"
    files, seen = sources(), set()
    own = {path: set(names(read(path))) for path in files}
    used = {path: set(TOKEN.findall(read(path))) for path in files}
    twice = {n for path in files for n in own[path] if any(n in used[other] for other in files if other != path)}
    public = []
    for path in PUBLIC:
        if path not in seen:
            public += [*headers(path, seen), path]
            seen.add(path)
    with open(os.path.join(folder, "acme.h"), "w", encoding="utf-8") as f:
        f.write(licence % "the public headers" + "#ifndef ACME_SINGLE_H\n#define ACME_SINGLE_H\n" +
                "".join(whole(p) for p in dict.fromkeys(public)) + "\n#endif\n")
    with open(os.path.join(folder, "acme.c"), "w", encoding="utf-8") as f:
        f.write(licence % "all but the public headers" + '#include "acme.h"\n')
        for path in files:
            f.write("".join(whole(p) for p in headers(path, seen)))
            text = whole(path)
            f.write(renamed(text, path, twice & own[path]))
            f.write("".join(f"#undef {n}\n" for n in dict.fromkeys(re.findall(r"^#[ \t]*define[ \t]+(\w+)", text, re.M))))


if __name__ == "__main__":
    main(sys.argv[1])
