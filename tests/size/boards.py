"""Sizes of the whole firmware on every board, from the linker's map and the image of a site that is always the same."""

import glob
import os
import re
import subprocess

FOLDER = "build/size"
ROWS = ["BearSSL", "lwIP", "core", "port", "firmware and board", "C library"]


FLASH_MAX, RAM_MAX = 122880, 49152  # of lm3s6965evb; the aim was 98304 bytes of flash
SMALL = "lm3s6965evb, small"


def boards():
    """What a column is called: the variables of make."""
    names = sorted(os.path.basename(os.path.dirname(p)) for p in glob.glob("boards/*/qemu"))
    return {**{n: [f"BOARD={n}"] for n in names}, SMALL: ["BOARD=lm3s6965evb", "SMALL=1"]}


def link(name, variables):
    """Returns the path of image and map, without its ending."""
    image = f"{FOLDER}/{name.replace(', ', '-')}/firmware"
    done = subprocess.run(["make", "-s", "firmware", *variables, "SITE=tests/size/site.c", f"IMAGE={image}"],
                          capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"size: {name}: {done.stderr[-500:]}")
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


def measure(name, variables):
    image = link(name, variables)
    at = symbols(image)
    flash, ram = sections(image, "text|rodata|srodata|data|sdata|vectors|start|ARM"), sections(image, "bss|sbss|data|sdata")
    return {"flash": flash, "flash_all": at["flash_end"] - at.get("text_begin", 0), "ram": ram,
            "ram_all": at["bss_end"] - at["data_begin"], "stack": at["stack_end"] - at["stack_begin"]}


def table():
    names = boards()
    found = [measure(*n) for n in names.items()]
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
