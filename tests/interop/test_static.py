#!/usr/bin/env python3
"""`make static`: one file that needs no other, which issues: with musl on this machine, and for a big-endian one (s390x) that qemu-user
plays. STATIC=build/static-.../nanoacme takes one that is made, with PREFIX="qemu-..." to run it."""

import os
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..")]
ROOT = os.path.abspath(os.path.join(HERE, "..", ".."))
import servers
import tap
from client import NEW, Client

SIZE_MAX = 512 * 1024  # with musl
# compiler: what else it needs, arguments of make, what runs it
MACHINES = {"musl-gcc": ((), (), ()), "s390x-linux-gnu-gcc": (("qemu-s390x",), ("AR=s390x-linux-gnu-ar",), ("qemu-s390x",))}


def make(compiler):
    """Returns the program, or None and why not."""
    tools, arguments, _ = MACHINES[compiler]
    lacking = [t for t in (compiler, *tools) if not shutil.which(t)]
    if lacking or not os.path.isdir(os.path.join(os.environ.get("BEARSSL_DIR", f"{ROOT}/build/src/bearssl"), "src")):
        tap.skip(f"a static program with {compiler}", f"no {lacking[0] if lacking else 'source of BearSSL'}: tests/deps.sh check")
        return None
    done = subprocess.run(["make", "-s", "-j2", "static", f"CC={compiler}", *arguments], cwd=ROOT, capture_output=True, text=True)
    return f"{ROOT}/build/static-{compiler}/nanoacme" if tap.ok(done.returncode == 0, f"make static CC={compiler}", done.stderr[-500:]) else None


def look(pebble, folder, what, program, prefix, forced):
    headers = subprocess.run(["readelf", "-lW", program], capture_output=True, text=True).stdout
    tap.ok("LOAD" in headers and "INTERP" not in headers and "DYNAMIC" not in headers, f"{what}: it needs no other file")
    tap.note(f"{what}: {os.path.getsize(program)} bytes")
    client = Client(os.path.join(folder, what), pebble, program=program)
    names = ["static.example.test"]
    for how, force in (("issues", False), ("and once more", True))[:1 + forced]:
        run = client.run("issue", *names, force=force, prefix=prefix, limit_s=200)
        tap.ok(run.code == NEW and not client.fault(names, pebble.roots(1)), f"{what}: {how}", run.tail())


def main():
    for variable in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL"):
        os.environ.pop(variable, None)
    folder = servers.workdir()
    pebble = servers.Pebble(folder, servers.Authority(folder))
    if os.environ.get("STATIC"):
        look(pebble, folder, "given", os.path.abspath(os.environ["STATIC"]), os.environ.get("PREFIX", "").split(), True)
        return
    for compiler, (_, _, prefix) in MACHINES.items():
        program = make(compiler)
        if program:
            look(pebble, folder, compiler, program, prefix, not prefix)
            tap.ok(prefix or os.path.getsize(program) <= SIZE_MAX, f"{compiler}: its size", f"more than {SIZE_MAX}")


main()
tap.end()
