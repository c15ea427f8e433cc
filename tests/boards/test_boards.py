#!/usr/bin/env python3
"""The firmware on every board, in the emulator, against Pebble: obtains, serves, finds its pair again, resumes, refuses."""

import os
import sys

sys.path[:0] = [os.path.dirname(os.path.abspath(__file__))]
from machine import GATEWAY, ROOT, Machine, fetch, image
import servers
import tap

NAME = "board.example.test"
BOARDS = sys.argv[1:] or sorted(b for b in os.listdir(os.path.join(ROOT, "boards"))
                                if os.path.exists(os.path.join(ROOT, "boards", b, "qemu")))
DONE = r"port 443|no page|failed at|cannot begin"


def scenes(board, folder, authority):
    """In three parts, so that the minute a board waits after the power was lost passes while others are at work."""
    # This one needs no answer from the board: whenever the power goes, the order is still good.
    lenient = servers.Pebble(os.path.join(folder, "lenient"), authority, env={"PEBBLE_VA_ALWAYS_VALID": "1"})
    cut_elf = image(board, os.path.join(folder, "lenient-image"), f"https://{GATEWAY}:{lenient.port}/dir", authority.root, [NAME])
    cut, orders = os.path.join(folder, "cut"), lenient.orders()
    machine = Machine(board, cut_elf, cut, lenient.http_port)
    machine.wait_for("stored: order")
    machine.cut()
    machine = Machine(board, cut_elf, cut, lenient.http_port)
    machine.wait_for("next attempt")
    tap.ok(lenient.orders() == orders + 1 and machine.figure("requests") == 0,
           f"{board}: power lost in the middle of an order: nothing is asked for at once", machine.log()[-400:])
    machine.cut()
    yield

    pebble = servers.Pebble(os.path.join(folder, "pebble"), authority)
    url = f"https://{GATEWAY}:{pebble.port}/dir"
    elf = image(board, os.path.join(folder, "image"), url, authority.root, [NAME])
    here = os.path.join(folder, "first")
    machine = Machine(board, elf, here, pebble.http_port)
    machine.wait_for(DONE)
    tap.ok("a new certificate" in machine.log() and pebble.issued() == 1, f"{board}: obtains a certificate", machine.log()[-400:])
    tap.ok(machine.figure("handshakes") == 1, f"{board}: one TLS handshake", machine.figure("handshakes"))
    roots = pebble.roots_file()
    json = fetch(machine, NAME, roots, "/status.json")
    tap.ok(f'"names":["{NAME}"]' in json and '"heap":0' in json, f"{board}: serves its status with that certificate", json)
    tap.ok("<title>" in fetch(machine, NAME, roots, "/"), f"{board}: serves its page")
    machine.cut()

    asked = pebble.orders()
    machine = Machine(board, elf, here, pebble.http_port)
    machine.wait_for(DONE)
    tap.ok("nothing to do" in machine.log() and pebble.orders() == asked and machine.figure("requests") == 0,
           f"{board}: a second boot finds the pair and asks nobody", machine.log()[-400:])
    machine.cut()

    elf = image(board, os.path.join(folder, "other"), url, authority.root, [NAME], tls_name="other.example.test")
    machine = Machine(board, elf, os.path.join(folder, "other-run"), pebble.http_port)
    machine.wait_for(DONE, 90)
    tap.ok("is for another name" in machine.log() and machine.figure("requests") == 0,
           f"{board}: a server with another name is refused", machine.log()[-400:])
    machine.cut()
    pebble.stop()
    yield

    machine = Machine(board, cut_elf, cut, lenient.http_port)
    machine.wait_for("a new certificate|failed at", 120)
    tap.ok("a new certificate" in machine.log() and lenient.orders() == orders + 1 and lenient.accounts() == 1,
           f"{board}: a minute later the same order is taken up",
           f"{lenient.orders() - orders} orders, {lenient.accounts()} accounts: {machine.log()[-400:]}")
    machine.cut()
    lenient.stop()


folder = servers.workdir()
authority = servers.Authority(folder, key=servers.P256)
parts = {board: scenes(board, os.path.join(folder, board), authority) for board in BOARDS}
for _ in range(3):
    for board in list(parts):
        try:
            next(parts[board], None)
        except servers.Failed as failure:
            tap.ok(False, f"{board}", str(failure))
            del parts[board]
tap.end()
