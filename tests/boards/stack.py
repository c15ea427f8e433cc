#!/usr/bin/env python3
"""The deepest stack a linked image can need, from its machine code: stack.py IMAGE.elf [--calls]

Every call is followed: direct ones as the linker left them, those through a pointer as calls.txt says. Depth is counted
instruction by instruction, so a call counts with what its caller holds at that place, not with its whole frame.
"""

import os
import re
import subprocess
import sys

TABLE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "calls.txt")
SUFFIX = re.compile(r"\.(constprop|isra|part|cold)\.\d+|\.cold$")
CONDITION = "(eq|ne|cs|cc|mi|pl|vs|vc|hi|ls|ge|lt|gt|le)?"
TARGET = re.compile(r"\b([0-9a-f]+) <")


class Wrong(Exception):
    """The image cannot be analysed, or breaks a rule."""


class Arm:
    """What an instruction of a Cortex-M does to the stack and to the flow."""
    tools, trap_bytes = "arm-none-eabi-", 36  # eight registers are pushed by the processor, and a word for alignment
    op = re.compile("(push|pop|stmdb|ldmia|addw|add|subw|sub|strd|str|ldrd|ldr|blx|bl|bx|b|mov|tbb|tbh)" + CONDITION + r"(?:\.[wn])?$")

    def step(self, name, rest):
        """(bytes pushed, kind): kind is None, "call", "jump", "branch", "through", "table" or "end"."""
        match = self.op.match(name)
        if name in ("cbz", "cbnz"):
            return 0, "branch"
        if not match:
            return 0, None
        op, conditional = match.groups()
        if op in ("bl", "b"):
            return 0, "call" if op == "bl" else "branch" if conditional else "jump"
        if op == "blx":
            return 0, "through"
        if op == "bx":
            return 0, ("branch" if conditional else "end") if rest == "lr" else "tail"
        if op in ("tbb", "tbh"):
            return 0, "table"
        pushed = self.pushed(op, rest)
        ends = op in ("pop", "ldmia") and "pc" in rest or op in ("ldr", "mov") and rest.startswith("pc")
        if ends and "sp" not in rest and op != "pop":
            return 0, "table"
        if conditional:  # whoever goes on has not given anything back
            return max(pushed, 0), None
        return pushed, "end" if ends else None

    @staticmethod
    def pushed(op, rest):
        count = len(re.findall(r"\b(?:r\d+|sl|fp|ip|lr|pc)\b", rest))
        if op == "push" or op == "stmdb" and rest.startswith("sp!"):
            return 4 * count
        if op == "pop" or op == "ldmia" and rest.startswith("sp!"):
            return -4 * count
        moved = re.search(r"\[sp, #(-\d+)\]!|\[sp\], #(\d+)", rest)
        if moved:
            return -int(moved.group(1) or moved.group(2))
        if op in ("add", "addw", "sub", "subw") and rest.startswith("sp,"):
            size = re.fullmatch(r"sp,(?: sp,)? #(\d+)", rest)
            if not size:
                raise Wrong(f"a frame whose size is not known: {op} {rest}")
            return int(size.group(1)) * (1 if op.startswith("sub") else -1)
        return 0


class RiscV:
    tools, trap_bytes = "riscv64-unknown-elf-", 0

    def __init__(self):
        self.constant = {}

    def step(self, name, rest):
        name = name.removeprefix("c.")
        fields = rest.split(" #")[0].split(",")
        if name in ("li", "lui"):
            self.constant[fields[0]] = int(fields[1], 0) << (12 if name == "lui" else 0)
        elif name in ("add", "addi", "addi16sp", "sub") and fields[0] == "sp":
            size = fields[-1]
            if not re.fullmatch(r"-?(0x)?[0-9a-f]+", size) and size not in self.constant:
                raise Wrong(f"a frame whose size is not known: {name} {rest}")
            value = self.constant[size] if size in self.constant else int(size, 0)
            value = value - (1 << 32) if value >= 1 << 31 else value
            return (value if name == "sub" else -value), None
        elif name in ("add", "addi") and len(fields) == 3 and fields[1] in self.constant and re.fullmatch(r"-?\d+", fields[2]):
            self.constant[fields[0]] = self.constant[fields[1]] + int(fields[2])
        elif name == "jal":
            return 0, "call"
        elif name == "j":
            return 0, "jump"
        elif name == "jalr":
            return 0, "call" if "<" in rest else "through"
        elif name == "jr":
            return 0, "jump" if "<" in rest else "tail"
        elif name in ("ret", "mret"):
            return 0, "end"
        elif name.startswith("b") and "<" in rest:
            return 0, "branch"
        return 0, None


