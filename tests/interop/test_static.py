#!/usr/bin/env python3
"""`make static CC=musl-gcc`: one file that needs no other, which issues and renews. STATIC=build/static-.../nanoacme takes one that is
made, PREFIX="qemu-s390x" runs it by an emulator."""

import os
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..")]
ROOT = os.path.abspath(os.path.join(HERE, "..", ".."))
MADE = os.environ.get("STATIC")
os.environ["NANOACME"] = os.path.join(ROOT, MADE or "build/static-musl-gcc/nanoacme")
import servers
import tap
from client import NEW, PROGRAM, Client

SIZE_MAX = 512 * 1024


def main():
    if not MADE and (not shutil.which("musl-gcc") or not os.path.isdir(os.path.join(os.environ.get("BEARSSL_DIR", f"{ROOT}/build/src/bearssl"), "src"))):
        tap.skip("a static program with musl", "no musl-gcc, or no source of BearSSL: tests/deps.sh check")
        return
    if not MADE:
        for variable in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL"):
            os.environ.pop(variable, None)
        done = subprocess.run(["make", "-s", "-j2", "static", "CC=musl-gcc"], cwd=ROOT, capture_output=True, text=True)
        if not tap.ok(done.returncode == 0, "make static CC=musl-gcc", done.stderr[-500:]):
            return
    headers = subprocess.run(["readelf", "-lW", PROGRAM], capture_output=True, text=True).stdout
    tap.ok("LOAD" in headers and "INTERP" not in headers and "DYNAMIC" not in headers, "it needs no other file")
    size = os.path.getsize(PROGRAM)
    tap.ok(size <= SIZE_MAX or MADE, f"and has {size} bytes", f"more than {SIZE_MAX}")
    folder = servers.workdir()
    pebble = servers.Pebble(folder, servers.Authority(folder))
    client = Client(folder, pebble)
    names = ["static.example.test"]
    prefix = os.environ.get("PREFIX", "").split()
    for what, force in (("issues", False), ("and once more", True)):
        run = client.run("issue", *names, force=force, prefix=prefix, limit_s=200)
        tap.ok(run.code == NEW and not client.fault(names, pebble.roots(1)), what, run.tail())


main()
tap.end()
