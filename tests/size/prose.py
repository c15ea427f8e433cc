"""Sentences with a figure in them, as they have to stand on a page: (path, sentence)."""

import re

import boards
import figures
import size

KIB = 1024


def words(path):
    """A page without its line ends."""
    with open(path, encoding="utf-8") as f:
        return " ".join(f.read().split())


def memory(board):
    """KiB of flash and of RAM that the linker holds a board to."""
    return [int(kib) for kib in re.findall(r"LENGTH = (\d+)K", words(f"boards/{board}/link.ld"))]


def defined(path, name):
    return int(re.search(rf"#define {name} +(\d+)", words(path)).group(1))


def claims(core, whole):
    """`core`: bytes of its objects; `whole`: lm3s6965evb's firmware, measured."""
    known = figures.read()
    renewal = {key: known[f"lm3s6965evb, {key}: renewal"] for key in boards.CHAINS.values()}
    longest = {key: known[f"lm3s6965evb, {key}: first run longest tick"] for key in boards.CHAINS.values()}
    flash, ram = memory("lm3s6965evb")
    look = figures.read(figures.BENCH)
    small = defined("boards/firmware/firmware.h", "FIRMWARE_RECORD_BUFFER")
    yield "core/DESIGN.md", f"It is about {core / 1000:.0f} KB by objects and {size.whole() / 1000:.0f} KB linked with `-flto`"
    yield "core/DESIGN.md", f"lm3s6965evb takes {whole['flash_all'] // KIB} KiB; it is held to {boards.FLASH_MAX // KIB}."
    yield "core/DESIGN.md", f"{boards.RAM_MAX // KIB} KiB with the full record buffer, {boards.RAM_SMALL_MAX // KIB} KiB in the small build"
    yield "core/DESIGN.md", f"It takes {renewal['rsa'] / 1000:.0f} M with an RSA server chain, {renewal['p256'] / 1000:.0f} M with P-256"
    yield "core/DESIGN.md", f"one public-key operation: {longest['p256'] / 1000:.0f} M, with a P-384 chain {longest['p384'] / 1000:.0f} M"
    yield "README.md", f"A board with {flash} KiB of flash and {ram} KiB of RAM boots"
    yield "README.md", f"hold to within {figures.PERCENT} %"
    yield "README.md", (f"{look['look, session resumed: instructions'] / 1000:.1f} million instructions and {look['look, session resumed: bytes']} "
                        f"bytes on the wire, both ways together, without {look['look: instructions'] / 1000:.1f} million and {look['look: bytes']} (")
    yield "boards/README.md", f"| {flash} KiB, {ram} KiB (the part's) |"
    yield "boards/README.md", (f"{renewal['p256'] / 1000:.0f} million instructions for a renewal on a Cortex-M3, with the 15-bit code "
                               f"{known['lm3s6965evb, 15-bit code, p256: renewal'] / 1000:.0f} million")
    yield "boards/README.md", f"in {boards.RAM_SMALL_MAX // KIB} KiB of RAM"
    yield "port/lwip/README.md", f"The record buffer may have {small:,} bytes"
