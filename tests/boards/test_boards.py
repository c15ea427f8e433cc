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


class Cut:
    """A board that loses its power in the middle of an order. Its next attempt comes after a minute, as behind every one that
    has come to nothing; meanwhile the others have their scenes. The CA needs no answer from the board: whenever the power
    goes, the order is still good."""

    def __init__(self, board, folder, authority):
        self.board = board
        self.pebble = servers.Pebble(os.path.join(folder, "lenient"), authority, env={"PEBBLE_VA_ALWAYS_VALID": "1"})
        elf = image(board, os.path.join(folder, "lenient-image"), f"https://{GATEWAY}:{self.pebble.port}/dir", authority.root, [NAME])
        here = os.path.join(folder, "cut")
        machine = Machine(board, elf, here, self.pebble.http_port)
        machine.wait_for("stored: order")
        machine.cut()
        self.machine = Machine(board, elf, here, self.pebble.http_port)
        self.machine.wait_for("no page")
        tap.ok("next attempt" in self.machine.log() and "TLS with" not in self.machine.log(),
               f"{board}: power lost in the middle of an order: the attempt counts, and the next one waits", self.machine.log()[-400:])

    def end(self):
        self.machine.wait_for("a new certificate|failed at|cannot begin", 120)
        tap.ok("a new certificate" in self.machine.log() and self.pebble.orders() == 1 and self.pebble.accounts() == 1,
               f"{self.board}: then the same order is taken up",
               f"{self.pebble.orders()} orders, {self.pebble.accounts()} accounts: {self.machine.log()[-400:]}")
        self.machine.cut()
        self.pebble.stop()


def scenes(board, folder, authority):
    pebble = servers.Pebble(os.path.join(folder, "pebble"), authority)
    url = f"https://{GATEWAY}:{pebble.port}/dir"
    elf = image(board, os.path.join(folder, "image"), url, authority.root, [NAME])
    here = os.path.join(folder, "first")

    machine = Machine(board, elf, here, pebble.http_port)
    machine.wait_for(DONE)
    tap.ok("a new certificate" in machine.log() and pebble.issued() == 1, f"{board}: obtains a certificate", machine.log()[-400:])
    tap.ok(machine.figure("handshakes") == 1, f"{board}: one TLS handshake", machine.figure("handshakes"))
    roots = os.path.join(folder, "roots.pem")
    with open(roots, "w") as f:
        f.write(pebble.roots())
    json = fetch(machine, NAME, roots, "/status.json")
    tap.ok(f'"names":["{NAME}"]' in json and '"heap":0' in json, f"{board}: serves its status with that certificate", json)
    tap.ok("<title>" in fetch(machine, NAME, roots, "/"), f"{board}: serves its page")
    machine.cut()

    orders = pebble.orders()
    machine = Machine(board, elf, here, pebble.http_port)
    machine.wait_for(DONE)
    tap.ok("nothing to do" in machine.log() and pebble.orders() == orders and machine.figure("requests") == 0,
           f"{board}: a second boot finds the pair and asks nobody", machine.log()[-400:])
    machine.cut()

    elf = image(board, os.path.join(folder, "other"), f"https://{GATEWAY}:{pebble.port}/dir", authority.root, [NAME], tls_name="other.example.test")
    machine = Machine(board, elf, os.path.join(folder, "other-run"), pebble.http_port)
    machine.wait_for(DONE, 90)
    tap.ok("is for another name" in machine.log() and machine.figure("requests") == 0,
           f"{board}: a server with another name is refused", machine.log()[-400:])
    machine.cut()
    pebble.stop()


folder = servers.workdir()
authority = servers.Authority(folder, key=("ec", "-pkeyopt", "ec_paramgen_curve:P-256"))
cuts = []
for scene in (lambda board, at: cuts.append(Cut(board, at, authority)), lambda board, at: scenes(board, at, authority)):
    for board in BOARDS:
        try:
            scene(board, os.path.join(folder, board))
        except servers.Failed as failure:
            tap.ok(False, f"{board}", str(failure))
for cut in cuts:
    try:
        cut.end()
    except servers.Failed as failure:
        tap.ok(False, f"{cut.board}", str(failure))
tap.end()
