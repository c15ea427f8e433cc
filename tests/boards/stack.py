#!/usr/bin/env python3
"""The deepest stack a linked image can need, from its machine code: stack.py IMAGE.elf [calls.txt...]

Every call is followed: direct ones as the linker left them, those through a pointer as calls.txt says. Depth is counted
instruction by instruction, so a call counts with what its caller holds at that place, not with its whole frame.
"""

import bisect
import collections
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
    task_bytes = 36 + 32  # a kernel pushes the other eight
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
        if op == "mov" and rest.startswith("sp,") and rest != "sp, r7":  # r7: what a function with a frame pointer gives back
            raise Wrong(f"a frame whose size is not known: {op} {rest}")
        return 0


class RiscV:
    tools, trap_bytes = "riscv64-unknown-elf-", 0  # a trap starts on an empty stack and ends the run

    def step(self, name, rest):
        fields = rest.split(" #")[0].split(",")
        name, inside = name.removeprefix("c."), "<" in rest
        if fields[0] == "sp" and name in ("add", "addi", "addi16sp", "sub", "mv"):
            if fields[1] != "sp" or not re.fullmatch(r"-?\d+", fields[-1]):
                raise Wrong(f"a frame whose size is not known: {name} {rest}")
            return -int(fields[-1]), None
        if name in ("jal", "j"):
            return 0, "call" if name == "jal" else "jump"
        if name in ("jalr", "jr"):
            return 0, ("call" if inside else "through") if name == "jalr" else "jump" if inside else "tail"
        if name in ("ret", "mret"):
            return 0, "end"
        return 0, "branch" if name.startswith("b") and inside else None


class Function:
    def __init__(self, address, size):
        self.address, self.end, self.name, self.names = address, address + size, "", set()
        self.calls, self.own = {}, 0  # calls: address -> bytes held then
        self.without = set()  # what is not called from here on

    def call(self, address, depth):
        self.calls[address] = max(self.calls.get(address, 0), depth)


def run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def cpu(elf):
    with open(elf, "rb") as f:
        return Arm() if f.read(20)[18] == 40 else RiscV()


class Image:
    def __init__(self, elf):
        self.cpu, self.elf = cpu(elf), elf
        self.functions, self.through = {}, {}  # by address; through: bytes held at calls through a pointer
        self.objects, file = {}, ""  # by name: address and size
        for fields in map(str.split, run(self.cpu.tools + "readelf", "-sW", elf).splitlines()):
            if len(fields) == 8 and fields[0][:-1].isdigit():
                address, size, kind, local, name = int(fields[1], 16), int(fields[2], 0), fields[3], fields[4] == "LOCAL", fields[7]
                file = name if kind == "FILE" else file
                if kind == "FUNC":
                    self.add(address & ~1, size, name, file if local else "")
                else:
                    self.objects.setdefault(name, (address, size))
        self.by_name = {}
        for function in self.functions.values():
            for name in function.names:
                self.by_name.setdefault(name, []).append(function)
        self.starts = sorted(self.functions)
        self.disassemble(run(self.cpu.tools + "objdump", "-d", "--no-show-raw-insn", elf))
        self.pointers = self.pointed_at()
        vectors, size = self.objects.get("vectors", (0, 0))
        self.handlers = {a for a, place in self.pointers.items() if 0 <= place - vectors < size}

    def add(self, address, size, name, file):
        function = self.functions.setdefault(address, Function(address, size))
        plain = SUFFIX.sub("", name)
        function.name = function.name or name
        function.names |= {name, plain} | ({f"{file}:{plain}"} if file else set())

    def at(self, address):
        """The function an address is in."""
        return self.functions[self.starts[bisect.bisect_right(self.starts, address) - 1]]

    def named(self, name):
        return self.by_name.get(name, [])

    def disassemble(self, text):
        code = {}  # function: its instructions
        for address, name, rest in re.findall(r"^\s*([0-9a-f]+):\t([a-z]\S*)[ \t]*(.*)", text, re.M):
            function = self.at(int(address, 16))
            if int(address, 16) < function.end or function.end == function.address:
                code.setdefault(function, []).append((int(address, 16), name, rest.split("\t@")[0].strip()))
        for function, lines in code.items():
            try:
                self.scan(function, lines)
            except Wrong as wrong:
                raise Wrong(f"{function.name}: {wrong}") from None

    def scan(self, function, lines):
        """Depth through one function. A place reached only from below counts with all the function held before it."""
        depth, labels, live, kind = 0, {}, True, None
        for address, name, rest in lines:
            if name.startswith("nop"):
                continue
            depth = max(depth if live else 0, labels.get(address, 0 if live else function.own))
            pushed, kind = self.cpu.step(name, rest)
            target = TARGET.search(rest)
            if kind in ("call", "jump", "branch") and target:
                to = int(target.group(1), 16)
                if kind == "call" or not lines[0][0] <= to <= lines[-1][0]:
                    function.call(to, depth)
                elif to > address:
                    labels[to] = max(labels.get(to, 0), depth)
            if kind in ("through", "tail"):
                self.through[function.address] = max(self.through.get(function.address, 0), depth)
            depth += pushed
            function.own = max(function.own, depth)
            live = kind not in ("jump", "end", "tail", "table")
        if live and kind != "call":  # runs into what follows, as hand-written code does
            function.call(next(s for s in self.starts if s > function.address), depth)

    def pointed_at(self):
        """Functions whose address is somewhere in the image, and where: only these can be called through a pointer."""
        found = {}
        tables = run(self.cpu.tools + "readelf", "-rW", self.elf).split("Relocation section ")
        places = "".join(t for t in tables if not re.match(r"'\.rela?\.(debug|eh)", t))
        for place, value in re.findall(r"^([0-9a-f]{8}) .* (?:R_ARM_ABS32|R_RISCV_32|R_RISCV_\w*HI20) +([0-9a-f]{8}) ", places, re.M):
            address = int(value, 16) & ~1
            if address in self.functions:
                found.setdefault(address, int(place, 16))
        if not found:
            raise Wrong("the image is linked without --emit-relocs")
        return found


