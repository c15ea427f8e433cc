#!/usr/bin/env python3
"""mps2-an385 with lwIP and Mbed TLS, and nothing of BearSSL in the image: a certificate from Pebble, and none at the second boot. What
it takes; what nanoacme adds to a firmware that has the two libraries anyway; the longest tick."""

import os
import re
import subprocess
import sys

sys.path[:0] = [os.path.dirname(os.path.abspath(__file__))]
from machine import EXACT, GATEWAY, KEYS, ROOT, Machine
import servers
import tap

BOARD, NAME = "mps2-an385", "mbedtls.example.test"
OWN = ["MB=build/own-mbedtls/board"] if "MBEDTLS_DIR" in os.environ else []
MOST_RAM = 12 * 1024
LONGEST_KILO = 1500  # a tick, of a P-256 chain and TLS 1.2, with what tests/mbedtls/board.c has as MAX_OPS
# What nanoacme adds: what issues; and with renewal, trace and check.
FLAVOURS = {"issuing": (["HEADLESS=1", "BARE=1"], 38 * 1024), "whole": ([], 47 * 1024)}


def link(path, site="", make=()):
    """Links tests/mbedtls/board.c. Returns the image."""
    done = subprocess.run(["make", "-s", "-j2", "firmware-mbedtls", f"SITE={site}", f"IMAGE={path}", *OWN, *make], cwd=ROOT,
                          capture_output=True, text=True)
    if done.returncode != 0:
        raise servers.Failed(f"make firmware-mbedtls: {done.stderr[-600:]}")
    return path + ".elf"


def site(path, pebble, roots):
    with open(roots, encoding="utf-8") as f:
        pem = f.read().replace("\n", "\\n")
    with open(path, "w", encoding="utf-8") as f:
        f.write(f'const char site_directory[] = "https://{GATEWAY}:{pebble.port}/dir", site_tls_name[] = "localhost",\n'
                f'           site_roots[] = "{pem}", site_name[] = "{NAME}";\n')
    return path


def size(elf):
    text, data, bss = map(int, subprocess.run(["arm-none-eabi-size", elf], capture_output=True,
                                              text=True).stdout.splitlines()[1].split()[:3])
    return text + data, data + bss


def figures(machine):
    return {w: int(n) for w, n in re.findall(r"\] (\w+) (\d+)\r?\n", machine.log())}


def main():
    folder = servers.workdir()
    which = sys.argv[1] if len(sys.argv) > 1 else "p256"
    authority = servers.Authority(folder, key=KEYS[which])
    pebble = servers.Pebble(os.path.join(folder, "pebble"), authority)
    made_for = site(os.path.join(folder, "site.c"), pebble, authority.root)
    elf = link(os.path.join(folder, "image"), made_for, sys.argv[2:])
    symbols = re.findall(r" (\w+)$", subprocess.run(["arm-none-eabi-nm", elf], capture_output=True, text=True).stdout, re.M)
    foreign = [s for s in symbols if re.match(r"br_|acme_tls_|acme_ec$|_*(malloc|sbrk|printf)", s)]
    tap.ok("mbedtls_ssl_handshake_step" in symbols and not foreign, "nothing of BearSSL, and no heap but the arena, is linked", foreign)

    machine = Machine(BOARD, elf, os.path.join(folder, "board"), pebble.http_port, EXACT)
    status = machine.wait_end(120)
    tap.ok(status == 0 and pebble.issued() == 1, "it obtains a certificate", f"{status}: {machine.log()[-600:]}")
    found = figures(machine)
    tap.note(f"server {which}: {found}")
    again = Machine(BOARD, elf, os.path.join(folder, "board"), pebble.http_port, EXACT)
    status = again.wait_end(60)
    tap.ok(status == 2 and pebble.issued() == 1, "its next boot finds it, and orders none", f"{status}: {again.log()[-600:]}")
    longest = max(found["longest_tick_kilo"], figures(again)["longest_tick_kilo"])
    if not OWN and which == "p256" and not sys.argv[2:]:
        tap.ok(longest <= LONGEST_KILO, "no call is long: handshake, signatures, keys made and read", longest)

    base_flash, base_ram = size(link(os.path.join(folder, "base"), make=["BASE=1"]))
    for flavour, (options, most) in FLAVOURS.items():
        flash, ram = size(link(os.path.join(folder, flavour), made_for, ["QUIET=1", *options]))
        tap.ok(flash - base_flash <= most and ram - base_ram <= MOST_RAM, f"what nanoacme adds is within its budget: {flavour}",
               (flash - base_flash, ram - base_ram))
        tap.note(f"{flavour}: flash {base_flash} without, {flash} with: {flash - base_flash}; RAM {base_ram} and {ram}: {ram - base_ram}")
    tap.end()


if __name__ == "__main__":
    if not os.path.isdir(os.environ.get("MBEDTLS_DIR", os.path.join(ROOT, "build/src/mbedtls"))):
        tap.skip("a board with Mbed TLS", "no source of it: tests/deps.sh check")
        tap.end()
    main()
