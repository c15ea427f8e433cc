#!/usr/bin/env python3
"""What a first certificate and a renewal cost on the boards, in instructions: test_cost.py [--update].

Compared with what figures.txt has, which README.md's table is made from; --update writes that file anew. The renewal is that
of any board: a second boot, for which the time server tells a day on which the certificate is due.
"""

import os
import re
import shutil
import sys
import time
from concurrent.futures import ThreadPoolExecutor

sys.path[:0] = [os.path.dirname(os.path.abspath(__file__))]
from machine import BOARDS, EXACT, GATEWAY, KEYS, Machine, image
from ntp import TimeServer
import figures
import servers
import stack
import tap

NAME = "cost.example.test"
DAY = 86400
LIFE, LATER = 90 * DAY, 70 * DAY  # a third is left from day 60 on
SMALL, FIFTEEN = "lm3s6965evb, small", "lm3s6965evb, 15-bit code"
VARIABLES = {SMALL: ["SMALL=1"], FIFTEEN: ["I15=1"]}
# Every kind of chain on the board the figures are about, one kind on the others.
CASES = [*(("lm3s6965evb", key) for key in KEYS), (SMALL, "p256"), (FIFTEEN, "p256"), *((b, "p256") for b in BOARDS if b != "lm3s6965evb")]
WORDS = {"all_ticks_kilo": "", "longest_tick_kilo": " longest tick"}
FIRST, RENEWAL = 10, 8  # requests, when no poll comes too early
TRIES = 4


def boot(board, elf, folder, port, run, requests):
    """Runs of the client, until one has met a CA that was never too slow. Returns what is wrong, and the instructions by name."""
    for attempt in range(TRIES):
        machine = Machine(board, elf, folder(attempt), port, EXACT)
        try:
            machine.wait_for("port 443|no page|failed at|cannot begin", 120)
            found = {run + more: machine.figure(word) for word, more in WORDS.items()}
            asked = machine.figure("requests")
        finally:
            machine.cut()
        if "a new certificate" not in machine.log() or asked == requests:
            break
    good = "a new certificate" in machine.log() and asked == requests
    return "" if good else f"{run}: {asked} requests, {machine.log()[-400:]}", found


def measure(case, folder):
    name, key = case
    board = name.split(",")[0]
    authority = servers.Authority(os.path.join(folder, "ca"), key=KEYS[key], days=365)
    # It believes every answer to a challenge at once: else a poll may come too early, and another one costs a signature.
    pebble = servers.Pebble(os.path.join(folder, "pebble"), authority, config={"certificateValidityPeriod": LIFE},
                            env={"PEBBLE_VA_ALWAYS_VALID": "1"})
    clock = TimeServer(time.time)
    elf = image(board, os.path.join(folder, "image"), f"https://{GATEWAY}:{pebble.port}/dir", authority.root, [NAME],
                make=[*VARIABLES.get(name, []), f"SNTP={GATEWAY}", f"SNTP_PORT={clock.port}"])
    mixed = re.findall(r" (\S*[im]31\S*)$", stack.run("nm", elf), re.M) if name == FIFTEEN else []
    new, first = boot(board, elf, lambda attempt: os.path.join(folder, str(attempt)), pebble.http_port, "first run", FIRST)
    clock.tell(lambda: time.time() + LATER)

    def due(attempt):  # each attempt needs a certificate that is due: of the one it gets the board knows that it is new
        return shutil.copytree(os.path.join(folder, "0"), os.path.join(folder, f"due-{attempt}"))

    again, renewal = boot(board, elf, due, pebble.http_port, "renewal", RENEWAL)
    pebble.stop()
    return {f"{name}, {key}: {what}": kilo for what, kilo in {**first, **renewal}.items()}, new + again + " ".join(mixed)


def main():
    folder, known, seen = servers.workdir(), figures.read(), {}
    places = [os.path.join(folder, str(i)) for i in range(len(CASES))]
    with ThreadPoolExecutor(3) as pool:
        for case, (found, wrong) in zip(CASES, pool.map(measure, CASES, places)):
            seen.update(found)
            name = ", ".join(case)
            tap.ok(not wrong, f"{name}: obtains a certificate, and renews it in a later boot", wrong)
            for what, kilo in found.items():
                tap.note(f"{what}: {kilo} thousand instructions")
            far = [f"{w}: {kilo}, known {known.get(w)}" for w, kilo in found.items() if not figures.near(kilo, known.get(w))]
            if "--update" not in sys.argv:
                tap.ok(not far, f"{name}: what it costs is within {figures.PERCENT} % of figures.txt (test_cost.py --update)", "; ".join(far))
    if "--update" in sys.argv:
        figures.write(seen)
    else:
        tap.ok(set(known) == set(seen), "figures.txt has nothing else", " ".join(set(known) ^ set(seen)))


servers.play(main, "what a run costs")
