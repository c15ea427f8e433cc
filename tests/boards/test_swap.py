#!/usr/bin/env python3
"""A visitor of the page who is connected when the certificate falls due: he gets his page, whole, with the certificate he began
with; then the board renews, and the next visitor gets the new one, without a reset."""

import json
import os
import socket
import ssl
import sys
import time

sys.path[:0] = [os.path.dirname(os.path.abspath(__file__))]
from machine import GATEWAY, Machine, fetch, image
from ntp import TimeServer
import servers
import tap

NAME, BOARD = "swap.example.test", "lm3s6965evb"
HOLD_S = 10  # a visitor's part of one step may take 15
BEFORE_S = 40  # for a boot, on a busy machine


def visit(machine, context):
    """Connects, is silent for a while, then asks. Returns the certificate and what the page says; None when nobody is served."""
    with socket.create_connection(("127.0.0.1", machine.https_port), timeout=30) as plain:
        try:
            tls = context.wrap_socket(plain, server_hostname=NAME, suppress_ragged_eofs=False)
        except (ssl.SSLError, OSError):
            return None  # the emulator takes every connection, and ends it when the board refuses
        with tls:
            tls.settimeout(HOLD_S)
            try:
                raise servers.Failed(f"the board says {tls.recv(100)} to who has not asked")
            except TimeoutError:
                tls.settimeout(30)
            tls.sendall(b"GET /status.json HTTP/1.1\r\nHost: x\r\n\r\n")
            answer = b""
            while piece := tls.recv(4096):  # an end without close_notify is an error
                answer += piece
            return tls.getpeercert()["serialNumber"], json.loads(answer.split(b"\r\n\r\n", 1)[1])


def main():
    folder = servers.workdir()
    authority = servers.Authority(folder, key=servers.P256, days=365)
    pebble = servers.Pebble(os.path.join(folder, "pebble"), authority, config={"certificateValidityPeriod": 90 * 86400})
    clock = TimeServer(time.time)
    elf = image(BOARD, os.path.join(folder, "image"), f"https://{GATEWAY}:{pebble.port}/dir", authority.root, [NAME],
                make=[f"SNTP={GATEWAY}", f"SNTP_PORT={clock.port}"])
    here = os.path.join(folder, "board")
    machine = Machine(BOARD, elf, here, pebble.http_port)
    machine.wait_for("page is on port 443")
    roots = pebble.roots_file()
    asked, page = time.time(), json.loads(fetch(machine, NAME, roots, "/status.json"))
    machine.cut()
    tap.ok(not page["due"] and page["why"] == "its age" and not page["deploy_pending"] and
           f"renews {page['next_renewal']} UTC: its age" in machine.log(), "page and UART say when it is renewed, and why", page)

    # Back shortly before. The visitor connects in time, and asks when it has fallen due.
    ahead = asked + page["renewal_in_s"] - BEFORE_S - time.time()
    clock.tell(lambda: time.time() + ahead)
    machine = Machine(BOARD, elf, here, pebble.http_port)
    machine.wait_for("page is on port 443", BEFORE_S)
    due = json.loads(fetch(machine, NAME, roots, "/status.json"))["renewal_in_s"] + 1 + time.time()  # by the board's own clock
    context = ssl.create_default_context(cafile=roots)
    servers.until(lambda: time.time() > due - HOLD_S / 2, "the time", BEFORE_S)
    before = visit(machine, context)
    tap.ok(before and before[1]["due"] and pebble.issued() == 1, "who is there when it falls due gets his page to its end, and only then it is renewed",
           f"{before} {machine.log()[-600:]}")
    machine.wait_for("(?s)a new certificate.*page is on port 443", 90)
    after = servers.until(lambda: visit(machine, context), "the next visitor", 60)
    tap.ok(before and after[0] != before[0] and pebble.issued() == 2, "the next visitor gets the new certificate", f"{after} {machine.log()[-600:]}")
    tap.ok(not after[1]["due"] and not after[1]["deploy_pending"], "which the page has taken over", after[1])
    machine.cut()


try:
    main()
except (servers.Failed, OSError, ValueError) as failure:
    tap.ok(False, "a visitor while the certificate is renewed", repr(failure))
tap.end()
