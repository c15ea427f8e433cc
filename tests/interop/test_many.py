#!/usr/bin/env python3
"""Several clients in one program at the same time (many.c): each gets its certificate, with an account of its own. The keys of
every second one are not ours to see, as in a secure element."""

import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..")]
import servers
import tap

NAMES = [f"c{i}.example.test" for i in range(4)]

folder = servers.workdir()
pebble = servers.Pebble(folder, servers.Authority(folder), env={"PEBBLE_WFE_NONCEREJECT": "15"})
program = os.path.join(folder, "many")
stacks = ["-isystem", os.environ["BEARSSL_DIR"] + "/inc"] if "BEARSSL_DIR" in os.environ else []
library = [os.environ["BEARSSL_DIR"] + "/build/libbearssl.a"] if "BEARSSL_DIR" in os.environ else ["-lbearssl"]
with open(os.path.join(HERE, "..", "..", "Makefile")) as makefile:  # what the libraries were built with
    options = re.search("^HOST_OPTIONS = (.*)", makefile.read(), re.M)[1].split()
built = subprocess.run(["cc", *options, "-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror", "-Icore", "-Iport/posix", "-Iport/sockets", *stacks,
                        os.path.join(HERE, "many.c"), os.path.join(servers.BUILD, "libnanoacme-posix.a"),
                        os.path.join(servers.BUILD, "libnanoacme.a"), *library, "-lcrypto", "-lpthread", "-o", program],
                       capture_output=True, text=True)
if tap.ok(built.returncode == 0, "a program of four clients builds against the libraries", built.stderr[-500:]):
    run = subprocess.run([*servers.LEASH, program, pebble.directory, pebble.ca_file, os.path.join(folder, "state"),
                          str(pebble.http_port), *NAMES], capture_output=True, text=True, timeout=120)
    tap.ok(run.returncode == 0, "all four get a certificate", run.stdout[-500:])
    tap.ok(pebble.accounts() == 4, "each has its account", pebble.accounts())
    tap.ok(pebble.orders() == 4, "and one order", pebble.orders())
    for i, name in enumerate(NAMES):
        there = [os.path.exists(os.path.join(folder, f"state-{i}", name, f)) for f in ("fullchain.pem", "privkey.pem")]
        tap.ok(there == [True, i % 2 == 0], f"{name}: {'no key is' if i % 2 else 'its key is'} in the store", there)
tap.end()
