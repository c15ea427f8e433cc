#!/usr/bin/env python3
"""A visitor of the page who is connected when the certificate falls due: he gets his page, whole, with the certificate he began
with; then the board renews, and the next visitor gets the new one, without a reset."""

import calendar
import json
import os
import re
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
LIMIT_S = 180


def visit(machine, context):
    """Connects, is silent for a while, then asks. Returns the certificate and what the page says; None when nobody is served."""
    with socket.create_connection(("127.0.0.1", machine.https_port), timeout=30) as plain:
        try:
            tls = context.wrap_socket(plain, server_hostname=NAME, suppress_ragged_eofs=False)
        except (ssl.SSLError, OSError):
            return None  # the emulator takes every connection, and ends it when the board refuses
        with tls:
            time.sleep(HOLD_S)
            tls.sendall(b"GET /status.json HTTP/1.1\r\nHost: x\r\n\r\n")
            answer = b""
            while piece := tls.recv(4096):  # an end without close_notify is an error
                answer += piece
            return tls.getpeercert()["serialNumber"], json.loads(answer.split(b"\r\n\r\n", 1)[1])


def main():
    folder = servers.workdir()
    authority = servers.Authority(folder, key=("ec", "-pkeyopt", "ec_paramgen_curve:P-256"), days=365)
    pebble = servers.Pebble(os.path.join(folder, "pebble"), authority, config={"certificateValidityPeriod": 90 * 86400})
    clock = TimeServer(time.time)
    elf = image(BOARD, os.path.join(folder, "image"), f"https://{GATEWAY}:{pebble.port}/dir", authority.root, [NAME],
                make=[f"SNTP={GATEWAY}", f"SNTP_PORT={clock.port}"])
    here, roots = os.path.join(folder, "board"), os.path.join(folder, "roots.pem")
    machine = Machine(BOARD, elf, here, pebble.http_port)
    machine.wait_for("page is on port 443")
    with open(roots, "w") as f:
        f.write(pebble.roots())
    page = json.loads(fetch(machine, NAME, roots, "/status.json"))
    machine.cut()
    tap.ok(not page["due"] and page["why"] == "its age" and not page["deploy_pending"] and
           f"renews {page['next_renewal']} UTC: its age" in machine.log(), "page and UART say when it is renewed, and why", page)

    # Back shortly before that minute: somewhere in it the certificate falls due.
    ahead = calendar.timegm(time.strptime(page["next_renewal"], "%Y-%m-%d %H:%M")) - 5 - time.time()
    clock.tell(lambda: time.time() + ahead)
    machine = Machine(BOARD, elf, here, pebble.http_port)
    machine.wait_for("page is on port 443", 120)
    context, seen, began = ssl.create_default_context(cafile=roots), [], time.monotonic()
    while len({serial for serial, _ in seen}) < 2 and time.monotonic() - began < LIMIT_S:
        found = visit(machine, context)
        if found:
            seen.append(found)
        else:
            time.sleep(0.2)
    old = [page for serial, page in seen if serial == seen[0][0]]
    tap.note(f"{len(seen)} visits of {HOLD_S} s: " + ", ".join("due" if page["due"] else "not due" for _, page in seen))
    tap.ok(len(old) < len(seen) and pebble.issued() == 2, "it renews, and the next visitor gets the new certificate", machine.log()[-600:])
    # But when that happened in the moment between two visitors.
    between = re.search(r"TLS with", machine.log()) and not old[-1]["due"]
    tap.ok(between or old[-1]["due"], "who was there when it fell due got his page to its end", old[-1])
    tap.ok("a new certificate" in machine.log() and not seen[-1][1]["deploy_pending"] and seen[-1][1]["valid_to"] != old[0]["valid_to"],
           "which the page has taken over", seen[-1][1])
    machine.cut()


try:
    main()
except (servers.Failed, OSError, ValueError) as failure:
    tap.ok(False, "a visitor while the certificate is renewed", repr(failure))
tap.end()
