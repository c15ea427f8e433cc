#!/usr/bin/env python3
"""The lines of port/lwip/README.md, as they stand there, obtain a certificate in the emulator."""

import os
import sys

sys.path[:0] = [os.path.dirname(os.path.abspath(__file__))]
from machine import GATEWAY, Machine, image
import integration
import servers
import tap

WORDS = {15: "Fifteen"}


def main():
    folder = servers.workdir()
    count = len([line for line in integration.lines().splitlines() if line.strip()])
    with open(integration.PAGE, encoding="utf-8") as f:
        tap.ok(f"{WORDS.get(count, count)} lines:" in f.read(), "the page counts its lines right", count)
    authority = servers.Authority(folder, key=("ec", "-pkeyopt", "ec_paramgen_curve:P-256"))
    pebble = servers.Pebble(os.path.join(folder, "pebble"), authority)
    elf = image(integration.BOARD, os.path.join(folder, "image"), f"https://{GATEWAY}:{pebble.port}/dir", authority.root,
                ["integration.example.test"], make=[f"MAIN={integration.program(os.path.join(folder, 'program'))}"])
    machine = Machine(integration.BOARD, elf, os.path.join(folder, "board"), pebble.http_port)
    status = machine.wait_end(60)
    tap.ok(status == 0 and pebble.issued() == 1, "a firmware of these lines obtains a certificate", f"{status}: {machine.log()[-500:]}")


try:
    main()
except servers.Failed as failure:
    tap.ok(False, "the lines of the page", str(failure))
tap.end()
