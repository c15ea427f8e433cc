#!/usr/bin/env python3
"""What core/secure/README.md says is not linked of BearSSL is not: the program is linked with all of it at hand."""

import os
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import tap

LIBRARY = [os.environ["BEARSSL_DIR"] + "/build/libbearssl.a"] if "BEARSSL_DIR" in os.environ else ["-Wl,-Bstatic", "-lbearssl", "-Wl,-Bdynamic"]
STACKS = ["-isystem", os.environ["BEARSSL_DIR"] + "/inc"] if "BEARSSL_DIR" in os.environ else []
KINDS = ["m62", "m64", "c25519", "skey_decoder", "pss", "keygen", "modulus"]  # and whatever is named like these


def defined(path):
    text = subprocess.run(["nm", "--defined-only", path], capture_output=True, text=True).stdout
    return {line.split()[-1] for line in text.splitlines()}


page = open("core/secure/README.md", encoding="utf-8").read()
absent = {name for row in page.splitlines() if "not linked" in row for name in re.findall(r"`(br_\w+)`", row)}
absent -= {"br_ec_p256_m31"}
with tempfile.TemporaryDirectory() as folder:
    program = os.path.join(folder, "program")
    parts = subprocess.run(["find", "build/obj/port/posix", "-maxdepth", "1", "-name", "*.o"], capture_output=True, text=True).stdout.split()
    parts = [p for p in parts if os.path.exists(p[len("build/obj/"):-2] + ".c") and not os.path.basename(p).startswith("posix_")]
    done = subprocess.run(["gcc", "-o", program, *parts, "build/libnanoacme-posix.a", "build/libnanoacme.a", *LIBRARY], capture_output=True, text=True)
    names = defined(program)
    tap.ok(done.returncode == 0 and "br_x509_minimal_init" in names, "the program is linked, BearSSL in it", done.stderr[-300:])
    tap.ok(len(absent) >= 6 and not absent & names, "what the page says is not linked is not", " ".join(absent & names))
    odd = {n for n in names if n.startswith("br_") and any(k in n for k in KINDS)}
    tap.ok(not odd, "nor is anything of its kind", " ".join(sorted(odd)))
    headers = subprocess.run(["gcc", *STACKS, "-E", "-x", "c", "-"], input="#include <bearssl.h>\n", capture_output=True, text=True).stdout
    odd = {n for n in absent if not re.search(rf"\b{n}\b", headers)}
    tap.ok(not odd, "the names are BearSSL's", " ".join(odd))
tap.end()