class Function:
    def __init__(self, address, name):
        self.address, self.name, self.names = address, name, {name}
        self.calls, self.own, self.code = {}, 0, False  # calls: address -> bytes held then

    def call(self, address, depth):
        self.calls[address] = max(self.calls.get(address, 0), depth)


def run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def base(name):
    return SUFFIX.sub("", name)


class Image:
    def __init__(self, elf):
        with open(elf, "rb") as f:
            self.cpu, self.elf = Arm() if f.read(20)[18] == 40 else RiscV(), elf
        self.functions, self.through, self.falls = {}, {}, []  # by address; bytes held at calls through a pointer
        self.disassemble(run(self.cpu.tools + "objdump", "-d", "--no-show-raw-insn", elf))
        self.symbol_lines = run(self.cpu.tools + "readelf", "-sW", elf)
        self.symbols(self.symbol_lines)
        self.starts = sorted(self.functions)
        self.entry = self.named("reset")[0]
        vectors = self.symbol("vectors") if self.cpu.trap_bytes else None
        self.handlers = {a for a, place in self.pointed_at().items() if vectors is not None and 0 <= place - vectors < 64}
        for function, depth in self.falls:
            function.call(next(s for s in self.starts if s > function.address), depth)

    def disassemble(self, text):
        lines = []
        for line in text.splitlines():
            header = re.match(r"([0-9a-f]+) <(?!\.L)(.+)>:$", line)
            code = re.match(r"\s*([0-9a-f]+):\t(\S+)\s*(.*)", line)
            if header:
                self.scan(lines)
                lines = []
                self.current = self.functions[int(header.group(1), 16)] = Function(int(header.group(1), 16), header.group(2))
            elif code and not code.group(2).startswith("."):
                rest = re.sub(r"\s*(@|;|# 0x).*", "", code.group(3)) if not TARGET.search(code.group(3)) else code.group(3)
                lines.append((int(code.group(1), 16), code.group(2), rest.strip()))
        self.scan(lines)

    def scan(self, lines):
        """Depth through one function. A place reached only from below counts with all the function ever held."""
        depth, labels, live, step = 0, {}, True, None
        for address, name, rest in lines:
            if not live:
                if name.startswith("nop") and address not in labels:
                    continue
                depth = labels.get(address, self.current.own)
            depth, live = max(depth, labels.get(address, 0)) if live else depth, True
            try:
                pushed, step = self.cpu.step(name, rest)
            except Wrong as wrong:
                raise Wrong(f"{self.current.name}: {wrong}") from None
            target = TARGET.search(rest)
            if step in ("call", "jump", "branch") and target:
                to = int(target.group(1), 16)
                if step == "call" or not lines[0][0] <= to <= lines[-1][0]:
                    self.current.call(to, depth)
                elif to > address:
                    labels[to] = max(labels.get(to, 0), depth)
            if step in ("through", "tail"):
                self.through[self.current.address] = max(self.through.get(self.current.address, 0), depth)
            depth += pushed
            self.current.own = max(self.current.own, depth)
            live = step not in ("jump", "end", "tail", "table")
        if lines:
            self.current.code = True
        if lines and live and step != "call":  # runs into what follows, as hand-written code does
            self.falls.append((self.current, depth))

    def symbols(self, text):
        """All names of each function; those of one file also as file:name."""
        file = ""
        for line in text.splitlines():
            fields = line.split()
            if len(fields) < 8 or not fields[0][:-1].isdigit():
                continue
            kind, bind, name = fields[3], fields[4], fields[7]
            if kind == "FILE":
                file = name
            at = int(fields[1], 16)
            function = self.functions.get(at & ~1 if self.cpu.trap_bytes else at)
            if function and kind == "OBJECT":
                function.code = False
            if function and kind == "FUNC":
                function.names |= {name, base(name)} | ({f"{file}:{base(name)}"} if bind == "LOCAL" else set())

    def at(self, address):
        """The function an address is in."""
        if address in self.functions:
            return self.functions[address]
        starts = [s for s in self.starts if s <= address]
        return self.functions[starts[-1]]

    def named(self, name):
        return [f for f in self.functions.values() if name in f.names or name == base(f.name)]

    def symbol(self, name):
        found = re.search(rf": ([0-9a-f]+) .* {name}$", self.symbol_lines, re.M)
        return int(found.group(1), 16)

    def pointed_at(self):
        """Functions whose address is somewhere in the image, and where: only these can be called through a pointer."""
        found = {}
        tables = run(self.cpu.tools + "readelf", "-rW", self.elf).split("Relocation section ")
        places = "".join(t for t in tables if not re.match(r"'\.rela?\.(debug|eh)", t))
        for place, value in re.findall(r"^([0-9a-f]{8}) .* (?:R_ARM_ABS32|R_RISCV_32|R_RISCV_\w*HI20) +([0-9a-f]{8}) ", places, re.M):
            address = int(value, 16) & ~1
            if address in self.functions and self.functions[address].code:
                found.setdefault(address, int(place, 16))
        if not found:
            raise Wrong("the image is linked without --emit-relocs")
        return found


