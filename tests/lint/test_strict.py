#!/usr/bin/env python3
"""Strict compilers: all that a device compiles is C99 with nothing of GNU in it, without a warning from gcc, from clang with nearly all of
its warnings on (armclang is clang) and, with char unsigned and enums short, from gcc for Cortex-M3. The names a linker sees differ in the
31 characters that C99 promises. What it takes for granted of an int is said where it is not so."""

import concurrent.futures
import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile

sys.path[:0] = [os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")]
import tap

OPTIONS = re.search(r"^HOST_OPTIONS = (.*)", open("Makefile", encoding="utf-8").read(), re.M)[1].split()
BEARSSL = next((d + "/inc" for d in (os.environ.get("BEARSSL_DIR", "/nowhere"), "build/src/bearssl") if os.path.isdir(d)), "/usr/include")
LWIP = os.environ.get("LWIP_DIR", "build/src/lwip")
MBEDTLS = os.environ.get("MBEDTLS_DIR", "build/src/mbedtls")
LISTS = {}
for name, path in re.findall(r"^(ACME_\w+) \+= (\S+)$", open("core/Filelists.mk", encoding="utf-8").read(), re.M):
    LISTS.setdefault(name, []).append(path)
# Who compiles what, with what: the folders of headers, other people's among them.
ROOMS = [(["ACME_CORE", "ACME_BEARSSL", "ACME_SECURE", "ACME_FLASH", "ACME_STORES"], ["-Iport/flash", "-Iport/stores"]),
         (["ACME_SOCKETS"], ["-Iport/sockets", "-D_POSIX_C_SOURCE=200809L"])]
if os.path.isdir(LWIP):
    ROOMS.append((["ACME_LWIP"], ["-Iport/lwip", "-DPPP_NUM_TIMEOUTS=0", "-Itests/conformance/lwip", "-isystem", LWIP + "/src/include"]))
if os.path.isdir(MBEDTLS):
    ROOMS.append((["ACME_MBEDTLS"], ["-Iport/mbedtls", "-isystem", MBEDTLS + "/include", '-DMBEDTLS_CONFIG_FILE="acme_mbedtls_config.h"']))
BOTH = """-std=c99 -pedantic-errors -fsyntax-only -Werror -Wall -Wextra -Wconversion -Wsign-conversion -Wshadow -Wcast-qual -Wundef -Wvla
    -Wstrict-prototypes -Wold-style-definition -Wmissing-prototypes -Wredundant-decls -Wnested-externs -Wwrite-strings -Wpointer-arith
    -Wformat=2 -Wswitch -Wunused-macros -Wdouble-promotion -Woverlength-strings -fno-common -Icore""".split()
GCC = "-Wcast-align=strict -Walloca -Warith-conversion -Wlogical-op -Wduplicated-cond -Wduplicated-branches -Wnull-dereference".split()
# Not of clang's: what C99 allows and the house likes, and what says "may".
CLANG = """-Weverything -Wno-padded -Wno-declaration-after-statement -Wno-switch-enum -Wno-bad-function-cast -Wno-conditional-uninitialized
    -Wno-disabled-macro-expansion -Wno-reserved-identifier -Wno-reserved-macro-identifier -Wno-unknown-warning-option""".split()
COMPILERS = [("gcc", ["gcc", *BOTH, *GCC, "-fsigned-char"]), ("clang-14", ["clang-14", *BOTH, *CLANG]),
             ("arm-none-eabi-gcc", ["arm-none-eabi-gcc", *BOTH, *GCC, "-mcpu=cortex-m3", "-mthumb", "-funsigned-char", "-fshort-enums"])]
# Words of GNU's C that -pedantic lets pass, or that stand where no compiler of these looks.
GNU = re.compile(r"__attribute__|__builtin_|__extension__|\b__?asm|\b__?typeof|\b__alignof|#\s*(?:warning|pragma|import|include_next)|\(\s*\{|"
                 r"\?\s*:|=\s*\{\s*\}|\bcase\b[^:\n]*\.\.\.|##\s*__VA_ARGS__|[(=,]\s*&&\s*\w|\b_Generic\b|\b_Static_assert\b|\b_Atomic\b|"
                 r"\b(?:is|to)(?:alpha|digit|xdigit|alnum|space|upper|lower|print|punct|cntrl|graph)\s*\(")
SIGNIFICANT = 31
ONE = "gcc -Os, for one name,"


def strip(text):
    """The code without comments and strings; lines stay where they are."""
    def blank(match):
        return re.sub(r"[^\n]", " " if match[0][0] == "/" else "s", match[0])
    return re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', blank, text, flags=re.S)


def foreign(text):
    return [text[:m.start()].count("\n") + 1 for m in GNU.finditer(strip(text))]


def alike(names):
    """Those that a linker with 31 characters takes for one."""
    seen = {}
    for name in names:
        seen.setdefault(name[:SIGNIFICANT], set()).add(name)
    return [sorted(group) for group in seen.values() if len(group) > 1]


def said(command, path):
    return subprocess.run([*command, path], capture_output=True, text=True).stderr


def compiled(folder):
    """What each compiler says: (its name, text) of every file."""
    include = os.path.join(folder, "include")  # these headers alone of a folder that another C library's may be in as well
    os.makedirs(include)
    for header in [os.path.join(os.environ.get("JSMN_DIR", "/usr/include"), "jsmn.h"), *glob.glob(BEARSSL + "/bearssl*.h")]:
        shutil.copy(header, include)
    # What gcc says when it optimizes, of arrays that have one member: a device of one name.
    optimized = ["gcc", "-std=c99", "-Os", "-Wall", "-Wextra", "-Werror", "-Icore", "-DACME_NAMES_MAX=1", "-DACME_HTTP01_SLOTS=1", "-S", "-o", "/dev/null", "-isystem", include]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        jobs = [(name, pool.submit(said, [*command, *OPTIONS, *flags, "-isystem", include], path))
                for name, command in COMPILERS if shutil.which(command[0])
                for lists, flags in ROOMS if not (name.startswith("arm") and lists == ["ACME_SOCKETS"])  # newlib has none
                for key in lists for path in LISTS[key]]
        jobs += [(ONE, pool.submit(said, optimized, path)) for path in LISTS["ACME_CORE"] if shutil.which("gcc")]
        return [(name, job.result()) for name, job in jobs]


def main():
    with tempfile.TemporaryDirectory() as folder:
        texts = compiled(folder)
    for name, command in [*COMPILERS, (ONE, ["gcc"])]:
        bad = [text for n, text in texts if n == name and text]
        if not shutil.which(command[0]):
            tap.skip(f"{name}: strict", "not here: tests/deps.sh")
            continue
        tap.note("\n".join(bad)[:3000])
        tap.ok(not bad, f"{name} has nothing to say in {sum(n == name for n, _ in texts)} files", f"{len(bad)} files")

    tree = sorted({p for key in LISTS if key != "ACME_POSIX" for p in LISTS[key]} |
                  {h for room in ("core", "core/*", "port/sockets", "port/flash", "port/stores", "port/lwip", "port/mbedtls", "port/freertos",
                                  "port/cmsis-rtos2") for h in glob.glob(room + "/*.h")})
    found = [f"{p}:{line}" for p in tree for line in foreign(open(p, encoding="utf-8").read())]
    tap.ok(not found, "no word of GNU's C and none of <ctype.h>", " ".join(found))

    symbols = subprocess.run(["nm", "-g", "--defined-only", "--quiet", *sorted(glob.glob("build/libnanoacme*.a"))], capture_output=True,
                             text=True).stdout
    names = set(re.findall(r"^[0-9a-f]* ?[A-TV-Z] (\w+)$", symbols, re.M))
    tap.ok(len(names) > 100 and not alike(names), f"no two of {len(names)} global names agree in {SIGNIFICANT} characters", str(alike(names)))

    with tempfile.TemporaryDirectory() as folder:
        small = os.path.join(folder, "small.c")
        with open(small, "w", encoding="utf-8") as f:
            f.write('#include "acme_config.h"\n')
        text = said(["gcc", "-Icore", "-U__INT_MAX__", "-D__INT_MAX__=32767", "-w", "-E", "-o", "/dev/null"], small)
        tap.ok("an int of 32 bits" in text, "an int of 16 bits is refused, in words", text[:200])

    # The checks themselves.
    tap.ok(foreign("x = y ?: z;") and foreign("struct s s = {};") and foreign("return ({ 1; });") and
           foreign("if (isdigit(c)) {}") and not foreign('/* __attribute__ */ f("({");'), "would see GNU's words, in code alone")
    tap.ok(alike({"acme_" + "a" * 26 + "b", "acme_" + "a" * 26 + "c"}) and not alike({"acme_a", "acme_b"}), "would see two names too alike")


main()
tap.end()
