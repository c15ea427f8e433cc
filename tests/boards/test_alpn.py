#!/usr/bin/env python3
"""A board that is validated by TLS on the port of its page (make firmware ALPN=1): issued, and then the page is there."""

import os
import ssl
import sys
import urllib.request

sys.path[:0] = [os.path.dirname(os.path.abspath(__file__))]
from machine import GATEWAY, Machine, image
import servers
import tap

BOARD, NAMES = "lm3s6965evb", ["alpn.example.test", "second.example.test"]
FLASH, RAM = 256 * 1024, 64 * 1024  # the part's

folder = servers.workdir()
authority = servers.Authority(folder, key=("ec", "-pkeyopt", "ec_paramgen_curve:P-256"))
pebble = servers.Pebble(os.path.join(folder, "pebble"), authority)
elf = image(BOARD, os.path.join(folder, "image"), f"https://{GATEWAY}:{pebble.port}/dir", authority.root, NAMES, make=["ALPN=1"])
machine = Machine(BOARD, elf, os.path.join(folder, "board"), servers.free_port(), https_port=pebble.tls_port)  # nobody looks at port 80
try:
    machine.wait_for("page is on port 443")
except servers.Failed as failure:
    tap.ok(False, "issued", failure)
    tap.end()
log = machine.log()
tap.ok("a new certificate is in use" in log and pebble.orders() == 1, "issued by tls-alpn-01, at the first order", log[-600:])
context = ssl.create_default_context(cadata=pebble.roots())
context.check_hostname = False
page = urllib.request.urlopen(f"https://127.0.0.1:{pebble.tls_port}/", context=context, timeout=20).read().decode()
tap.ok("<th>Issued by" in page, "and the page is on that port, with the new certificate", page[:300])
figures = {word: machine.figure(word) for word in ("flash", "ram", "stack_size", "stack_peak")}
tap.ok(figures["flash"] <= FLASH and figures["ram"] + figures["stack_size"] <= RAM, f"in {FLASH} bytes of flash and {RAM} of RAM", figures)
wrong = machine.as_told("ALPN=1")
tap.ok(not wrong, "as boards/README.md tells", wrong)
tap.note(figures)
machine.stop()
tap.end()
