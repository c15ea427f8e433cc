#!/usr/bin/env python3
"""The board's page in a browser that trusts the CA's root and nothing else: it is shown, with the padlock a person would see, on a
phone and a desk, by day and by night. test_page.py FOLDER keeps the pictures there, for a person to look at."""

import itertools
import os
import shutil
import subprocess
import sys
import time

sys.path[:0] = [os.path.dirname(os.path.abspath(__file__))]
from machine import GATEWAY, Machine, image
from ntp import TimeServer
import servers
import tap

NAME, BOARD = "page.example.test", "lm3s6965evb"
LIMIT_S = 90
DAY = 86400


def run(*command, **more):
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=LIMIT_S, **more)


def browse(home, machine, *what):
    return run("chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
               f"--user-data-dir={home}/profile", "--hide-scrollbars",
               f"--host-resolver-rules=MAP {NAME} 127.0.0.1:{machine.https_port}", *what, f"https://{NAME}/",
               env={**os.environ, "HOME": home})


def main():
    folder = servers.workdir()
    authority = servers.Authority(folder, key=servers.P256)
    pebble = servers.Pebble(os.path.join(folder, "pebble"), authority, config={"certificateValidityPeriod": 90 * DAY})
    clock = TimeServer(time.time)
    elf = image(BOARD, os.path.join(folder, "image"), f"https://{GATEWAY}:{pebble.port}/dir", authority.root, [NAME],
                make=[f"SNTP={GATEWAY}", f"SNTP_PORT={clock.port}"])
    machine = Machine(BOARD, elf, os.path.join(folder, "board"), pebble.http_port)
    machine.wait_for("page is on port 443")
    machine.cut()
    clock.tell(lambda: time.time() + 29 * DAY)  # a certificate in the middle of its life
    machine = Machine(BOARD, elf, os.path.join(folder, "board"), pebble.http_port)
    machine.wait_for("page is on port 443", 120)

    home = os.path.join(folder, "home")
    store = os.path.join(home, ".pki", "nssdb")
    os.makedirs(store)
    run("certutil", "-d", f"sql:{store}", "-N", "--empty-password")
    refused = browse(home, machine, "--dump-dom").stdout
    tap.ok("<th>Issued by</th>" not in refused, "a browser that does not know the root does not show the page", refused[-300:])
    run("certutil", "-d", f"sql:{store}", "-A", "-n", "test root", "-t", "C,,", "-i", pebble.roots_file())
    shown = browse(home, machine, "--dump-dom")
    tap.ok("<th>Issued by</th>" in shown.stdout and NAME in shown.stdout and "60 days left" in shown.stdout and 'value="32"' in shown.stdout,
           "one that trusts it shows the page", shown.stdout[-300:] + shown.stderr[-300:])
    pictures = {}
    for (device, size), (scheme, number) in itertools.product({"phone": "390,844", "desk": "1280,800"}.items(), {"light": 1, "dark": 0}.items()):
        path = os.path.join(sys.argv[1] if len(sys.argv) > 1 else folder, f"{device}-{scheme}.png")
        browse(home, machine, f"--window-size={size}", f"--blink-settings=preferredColorScheme={number}", f"--screenshot={path}")
        if os.path.exists(path) and os.path.getsize(path) > 4000:
            with open(path, "rb") as f:
                pictures[f.read()] = path
    tap.ok(len(pictures) == 4, "and paints it: on a phone and a desk, by day and by night, each in its own way", f"{pictures.values()}")


if not (shutil.which("chromium") and shutil.which("certutil")):
    tap.skip("the page in a browser", "no chromium, or no certutil")
else:
    try:
        main()
    except (servers.Failed, subprocess.TimeoutExpired) as failure:
        tap.ok(False, "the page in a browser", str(failure))
tap.end()
