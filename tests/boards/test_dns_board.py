#!/usr/bin/env python3
"""A board that writes its records into the zone itself (make firmware DNS01=1): a name and its wildcard, from Pebble that resolves by
Debian's BIND 9. Nobody can reach the board."""

import os
import subprocess
import sys

sys.path[:0] = [os.path.dirname(os.path.abspath(__file__))]
from machine import GATEWAY, ROOT, Machine, image
import servers
import tap

BOARD, ZONE = "lm3s6965evb", "example.test"
NAMES = ["board." + ZONE, "*.board." + ZONE]
FLASH, RAM = 256 * 1024, 64 * 1024  # the part's

if not os.path.exists("/usr/sbin/named"):
    tap.skip("dns-01 from a board", "BIND 9 is not installed")
    tap.end()

folder = servers.workdir()
for what, text in (("nothing", ""), ("no secret", 'key "a" {\n\talgorithm hmac-sha256;\n};\n'), ("a name that is none", 'key "a\\"b" {\n\tsecret "AAAA";\n};\n')):
    path = os.path.join(folder, "key")
    with open(path, "w") as f:
        f.write(text)
    done = subprocess.run([os.path.join(ROOT, "boards/firmware/site.sh"), "https://ca.example/", "", os.path.join(ROOT, "port/roots/public.pem"), *NAMES],
                          env={**os.environ, "DNS_SERVER": GATEWAY, "TSIG_KEY": path}, capture_output=True, text=True, cwd=ROOT)
    tap.ok(done.returncode == 65 and "site.sh: " in done.stderr, f"a key file with {what} is refused", done.stderr[-300:])
authority = servers.Authority(folder, key=servers.P256)
bind = servers.Zone(os.path.join(folder, "bind"), ZONE)
pebble = servers.Pebble(os.path.join(folder, "pebble"), authority, resolver=bind)
elf = image(BOARD, os.path.join(folder, "image"), f"https://{GATEWAY}:{pebble.port}/dir", authority.root, NAMES, make=["DNS01=1"], zone=bind)
machine = Machine(BOARD, elf, os.path.join(folder, "board"), servers.free_port())  # not the CA's: nobody looks there
log = machine.issued()
tap.ok("a new certificate is in use" in log and pebble.orders() == 1 and pebble.issued() == 1, "issued by dns-01, at the first order", log[-600:])
counts = [bind.log().count(what) for what in (f"adding an RR at '_acme-challenge.board.{ZONE}' TXT", f"deleting an RR at _acme-challenge.board.{ZONE} TXT")]
tap.ok(counts == [2, 2], "a record for each, added once and deleted once", f"{counts} {bind.log()[-800:]}")
tap.ok(bind.look(f"_acme-challenge.board.{ZONE}") == [], "nothing is left")
machine.fits("DNS01=1", FLASH, RAM)
machine.stop()
tap.end()
