"""Sizes of the whole firmware on every board, from the linker's map and the image of a site that is always the same."""

import glob
import os
import re
import subprocess

FOLDER = "build/size"
ROWS = ["BearSSL", "lwIP", "core", "port", "firmware and board", "C library"]


def boards():
    return sorted(os.path.basename(os.path.dirname(p)) for p in glob.glob("boards/*/qemu"))


def link(board):
    """Returns the path of image and map, without its ending."""
    image = f"{FOLDER}/{board}/firmware"
    done = subprocess.run(["make", "-s", "firmware", f"BOARD={board}", "SITE=tests/size/site.c", f"IMAGE={image}"],
                          capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"size: {board}: {done.stderr[-500:]}")
    return image


def row_of(path):
    if "libbearssl.a" in path:
        return "BearSSL"
    for part, row in (("/ours/core/", "core"), ("/ours/port/", "port"), ("/ours/boards/", "firmware and board"), ("/lwip/", "lwIP"),
                      ("site.o", "firmware and board")):
        if part in path:
            return row
    return "C library"


def sections(image, kinds):
    """Bytes by origin of what the map has in sections of these kinds."""
    text = open(image + ".map", encoding="utf-8").read().split("Linker script and memory map")[1]
    sizes = dict.fromkeys(ROWS, 0)
    for size, path in re.findall(rf"^ \.(?:{kinds})\S*\s+0x[0-9a-f]+\s+0x([0-9a-f]+) (\S+)$", text, re.M):
        sizes[row_of(path)] += int(size, 16)
    return sizes


def symbols(image):
    """Addresses by name."""
    output = subprocess.run(["nm", image + ".elf"], capture_output=True, text=True, check=True).stdout
    return {name: int(at, 16) for at, name in re.findall(r"^([0-9a-f]+) \w (\S+)$", output, re.M)}


def measure(board):
    image = link(board)
    at = symbols(image)
    flash, ram = sections(image, "text|rodata|srodata|data|sdata|vectors|start|ARM"), sections(image, "bss|sbss|data|sdata")
    return {"flash": flash, "flash_all": at["flash_end"] - at.get("text_begin", 0), "ram": ram,
            "ram_all": at["bss_end"] - at["data_begin"], "stack": at["stack_end"] - at["stack_begin"]}


def table():
    names = boards()
    found = [measure(n) for n in names]
    lines = ["| firmware, bytes | " + " | ".join(names) + " |", "|---|" + "---:|" * len(names)]

    def add(label, cells, bold=False):
        mark = "**" if bold else ""
        lines.append(f"| {mark}{label}{mark} | " + " | ".join(f"{mark}{c}{mark}" for c in cells) + " |")

    for row in ROWS:
        add(f"flash: {row}", [f["flash"][row] for f in found])
    add("flash, all", [f["flash_all"] for f in found], True)
    for row in ROWS:
        if any(f["ram"][row] for f in found):
            add(f"RAM: {row}", [f["ram"][row] for f in found])
    add("RAM: stack", [f["stack"] for f in found])
    add("RAM, all", [f["ram_all"] + f["stack"] for f in found], True)
    add("heap", [0] * len(found))
    return "\n".join(lines)


if __name__ == "__main__":
    print(table())
