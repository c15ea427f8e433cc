#!/usr/bin/env python3
"""Visitors of the board's page who do not behave, and one who does; and a CA that says nothing while somebody wants the page."""

import os
import socket
import sys
import threading

sys.path[:0] = [os.path.dirname(os.path.abspath(__file__))]
from machine import GATEWAY, Machine, fetch, image
import servers
import tap

# A visitor who is not answered for so long asks again, by a connection of his own. Beside strangers who come back at once that is chance:
# who finds no slot of lwIP free is asked for after 6 and after 18 s only, through QEMU's network, and a machine so busy that he says his
# first flight too late is sent away. Strangers who do not come back are all gone after a few seconds; if each were heard for the 15 s that
# he may take when nobody waits, it would be half a minute.
TRY_S = 5
LUCKY, PATIENT = 20, 4  # tries
NAME, OTHER, BOARD = "visits.example.test", "other.example.test", "lm3s6965evb"
# The first flight of TLS, whole: a ClientHello of OpenSSL's, as a record. What follows it never comes.
HELLO = bytes.fromhex("1603010067010000630303" + "5a" * 32 + "00" + "0004c02bcca9" + "0100" + "0036" +
                      "000a00040002 0017".replace(" ", "") + "000b00020100" + "000d0004000204 03".replace(" ", "") +
                      "0000001800160000137669736974732e6578616d706c652e74657374" + "")


class Crowd:
    """Visitors who say `first`, then a byte each `pause_s`, and are back at once when they are sent away."""

    def __init__(self, port, count, first, pause_s, reads=True):
        self.port, self.first, self.pause_s, self.reads, self.over = port, first, pause_s, reads, threading.Event()
        self.threads = [threading.Thread(target=self._visit, daemon=True) for _ in range(count)]
        for thread in self.threads:
            thread.start()

    def _visit(self):
        while not self.over.is_set():
            try:
                with socket.create_connection(("127.0.0.1", self.port), timeout=5) as s:
                    s.sendall(self.first)
                    while not self.over.wait(self.pause_s):
                        s.sendall(b"\x16")
                        s.setblocking(False)
                        try:
                            if self.reads and s.recv(4096) == b"":
                                break
                        except BlockingIOError:
                            pass
                        s.setblocking(True)
            except OSError:
                self.over.wait(0.05)

    def stop(self):
        self.over.set()
        for thread in self.threads:
            thread.join(10)


def looks(machine, roots, count, most):
    """Whether so many looks at the page are answered, within so many tries each; and how many each one took."""
    tries = []
    for _ in range(count):
        taken = next((i + 1 for i in range(most) if NAME in fetch(machine, NAME, roots, "/status.json", TRY_S)), None)
        tries.append(taken or f"more than {most}")
    return all(isinstance(t, int) for t in tries), f"looks answered at try {', '.join(map(str, tries))}"


def main():
    folder = servers.workdir()
    authority = servers.Authority(folder, key=servers.P256)
    pebble = servers.Pebble(os.path.join(folder, "pebble"), authority)
    elf = image(BOARD, os.path.join(folder, "image"), f"https://{GATEWAY}:{pebble.port}/dir", authority.root, [NAME])
    here = os.path.join(folder, "board")
    machine = Machine(BOARD, elf, here, pebble.http_port)
    machine.wait_for("page is on port 443")
    roots = pebble.roots_file()
    good, how = looks(machine, roots, 2, PATIENT)
    tap.ok(good, "the page, with nobody else there", how)
    for what, most, crowd in (("a first flight that drips", LUCKY, (1, b"", 1)), ("three who drip", LUCKY, (3, b"\x16\x03\x01", 0.3)),
                              ("eight who drip", LUCKY, (8, b"\x16\x03\x01", 0.1)),
                              ("two who stop behind their first flight", PATIENT, (2, HELLO, 30)), ("two who say nothing", PATIENT, (2, b"", 60)),
                              ("two who speak HTTP and do not read", LUCKY, (2, b"GET / HTTP/1.1\r\n\r\n", 1, False))):
        strangers = Crowd(machine.https_port, *crowd)
        good, how = looks(machine, roots, 3, most)
        strangers.stop()
        tap.ok(good, f"the page beside others: {what}", how)
        tap.note(f"{what}: {how}")
    machine.cut()

    # Another name makes a certificate due, and the pair that is there goes on being served.
    silent = socket.create_server(("127.0.0.1", 0), backlog=64)
    elf = image(BOARD, os.path.join(folder, "other"), f"https://{GATEWAY}:{silent.getsockname()[1]}/dir", authority.root, [OTHER])
    machine = Machine(BOARD, elf, here, pebble.http_port)
    machine.wait_for("address ")
    servers.until(lambda: OTHER in fetch(machine, NAME, roots, "/status.json"), "the page while the CA is silent", 60)
    tap.ok("somebody wants the page: later" in machine.log(), "a silent CA: the run ends for who wants the page", machine.log()[-500:])
    good = all(OTHER in fetch(machine, NAME, roots, "/status.json") for _ in range(10))
    tap.ok(good, "and the page stays")
    machine.cut()


servers.play(main, "visitors of the page")