class Table:
    """calls.txt: who is called through pointers, and which calls cannot happen."""

    def __init__(self, path=TABLE):
        self.sets, self.calls, self.never, self.idle = {}, {}, {}, set()
        for number, line in enumerate(open(path, encoding="utf-8"), 1):
            line = line.split("#")[0].strip()
            set_ = re.fullmatch(r"(\S+) =(.*)", line)
            call = re.fullmatch(r"(\S+) -> (.+)", line)
            never = re.fullmatch(r"(\S+) never (\S+) \((.+)\)", line)
            if set_:
                self.sets[set_.group(1)] = self.words(set_.group(2))
            elif call:
                self.calls.setdefault(call.group(1), []).extend(self.words(call.group(2)))
            elif never:
                self.never[never.group(1), never.group(2)] = never.group(3)
            elif line.startswith("nobody calls "):
                self.idle |= set(self.words(line[len("nobody calls "):].split(" (")[0]))
            elif line:
                raise Wrong(f"{path}:{number}: not understood: {line}")

    def all_names(self):
        names = [*self.calls, *(n for callees in self.calls.values() for n in callees), *self.idle]
        return sorted({*names, *(n for pair in self.never for n in pair)})

    def words(self, text):
        return [name for word in text.split() for name in (self.sets[word[1:]] if word[0] == "@" else [word])]


def resolve(image, table):
    """Adds the calls through pointers, takes away those that cannot happen. Returns what the table leaves open."""
    wrong, listed = [], set()
    for caller, callees in table.calls.items():
        for callee in callees:
            listed |= {f.address for f in image.named(callee)}
            for function in image.named(caller):
                for target in image.named(callee):
                    function.call(target.address, image.through.get(function.address, 0))
    for (caller, callee) in table.never:
        for function in image.named(caller):
            for target in image.named(callee):
                function.calls.pop(target.address, None)
    for name in table.idle:
        listed |= {f.address for f in image.named(name)}
    for address in image.through:
        if not any(image.functions[address] in image.named(caller) for caller in table.calls):
            wrong.append(f"{image.functions[address].name} calls through a pointer, and calls.txt does not say whom")
    for address, place in image.pointed_at().items():
        if address not in listed and address not in image.handlers:
            wrong.append(f"{image.functions[address].name} can be called through a pointer (at {place:#x}), and calls.txt does not say by whom")
    return wrong


def deepest(image, function, known, path=()):
    """Bytes from this function down, and the chain of calls that needs them."""
    if function.address not in known:
        if function in path:
            raise Wrong("recursion: " + " > ".join(f.name for f in [*path[path.index(function):], function]))
        worst = (function.own, ())
        for address, held in function.calls.items():
            below, chain = deepest(image, image.at(address), known, (*path, function))
            worst = max(worst, (held + below, ((held, address), *chain)))
        known[function.address] = worst
    return known[function.address]


def analyse(elf, table=None):
    """(image, bytes from reset down, bytes of the deepest interrupt, the chain of functions); raises Wrong."""
    image, table = Image(elf), table or Table()
    wrong = resolve(image, table)
    if wrong:
        raise Wrong("\n".join(wrong))
    known, start = {}, image.entry
    handlers = [image.functions[a] for a in image.handlers if a != start.address]
    trap = max((deepest(image, h, known)[0] + image.cpu.trap_bytes for h in handlers), default=0)
    size, chain = deepest(image, start, known)
    return image, size, trap, [(start, 0), *((image.at(a), held) for held, a in chain)]


def main():
    try:
        image, size, trap, chain = analyse(sys.argv[1])
    except Wrong as wrong:
        sys.exit(f"stack.py: {wrong}")
    place = 0
    for function, held in chain:
        place += held
        print(f"{place:6} {function.name}")
    print(f"{size:6} and {trap} for the deepest interrupt: {size + trap}")


if __name__ == "__main__":
    main()
