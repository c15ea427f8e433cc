#!/usr/bin/env python3
"""Unit tests on a big-endian machine: built for s390x, run by qemu-user. The libraries are Debian's for that machine, unpacked
below build/ from where this one has its packages; nothing of the system changes."""

import concurrent.futures
import glob
import os
import re
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.abspath(os.path.join(HERE, "..", ".."))
sys.path[:0] = [os.path.join(HERE, "..")]
import tap

MACHINE, COMPILER, EMULATOR = "s390x", "s390x-linux-gnu-gcc", "qemu-s390x"
BUILD = os.path.join(ROOT, "build", MACHINE)
LIBRARIES = os.path.join(BUILD, "root", "usr", "lib", "s390x-linux-gnu")
# The loader is named, instead of a folder for the emulator's -L: that one takes the place of / in what programs open, too.
LOADER = ["/usr/s390x-linux-gnu/lib/ld64.so.1", "--library-path", f"{LIBRARIES}:/usr/s390x-linux-gnu/lib"]
PACKAGES = "libssl3 libssl-dev libcmocka-dev libcmocka0 libjansson-dev libjansson4 libbearssl-dev libbearssl0".split()
# Played are those whose program makes or reads bytes of a wire, a file or a key. What the client does with them knows no order of
# bytes, and the dialogues show it on this machine too (tests/target).
BYTES = re.compile(r'"(wire|jose|x509|roots|secure|dns)/|"(fake/flash|lifecycle/record|eab|nameserver|posix|protocol/challenge_tlsalpn01)\.h"|'
                   r'boards/')
# A handshake or a sweep takes minutes there, and none of them knows bytes that the others do not.
SLOW = {"test_tls", "test_acme", "test_manage", "test_flash_run", "test_states", "test_stores"}
# The emulator has neither Landlock nor seccomp, and /proc tells the numbers that it gives signals, not the program's.
OF_THE_SYSTEM = {"test_fence", "test_hook"}
LIMIT_S = 1500  # half a minute is enough; behind others it has to wait


def sysroot():
    """Returns what is wrong; "" nothing."""
    if all(os.path.exists(os.path.join(LIBRARIES, f"lib{name}.so")) for name in ("cmocka", "jansson")):
        return ""
    work = os.path.join(BUILD, "apt")
    for folder in ("lists/partial", "cache/archives/partial"):
        os.makedirs(os.path.join(work, folder), exist_ok=True)
    targets = subprocess.run(["apt-get", "indextargets", "--format", f"deb [arch={MACHINE}] $(REPO_URI) $(RELEASE) $(COMPONENT)",
                              "Identifier: Packages"], capture_output=True, text=True).stdout
    with open(os.path.join(work, "sources.list"), "w") as f:
        f.write("\n".join(sorted(set(targets.splitlines()))) + "\n")
    open(os.path.join(work, "status"), "w").close()
    apt = ["apt-get", "-qq", *(x for o in (f"Dir::Etc::SourceList={work}/sources.list", "Dir::Etc::SourceParts=-",
                                           f"Dir::State::Lists={work}/lists", f"Dir::Cache={work}/cache",
                                           f"Dir::State::status={work}/status", f"APT::Architecture={MACHINE}",
                                           f"APT::Architectures={MACHINE}", "APT::Sandbox::User=") for x in ("-o", o))]
    for command in ([*apt, "update"], [*apt, "download", *PACKAGES]):
        done = subprocess.run(command, cwd=work, capture_output=True, text=True)
        if done.returncode != 0:
            return done.stderr[-300:].replace("\n", " ")
    for package in glob.glob(os.path.join(work, "*.deb")):
        subprocess.run(["dpkg-deb", "-x", package, os.path.join(BUILD, "root")], check=True)
    shutil.copy(os.path.join(os.environ.get("JSMN_DIR", "/usr/include"), "jsmn.h"), os.path.join(BUILD, "root/usr/include"))
    return ""


def build():
    include = os.path.join(BUILD, "root", "usr", "include")
    return subprocess.run(["make", "-s", "-j2", f"B={BUILD}", f"CC={COMPILER}", "CFLAGS=-O1",
                           f"CPPFLAGS=-isystem {include} -isystem {include}/s390x-linux-gnu",
                           f"LDFLAGS=-L{LIBRARIES} -Wl,-rpath-link,{LIBRARIES}",
                           *(os.path.join(BUILD, "tests", "unit", p) for p in programs())],
                          cwd=ROOT, capture_output=True, text=True)


def programs():
    names = sorted(os.path.basename(p)[:-2] for p in glob.glob(os.path.join(ROOT, "tests", "unit", "test_*.c")))
    known = [n for n in names if BYTES.search(open(os.path.join(ROOT, "tests", "unit", f"{n}.c"), encoding="utf-8").read())]
    return [n for n in known if n not in SLOW | OF_THE_SYSTEM]


def main():
    missing = [p for p in (COMPILER, EMULATOR, "apt-get", "dpkg-deb") if not shutil.which(p)]
    wrong = f"no {missing[0]}" if missing else sysroot()
    if wrong:
        tap.skip("unit tests on s390x", wrong)
        return
    done = build()
    if not tap.ok(done.returncode == 0, "the unit tests build for s390x", done.stderr[-500:]):
        return
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        for name, done in [(n, pool.submit(emulate, n)) for n in programs()]:
            good, why = done.result()
            tap.ok(good, f"{name} on a big-endian machine", why)


def emulate(name):
    """Runs a program. Returns whether it was well, and what it said if not."""
    try:
        run = subprocess.run([EMULATOR, "-E", "CMOCKA_MESSAGE_OUTPUT=STDOUT", *LOADER, os.path.join(BUILD, "tests", "unit", name)],
                             stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", timeout=LIMIT_S)
    except subprocess.TimeoutExpired:
        return False, f"not done after {LIMIT_S} s"
    return run.returncode == 0 and "[       OK ]" in run.stdout, run.stderr[-300:]

os.chdir(ROOT)
for variable in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL"):
    os.environ.pop(variable, None)
main()
tap.end()
