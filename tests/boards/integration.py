"""The firmware of port/lwip/README.md: its lines as they stand on the page, in tests/boards/integration.c."""

import os
import re
import shutil

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.join(HERE, "..", "..")
PAGE = os.path.join(ROOT, "port/lwip/README.md")
BOARD = "lm3s6965evb"


def lines():
    """The page's C, without its fences."""
    with open(PAGE, encoding="utf-8") as f:
        return re.search(r"```c\n(.*?)```", f.read(), re.S).group(1)


def program(folder):
    """Writes it into the folder. Returns its path, for make's MAIN."""
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "lines.h"), "w", encoding="utf-8") as f:
        f.write(lines())
    return shutil.copy(os.path.join(HERE, "integration.c"), folder)
