"""Sizes of the whole firmware on every board, from the linker's map and the image of a site that is always the same."""

import functools
import glob
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "boards"))
import figures
import integration
import stack

FOLDER = "build/size"
ROWS = ["BearSSL", "lwIP", "core", "port", "firmware and board", "C library"]
PARTS = {  # of these, what a firmware of one's own may not have
    "the status page, its TLS server": r"ssl_(hs_)?server|ssl_scert|/firmware/(https|page)\.o",
    "what is said on the UART": r"/firmware/say\.o",
}
KILO = {"first certificate": "first run", "renewal": "renewal", "longest tick": "first run longest tick"}
CHAINS = {"RSA": "rsa", "P-256": "p256", "P-384": "p384"}

FLASH_MAX, RAM_MAX = 131072, 49664  # of lm3s6965evb; the aims were 98304 bytes of flash and 49152 of RAM
RAM_SMALL_MAX = 32768               # of its small build
SMALL = "lm3s6965evb, small"
HEADLESS = "lm3s6965evb, headless"  # without the page, without words on the UART
HEADLESS_MAX = 102500               # the aim was 98304
BARE = "lm3s6965evb, bare"          # the same, with every option of the core off
V1 = "lm3s6965evb, v1"  # with ACME v1
V1_MAX = 3500           # of flash that adds


def boards():
    """What a column is called: the variables of make."""
    names = sorted(os.path.basename(os.path.dirname(p)) for p in glob.glob("boards/*/qemu"))
    return {**{n: [f"BOARD={n}"] for n in names}, SMALL: ["BOARD=lm3s6965evb", "SMALL=1"],
            HEADLESS: ["BOARD=lm3s6965evb", "HEADLESS=1"],
            BARE: ["BOARD=lm3s6965evb", "BARE=1"], V1: ["BOARD=lm3s6965evb", "V1=1"]}


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
                      ("site.o", "firmware and board"), ("main.o", "firmware and board")):
        if part in path:
            return row
    return "C library"


def sections(image, kinds):
    """Bytes by origin of what the map has in sections of these kinds."""
    text = open(image + ".map", encoding="utf-8").read().split("Linker script and memory map")[1]
    sizes = dict.fromkeys([*ROWS, *PARTS], 0)
    for size, path in re.findall(rf"^ \.(?:{kinds})\S*\s+0x[0-9a-f]+\s+0x([0-9a-f]+) (\S+)$", text, re.M):
        for row in (row_of(path), *(part for part, pattern in PARTS.items() if re.search(pattern, path))):
            sizes[row] += int(size, 16)
    return sizes


FLASH = "text|rodata|srodata|data|sdata|vectors|start|ARM"


def symbols(image):
    """Addresses by name."""
    output = subprocess.run(["nm", image + ".elf"], capture_output=True, text=True, check=True).stdout
    return {name: int(at, 16) for at, name in re.findall(r"^([0-9a-f]+) \w (\S+)$", output, re.M)}


def deepest(image):
    """Bytes of stack, computed."""
    return stack.analyse(image + ".elf")[1][0].bytes


@functools.cache
def measure(name):
    """Once for each of boards(): it links, and follows all calls."""
    image = link(name, boards()[name])
    at = symbols(image)
    flash, ram = sections(image, FLASH), sections(image, "bss|sbss|data|sdata")
    return {"flash": flash, "flash_all": at["flash_end"] - at.get("text_begin", 0), "ram": ram, "deepest": deepest(image),
            "ram_all": at["bss_end"] - at["data_begin"], "stack": at["stack_end"] - at["stack_begin"]}


def millions(known, name, key, what):
    return f"{known[f'{name}, {key}: {KILO[what]}'] / 1000:.1f}"


def cost():
    """Instructions by what the CA's own server signs with. They are measured by tests/boards/test_cost.py."""
    known = figures.read()
    lines = ["| lm3s6965evb, million instructions, when the CA's own chain is | " + " | ".join(CHAINS) + " |", "|---|" + "---:|" * len(CHAINS)]
    for what in KILO:
        lines.append(f"| {what} | " + " | ".join(millions(known, "lm3s6965evb", key, what) for key in CHAINS.values()) + " |")
    return "\n".join(lines)


def page():
    """What it adds to a firmware that has lwIP: an image of port/lwip/README.md's own lines, measured."""
    image = link("integration", [f"BOARD={integration.BOARD}", f"MAIN={integration.program(FOLDER + '/integration')}"])
    code = sections(image, FLASH)
    output = subprocess.run(["nm", "-S", image + ".elf"], capture_output=True, text=True, check=True).stdout
    size = {name: int(size, 16) for size, name in re.findall(r"^[0-9a-f]+ ([0-9a-f]+) [bBdD] (\S+)$", output, re.M)}
    small = ["net", "listener", "store", "http01", "account_key", "certificate_key", "setup"]
    rows = {"code: core": code["core"], "code: `port/lwip`, `port/flash`": code["port"], "code: BearSSL's client": code["BearSSL"],
            "`struct acme_client`": size["client"], "`struct acme_tls`": size["tls"],
            "TLS record buffer for any server": size["records"], "work buffer": size["work"],
            "all other structs above": sum(size[n] for n in small),
            "stack, computed for the deepest handshake (P-384 chain), all of lwIP below it included": deepest(image)}
    return "\n".join(["| it needs, on Cortex-M3 | bytes |", "|---|---:|", *(f"| {what} | {bytes_} |" for what, bytes_ in rows.items())])


def table():
    names, known = boards(), figures.read()
    found = [measure(n) for n in names]
    lines = ["| firmware, bytes | " + " | ".join(names) + " |", "|---|" + "---:|" * len(names)]

    def add(label, cells, bold=False):
        mark = "**" if bold else ""
        lines.append(f"| {mark}{label}{mark} | " + " | ".join(f"{mark}{c}{mark}" for c in cells) + " |")

    for row in ROWS:
        add(f"flash: {row}", [f["flash"][row] for f in found])
    add("flash, all", [f["flash_all"] for f in found], True)
    for row in PARTS:
        add(f"of it: {row}", [f["flash"][row] for f in found])
    for row in ROWS:
        if any(f["ram"][row] for f in found):
            add(f"RAM: {row}", [f["ram"][row] for f in found])
    add("RAM: stack", [f["stack"] for f in found])
    add("RAM, all", [f["ram_all"] + f["stack"] for f in found], True)
    add("of the stack, computed at worst", [f["deepest"] for f in found])
    add("heap", [0] * len(found))
    for what in KILO:
        add(f"million instructions: {what}", ["" if name in (V1, HEADLESS, BARE) else millions(known, name, "p256", what) for name in names])
    return "\n".join([*lines, "", cost()])


if __name__ == "__main__":
    print(table())
