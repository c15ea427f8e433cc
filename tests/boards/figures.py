"""figures.txt: what a test has measured, mostly in thousands of instructions, for the tables that `make size` prints. test_cost.py's
lies here, tests/bench has one of its own."""

import os

HERE = os.path.dirname(os.path.abspath(__file__))
PATH = os.path.join(HERE, "figures.txt")
BENCH = os.path.join(HERE, "..", "bench", "figures.txt")
PERCENT = 3  # signatures differ a little from run to run, and so do the frames that come; one signature is more than that


def read(path=PATH):
    with open(path, encoding="utf-8") as f:
        pairs = (line.rsplit(" ", 1) for line in f if line.strip() and line[0] != "#")
        return {what: int(figure) for what, figure in pairs}


def near(one, other):
    return other is not None and abs(one - other) * 100 <= PERCENT * other


def write(found, path=PATH, about="test_cost.py --update. Thousands of instructions, counted by the emulator (-icount)."):
    with open(path, "w", encoding="utf-8") as f:
        f.write(f"# Made by tests/{os.path.basename(os.path.dirname(path))}/{about}\n")
        f.writelines(f"{what} {figure}\n" for what, figure in found.items())
