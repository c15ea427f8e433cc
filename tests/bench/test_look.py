#!/usr/bin/env python3
"""What a look at renewal information costs, with the TLS session of the look before and without: instructions of all that the client
does for it (callgrind, x86-64), bytes on the wire. test_look.py [--update]: compared with figures.txt, from which README.md has them."""

import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, part) for part in ("../boards", "../interop", "..")] + [HERE]
import figures
import servers
import tap
from test_bench import instructions

ROOT = os.path.join(HERE, "..", "..")
WORDS = {"full": "look", "resumed": "look, session resumed"}


def measure(folder, how):
    """Thousands of instructions, and bytes both ways together."""
    prefix, read = instructions(folder, how)
    state = os.path.join(folder, how)
    done = subprocess.run([*prefix, "--toggle-collect=counted_tick", "build/tests/bench/look", state, how], cwd=ROOT, capture_output=True,
                          text=True, timeout=300)
    if not tap.ok(done.returncode == 0, f"{WORDS[how]}: had", done.stdout + done.stderr):
        return {}
    return {f"{WORDS[how]}: instructions": read() // 1000, f"{WORDS[how]}: bytes": sum(map(int, done.stdout.split()))}


def main():
    built = subprocess.run(["make", "-s", "build/tests/bench/look"], cwd=ROOT, capture_output=True, text=True)
    if not tap.ok(built.returncode == 0, "the program is built", built.stderr[-500:]):
        tap.end()
    folder, seen, known = servers.workdir(), {}, figures.read(figures.BENCH)
    for how in WORDS:
        seen.update(measure(folder, how))
    for what, figure in seen.items():
        tap.note(f"{what}: {figure}" + (" thousand" if "instructions" in what else ""))
    if "--update" in sys.argv:
        figures.write(seen, figures.BENCH, "test_look.py --update. A look at renewal information: thousands of instructions, bytes.")
        tap.end()
    for what, figure in known.items():
        tap.ok(figures.near(seen.get(what, 0), figure), f"{what}: within {figures.PERCENT} % of figures.txt (test_look.py --update)",
               f"{seen.get(what)}, known {figure}")
    tap.ok(set(known) == set(seen), "figures.txt has nothing else", " ".join(set(known) ^ set(seen)))
    tap.end()


if __name__ == "__main__":
    main()