class Table:
    """calls.txt: who is called through pointers, and which functions begin on a stack of their own."""

    def __init__(self, *paths):
        self.sets, self.calls, self.tasks, self.without, self.used = {}, {}, {}, {}, set()
        for path in (TABLE, *paths):
            with open(path, encoding="utf-8") as f:
                for number, line in enumerate(f, 1):
                    self.add(line.split("#")[0].strip(), f"{path}:{number}")

    def add(self, line, where):
        one, verb, others = re.fullmatch(r"(\S+) (->|=|without|begins on)(?: (.+?))?(?: \(.+\))?|(.*)", line).groups()[:3]
        if verb == "=":
            self.sets[one] = self.words(others or "")
        elif verb == "->":  # a later file knows better
            self.calls[one] = self.words(others)
        elif verb == "without":
            self.without[one] = self.words(others)
        elif verb == "begins on":
            self.tasks[one] = others
        elif line:
            raise Wrong(f"{where}: not understood: {line}")

    def stale(self, images):
        """What stands in the table and in none of these images."""
        names = {*self.tasks, *self.without}.union(*self.calls.values(), *self.without.values())
        return sorted({n for n in names if not any(i.named(n) for i in images)} | set(self.calls) - self.used)

    def words(self, text):
        return [name for word in text.split() for name in (self.sets[word[1:]] if word[0] == "@" else [word])]


def resolve(image, table):
    """Adds the calls through pointers. Returns what the table leaves open."""
    wrong, listed = [], {f.address for name in table.tasks for f in image.named(name)}
    for caller, callees in table.calls.items():
        callers = [f for f in image.named(caller) if f.address in image.through]
        targets = {f.address for callee in callees for f in image.named(callee)}
        table.used |= {caller} if callers else set()
        listed |= targets
        for function in callers:
            for target in targets:
                function.call(target, image.through[function.address])
    for function, never in table.without.items():
        for one in image.named(function):
            one.without = {f.address for name in never for f in image.named(name)}
    for address in image.through:
        if not any(image.functions[address] in image.named(caller) for caller in table.calls):
            wrong.append(f"{image.functions[address].name} calls through a pointer, and calls.txt does not say whom")
    for address, place in image.pointers.items():
        if address not in listed and address not in image.handlers:
            wrong.append(f"{image.functions[address].name} can be called through a pointer (at {place:#x}), and calls.txt does not say by whom")
    return wrong


def deepest(image, function, known, without=frozenset(), path=()):
    """Bytes from this function down, and the chain of calls that needs them."""
    without |= function.without
    if (function, without) not in known:
        if function in path:
            raise Wrong("recursion: " + " > ".join(f.name for f in [*path[path.index(function):], function]))
        worst = (function.own, ())
        for address, held in function.calls.items():
            if address not in without:
                below, chain = deepest(image, image.at(address), known, without, (*path, function))
                worst = max(worst, (held + below, ((held, address), *chain)))
        known[function, without] = worst
    return known[function, without]


Stack = collections.namedtuple("Stack", "name bytes room chain")  # chain: bytes held at each call, and the function


def analyse(elf, table=None):
    """Every stack of an image, the processor's own first; raises Wrong."""
    image, table, known = Image(elf), table or Table(), {}
    wrong = resolve(image, table)
    if wrong:
        raise Wrong("\n".join(wrong))

    def stack(name, function, interrupt, room):
        size, chain = deepest(image, function, known)
        return Stack(name, size + interrupt, room, [(0, function), *((held, image.at(a)) for held, a in chain)])

    start = image.named("reset")[0]
    handlers = [image.functions[a] for a in image.handlers if a != start.address]
    trap = max((deepest(image, h, known)[0] + image.cpu.trap_bytes for h in handlers), default=0)
    found = [stack("main", start, trap, image.objects["stack_end"][0] - image.objects["stack_begin"][0])]
    for task, name in table.tasks.items():
        found += [stack(name, f, image.cpu.task_bytes, image.objects[name][1]) for f in image.named(task)]
    return image, found


def main():
    try:
        _, stacks = analyse(sys.argv[1], Table(*sys.argv[2:]))
    except Wrong as wrong:
        sys.exit(f"stack.py: {wrong}")
    for stack in stacks:
        print(f"{stack.name}: {stack.bytes} of {stack.room} bytes, with the deepest interrupt")
        place = 0
        for held, function in stack.chain:
            place += held
            print(f"{place:6} {function.name}")


if __name__ == "__main__":
    main()
