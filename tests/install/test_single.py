#!/usr/bin/env python3
"""`make dist-single`: one acme.c and one acme.h that compile without a warning and pass the unit tests."""

import os
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.abspath(os.path.join(HERE, "..", ".."))
sys.path[:0] = [os.path.join(HERE, "..")]
import tap

BUILD, SANITIZE = "build/asan", "-O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer"
TESTS = ("b64url base64 chain csr date der flash_store flow http http01 jws json keeper key_p256 leaf link out pem plan poll problem record "
         "renewal resource slice stores url").split()
STRICT = "-std=c99 -pedantic -Wall -Wextra -Werror -Wconversion -Wsign-conversion -Wshadow -Wmissing-prototypes -Wundef".split()
USER = """#include "acme.h"
static struct acme_client client;
static struct acme_flash_store store;
static struct acme_key_p256 key;
int main(void)
{
    static struct acme_setup setup;
    setup.store = &store.store;
    setup.account_key.handle = &key;
    return acme_init(&client, &setup) == ACME_E_NULL ? 0 : 1;
}
"""


def run(*command):
    """Returns what went wrong."""
    done = subprocess.run(command, capture_output=True, text=True)
    return "" if done.returncode == 0 else (done.stdout + done.stderr)[-500:] or str(done.returncode)


os.chdir(ROOT)
for variable in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL"):
    os.environ.pop(variable, None)
makefile = open("Makefile", encoding="utf-8").read()
options = re.search(r"^HOST_OPTIONS = ((?:.*\\\n)*.*)", makefile, re.M)[1].replace("\\\n", " ").split()
stacks = ["-isystem", os.environ["BEARSSL_DIR"] + "/inc"] if "BEARSSL_DIR" in os.environ else []
stacks += ["-isystem", os.environ["JSMN_DIR"]] if "JSMN_DIR" in os.environ else []
bearssl = [os.environ["BEARSSL_DIR"] + "/build/libbearssl.a"] if "BEARSSL_DIR" in os.environ else ["-lbearssl"]
with tempfile.TemporaryDirectory() as to:
    wrong = run("make", "-s", "dist-single", f"SINGLE={to}")
    tap.ok(not wrong and sorted(os.listdir(to)) == ["acme.c", "acme.h"], "make dist-single writes acme.c and acme.h", wrong)
    code = open(f"{to}/acme.c", encoding="utf-8").read()
    listed = re.findall(r"^ACME_(?:CORE|BEARSSL|FLASH|STORES) \+= (\S+)", open("core/Filelists.mk", encoding="utf-8").read(), re.M)
    tap.ok(re.findall(r"^/\* ---- (\S+\.c) ---- \*/", code, re.M) == listed, "of every source of the list, in its order")
    wrong = run("gcc", *STRICT, *options, *stacks, "-O1", "-g", "-c", f"{to}/acme.c", "-o", f"{to}/acme.o")
    tap.ok(not wrong, "gcc has nothing to say against it", wrong)
    wrong = run("gcc", *STRICT, *stacks, "-fsyntax-only", f"{to}/acme.c")
    tap.ok(not wrong, "nor with every option as it comes", wrong)
    names = subprocess.run(["nm", "-g", "--defined-only", f"{to}/acme.o"], capture_output=True, text=True).stdout
    odd = [line.split()[-1] for line in names.splitlines() if not line.split()[-1].startswith("acme_")]
    tap.ok(names and not odd, "every external symbol begins with acme_", " ".join(odd))
    for compiler, suffix in ((["gcc", "-std=c99"], "c"), (["g++", "-std=c++17"], "cpp")):
        with open(f"{to}/user.{suffix}", "w", encoding="utf-8") as f:
            f.write(USER)
        wrong = run(*compiler, "-Wall", "-Wextra", "-Werror", "-pedantic", *options, *stacks, f"-I{to}", f"{to}/user.{suffix}", f"{to}/acme.o",
                    *bearssl, "-o", f"{to}/user") or run(f"{to}/user")
        tap.ok(not wrong, f"a program that includes acme.h and nothing else, {compiler[0]}", wrong)
    # As other people's builds are: link-time optimization, enums as small as they can be (the rule of Arm's ABI), another compiler.
    for what, compiler, cxx, flags in (("-Os -flto -fshort-enums", "gcc", "g++", ["-Os", "-flto", "-fshort-enums"]),
                                       ("clang", "clang-14", "clang++-14", ["-O1"])):
        if not shutil.which(compiler) or not shutil.which(cxx):
            tap.skip(f"{what}: a program in C++17 links and runs", f"no {compiler}")
            continue
        wrong = run(compiler, "-std=c99", "-pedantic", "-Wall", "-Wextra", "-Werror", *flags, *options, *stacks, "-c", f"{to}/acme.c", "-o", f"{to}/other.o") or \
            run(cxx, "-std=c++17", "-pedantic", "-Wall", "-Wextra", "-Werror", *flags, *options, *stacks, f"-I{to}", f"{to}/user.cpp", f"{to}/other.o",
                *bearssl, "-o", f"{to}/user") or run(f"{to}/user")
        tap.ok(not wrong, f"{what}: a program in C++17 links and runs", wrong)
    programs = [f"{BUILD}/tests/unit/test_{t}" for t in TESTS]
    wrong = run("make", "-s", "-j2", f"B={BUILD}", "CC=gcc", f"CFLAGS={SANITIZE}", *programs)
    tap.ok(not wrong, "the unit tests are built", wrong)
    os.environ["CMOCKA_MESSAGE_OUTPUT"] = "STDOUT"
    shelf = {name: [f"{BUILD}/obj/tests/unit/shelf.o"] for name in ("flash_store", "stores")}
    for name in TESTS:
        wrong = run("gcc", *SANITIZE.split(), "-o", f"{to}/test", f"{BUILD}/obj/tests/unit/test_{name}.o", *shelf.get(name, []), f"{to}/acme.o", f"{BUILD}/libhelpers.a",
                    f"{BUILD}/libnanoacme-posix.a", "-lcmocka", "-ljansson", "-lssl", "-lcrypto", *bearssl) or run(f"{to}/test")
        tap.ok(not wrong, f"test_{name} passes on the single file", wrong)
tap.end()
