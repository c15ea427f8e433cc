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
authority = servers.Authority(folder, key=servers.P256)
pebble = servers.Pebble(os.path.join(folder, "pebble"), authority)
elf = image(BOARD, os.path.join(folder, "image"), f"https://{GATEWAY}:{pebble.port}/dir", authority.root, NAMES, make=["ALPN=1"])
machine = Machine(BOARD, elf, os.path.join(folder, "board"), servers.free_port(), https_port=pebble.tls_port)  # nobody looks at port 80
log = machine.issued()
tap.ok("a new certificate is in use" in log and pebble.orders() == 1, "issued by tls-alpn-01, at the first order", log[-600:])
context = ssl.create_default_context(cadata=pebble.roots())
context.check_hostname = False
page = urllib.request.urlopen(f"https://127.0.0.1:{pebble.tls_port}/", context=context, timeout=20).read().decode()
tap.ok("<th>Issued by" in page, "and the page is on that port, with the new certificate", page[:300])
machine.fits("ALPN=1", FLASH, RAM)
machine.stop()
tap.end()
