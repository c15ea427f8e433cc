"""figures.txt: thousands of instructions that test_cost.py has measured, for the tables that `make size` prints."""

import os

PATH = os.path.join(os.path.dirname(os.path.abspath(__file__)), "figures.txt")
PERCENT = 3  # signatures differ a little from run to run, and so do the frames that come; one signature is more than that


def read():
    with open(PATH, encoding="utf-8") as f:
        pairs = (line.rsplit(" ", 1) for line in f if line.strip() and line[0] != "#")
        return {what: int(kilo) for what, kilo in pairs}


def near(one, other):
    return other is not None and abs(one - other) * 100 <= PERCENT * other


def write(found):
    with open(PATH, "w", encoding="utf-8") as f:
        f.write("# Made by tests/boards/test_cost.py --update. Thousands of instructions, counted by the emulator (-icount).\n")
        f.writelines(f"{what} {kilo}\n" for what, kilo in found.items())
