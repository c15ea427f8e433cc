#!/usr/bin/env python3
"""C++: the public headers compile in it, what they declare is found in the library, and README's example is C++ as well."""

import glob
import os
import re
import subprocess
import sys
import tempfile

sys.path[:0] = [os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")]
import tap

STACKS = ["-isystem", os.environ["BEARSSL_DIR"] + "/inc"] if "BEARSSL_DIR" in os.environ else []
STRICT = "-Wall -Wextra -Werror -pedantic -Icore -Iport/flash -Iport/posix -Iport/sockets".split()
OPTIONS = re.search(r"^HOST_OPTIONS = (.*)", open("Makefile", encoding="utf-8").read(), re.M).group(1).split()
FLASH = []  # objects of port/flash
README = """#include "acme_port.h"
#include "secure/anchors.h"
extern "C" {
extern const struct acme_net my_net{};
extern const struct acme_sys my_sys{};
extern const struct acme_store my_store{};
extern const struct acme_listener my_listener{};
extern const struct acme_trust my_roots{};
}
static uint32_t now_ms() { return 0; }
static void my_trace(void *, const struct acme_event *) {}
static void my_log(int, const char *) {}
static bool my_tls_server_use(const char *, const char *) { return false; }
bool pair_load();
""" + "".join(re.findall(r"```c\n(.*?)```", open("README.md", encoding="utf-8").read(), re.S)) + """
int main()
{
    return certificate_begin() == ACME_E_ANCHORS && certificate_step() == 0 ? 0 : 1; // there are no roots, so nothing begins
}
"""


def builds(folder, compiler, standard, source):
    """Compiles, links and runs. Returns what went wrong."""
    program = os.path.join(folder, "program")
    done = subprocess.run([*compiler, f"-std={standard}", *STRICT, *OPTIONS, *STACKS, source, *FLASH,
                           "build/libnanoacme-posix.a", "build/libnanoacme.a", "-lbearssl", "-o", program],
                          capture_output=True, text=True)
    if done.returncode != 0:
        return done.stderr[-600:]
    code = subprocess.run([program]).returncode
    return f"it ended with {code}" if code != 0 else ""


with tempfile.TemporaryDirectory() as folder:
    subprocess.run(["make", "-s", "build/libnanoacme.a", "build/libnanoacme-posix.a"], check=True, capture_output=True)
    for source in sorted(glob.glob("port/flash/*.c")):
        FLASH.append(os.path.join(folder, os.path.basename(source) + ".o"))
        subprocess.run(["gcc", *STRICT, *OPTIONS, *STACKS, "-c", source, "-o", FLASH[-1]], check=True)
    for compiler in (["g++"], ["clang++-14", "-Wno-c99-extensions"]):
        why = builds(folder, compiler, "c++17", "tests/lint/user.cpp")
        tap.ok(not why, f"a firmware in C++17 compiles without a warning, links and runs, {compiler[0]}", why)
    example = os.path.join(folder, "readme.cpp")
    with open(example, "w", encoding="utf-8") as f:
        f.write(README)
    why = builds(folder, ["g++", "-Wno-missing-field-initializers", "-Wno-unused-variable"], "c++20", example)
    tap.ok(not why, "the example of README.md compiles as C++20, links and runs", why)
tap.end()
