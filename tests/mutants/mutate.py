#!/usr/bin/env python3
"""Do the tests notice? Changes core/ in one place, runs the quick tests, and tells which changes none of them saw.

tests/mutants/mutate.py [SAMPLE=400|all] [SEED=1] [ONLY=core/wire/json.c] [JOBS=2]
tests/mutants/mutate.py AGAIN=1: only those that survived the last run

A mutant is one edit of one token. The core is a shared library here, so a mutant costs one compilation and one small
link. Mutants that do not compile, or make the same machine code, are not counted. Those that pass all tests meet the
sanitizers, as in `make check`. The survivors that are known, and why they are harmless, are in survivors.md.
"""

import functools
import glob
import multiprocessing
import os
import random
import re
import resource
import signal
import subprocess
import sys
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
HERE = "build/mutants"
PLAIN = "-O2 -fPIC -fno-semantic-interposition"
SANITIZE = "-O1 -g -fPIC -fsanitize=address,undefined -fno-sanitize-recover=all"
WALL_S = 240  # for one program that waits for something; loops end by the CPU they use
# Programs that take a second or more, and the files they are run for: the others have tests of their own, and torture.
TALK, NONE = r"protocol|jose|x509|wire", r"no file of the core"
LONG = {"test_acme": r"core/acme|lifecycle", "test_exchange_edges": r"exchange|judge|protocol|jose|http", "test_dialogue": TALK,
        "test_status": TALK, "test_status_v1": TALK, "test_race": NONE, "test_problem": TALK, "test_tls": r"secure",
        "test_refusals": r"secure|der|x509",
        "test_key_p256": r"key|ec\.|der|pem", "test_posix_store": NONE, "test_flash_store": NONE,
        "test_flash_run": NONE}
# Files whose tests are called otherwise.
OWN = {**{name: "test_dialogue" for name in ("flow", "flow_v1", "exchange", "judge", "tables", "directory", "account", "order",
                                             "authz", "validate")},
       "tls": "test_refusals", "acme": "torture", "acme_setup": "test_buffers"}
HEARD_S = 10  # of CPU: a program that needs more is not waited for, what it would say then torture says sooner

TOKEN = re.compile(r"""(?P<skip>\s+|//[^\n]*|/\*.*?\*/|^[ \t]*\#(?:[^\n]*\\\n)*[^\n]*)|(?P<text>"(?:\\.|[^"\\])*")
 |(?P<char>'(?:\\.|[^'\\])+')|(?P<number>0[xX][0-9a-fA-F]+[uUlL]*|\d+[uUlL]*)|(?P<word>[A-Za-z_]\w*)
 |(?P<sign>->|\+\+|--|<<=|>>=|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%&|^]=|.)""", re.S | re.M | re.X)
SWAP = {"<": ["<=", ">="], "<=": ["<", ">"], ">": [">=", "<="], ">=": [">", "<"], "==": ["!="], "!=": ["=="],
        "&&": ["||"], "||": ["&&"], "+": ["-"], "-": ["+"], "*": ["/"], "/": ["*"], "%": ["/"], "<<": [">>"],
        ">>": ["<<"], "&": ["|"], "|": ["&"], "^": ["&"], "+=": ["-=", "="], "-=": ["+=", "="], "|=": ["&=", "="],
        "&=": ["|=", "="], "++": ["--"], "--": ["++"], "true": ["false"], "false": ["true"], "!": [""],
        "?": ["== 0 ?"]}
UNARY_TOO = set("+-*&")  # binary only where clang-format has put blanks on both sides


def closing(tokens, i):
    """The index of the bracket that closes the one at i."""
    depth = 0
    while True:
        depth += (tokens[i][2] in "([{") - (tokens[i][2] in ")]}")
        if depth == 0:
            return i
        i += 1


def statement_end(tokens, i):
    """The index of the semicolon; None when this is no statement but part of an initializer."""
    while tokens[i][2] != ";":
        if tokens[i][2] in ")]}":
            return None
        i = closing(tokens, i) + 1 if tokens[i][2] in "([{" else i + 1
    return i


def is_action(tokens, i):
    """Whether the statement at i does something that can be left out: a call, an assignment, a jump."""
    first, second = tokens[i], tokens[i + 1]
    if first[2] in ("break", "continue"):
        return True
    if first[2] in ("return", "if", "while", "for", "do", "switch", "case", "default", "else", "static", "const",
                    "struct", "enum", "goto"):
        return False
    return first[2] in ("(", "*", "++", "--") or first[1] == "word" and second[2] in (
        "(", "[", ".", "->", "=", "++", "--", "+=", "-=", "|=", "&=", "<<=", ">>=")


def edits_of(text):
    """All edits of a file: (first, past, in its place)."""
    tokens = [(m.start(), m.lastgroup, m.group()) for m in TOKEN.finditer(text) if m.lastgroup != "skip"]
    depth = 0
    for i, (at, kind, token) in enumerate(tokens):
        past = at + len(token)
        depth += (token == "{") - (token == "}")
        if kind == "number" or kind == "char":
            value = token.rstrip("uUlL")
            yield at, past, f"({token} + 1)"
            if value != "0":
                yield at, past, f"({token} - 1)"
        elif token in SWAP and not (token in UNARY_TOO and text[at - 1:past + 1] != f" {token} "):
            for other in SWAP[token]:
                yield at, past, other
        elif token in ("if", "while") and tokens[i + 1][2] == "(":
            end = tokens[closing(tokens, i + 1)][0]
            yield tokens[i + 1][0], end + 1, f"(!{text[tokens[i + 1][0]:end + 1]})"
        elif token == "return" and tokens[i + 1][2] != ";":
            start, end = past + 1, tokens[statement_end(tokens, i)][0]
            if text[start:end] not in ("0", "true", "false"):
                yield start, end, "0"
                yield start, end, f"!({text[start:end]})"
        if depth > 0 and i > 0 and tokens[i - 1][2] in ("{", "}", ";", ":") and is_action(tokens, i):
            end = statement_end(tokens, i)
            if end is not None:
                yield at, tokens[end][0] + 1, ";"


def told(text, at, past, other):
    """An edit in words: its line, and the edit marked in it."""
    start, end = text.rfind("\n", 0, at) + 1, text.find("\n", past)
    line = f"{text[start:at]}[[{text[at:past]} -> {other}]]{text[past:end]}"
    return f"{text.count(chr(10), 0, at) + 1}: {' '.join(line.split())}"


def call(argv, **options):
    return subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **options)


def make_base(build, flags):
    """The test programs, linked with a shared core: what is called libnanoacme.a is a word to the linker."""
    lib = os.path.abspath(f"{build}/lib/libnanoacme.so")
    command = ["make", "-s", "-j2", f"B={build}", "CC=gcc", "CFLAGS=" + flags.replace("-O2", "-O1")]
    os.makedirs(os.path.dirname(lib), exist_ok=True)
    for target in ([f"{build}/libnanoacme.a"], ["units", f"{build}/torture"]):
        made = call(command + target)
        if made.returncode != 0:
            sys.exit(made.stdout.decode() + "mutants: the tests do not build")
        if target != ["units", f"{build}/torture"]:
            objects = glob.glob(f"{build}/obj/core/*.o") + glob.glob(f"{build}/obj/core/*/*.o")
            subprocess.run(link(flags, lib, objects), check=True)
            with open(f"{build}/libnanoacme.a", "w", encoding="ascii") as script:
                script.write(f"INPUT({lib})\n")


def link(flags, lib, objects):
    return ["gcc", *flags.split(), "-shared", "-Wl,-soname,libnanoacme.so", "-o", lib, *objects, "-lbearssl"]


@functools.cache
def options():
    """What the core that is tested is built with."""
    with open("Makefile", encoding="utf-8") as file:
        return re.search("^HOST_OPTIONS = (.*)", file.read(), re.M)[1].split()


def compiled(path, text, flags, to):
    folder = os.path.dirname(path)
    return call(["gcc", "-std=c99", *options(), *flags.split(), "-w", "-Werror=int-conversion", "-Icore", "-iquote", folder, "-c",
                 "-x", "c", "-o", to, "-"], input=text.encode()).returncode == 0


def passes(argv, lib_folder, cpu_s, is_long=False):
    """Runs a test program until its first failure. It may use so much CPU; a long one has then passed."""
    def limits():
        resource.setrlimit(resource.RLIMIT_CPU, (cpu_s, cpu_s + 1))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 24, 1 << 24))

    environment = dict(os.environ, LD_LIBRARY_PATH=lib_folder, CMOCKA_MESSAGE_OUTPUT="TAP",
                       ASAN_OPTIONS="detect_leaks=0", NO_SWEEPS="1")
    child = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                             env=environment, preexec_fn=limits, start_new_session=True)
    clock = threading.Timer(WALL_S, os.killpg, (child.pid, signal.SIGKILL))
    clock.start()
    failed = any(line.startswith((b"not ok", b"Bail out")) for line in child.stdout)
    clock.cancel()
    try:
        os.killpg(child.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    return not failed and child.wait() in (0, -signal.SIGXCPU if is_long else 0)


class Suite:
    """The test programs of one build, each with the CPU it needs, in the order that kills soonest."""

    def __init__(self, build, longest_s):
        torture = [f"{build}/torture", "--jobs", "1", "--at-most"]
        programs = [[p] for p in sorted(glob.glob(f"{build}/tests/*/test_*")) if os.path.exists(p[len(build) + 1:] + ".c")]
        self.tests = []
        for argv in programs + [torture + ["5"], torture + ["60"]]:
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            if not passes(argv, f"{build}/lib", 600):
                sys.exit(f"mutants: {' '.join(argv)} fails as it is")
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            used = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
            if used < longest_s:
                self.tests.append((used, argv))
        self.tests.sort(key=lambda t: t[0])
        self.kills = {}

    def killer(self, path, lib_folder):
        """The first test that fails with the core of that folder. A test that has killed here before comes sooner."""
        own = os.path.basename(path)[:-2].replace("challenge_", "")

        def rank(test):
            name = os.path.basename(test[1][0])
            kills = self.kills.get((path, test[1][0]), 0)
            kills += 3 * (name.startswith("test_" + own)) + (name == OWN.get(own))
            return (test[0] + 0.02) / (kills + 0.1)

        wanted = [t for t in self.tests if re.search(LONG.get(os.path.basename(t[1][0]), ""), path)]
        for used, argv in sorted(wanted, key=rank):
            is_long = used > HEARD_S
            if not passes(argv, lib_folder, HEARD_S if is_long else int(4 * used) + 2, is_long):
                self.kills[path, argv[0]] = self.kills.get((path, argv[0]), 0) + 1
                return os.path.basename(argv[0])
        return None


def object_of(build, path):
    return f"{build}/obj/{path[:-2]}.o"


def judge(job):
    """What becomes of one mutant: "none" (does not compile), "same" (machine code), "killed", "alive"."""
    path, at, past, other = job
    text = sources[path]
    mutant = text[:at] + other + text[past:]
    folder = f"{HERE}/w{os.getpid()}"
    os.makedirs(folder, exist_ok=True)
    for build, flags, suite in suites:
        if not compiled(path, mutant, flags, f"{folder}/mutant.o"):
            return job, "none", None
        if suite is suites[0][2] and same(f"{folder}/mutant.o", path, text):
            return job, "same", None
        objects = [object_of(build, other_path) for other_path in all_paths if other_path != path]
        subprocess.run(link(flags, f"{folder}/libnanoacme.so", objects + [f"{folder}/mutant.o"]), check=True)
        killer = suite.killer(path, folder)
        if killer is not None:
            return job, "killed", killer + ("" if suite is suites[0][2] else ", sanitized")
    return job, "alive", None


def same(mutant, path, text):
    original = f"{HERE}/original/{path[:-2]}.o"
    if not os.path.exists(original):
        os.makedirs(os.path.dirname(original), exist_ok=True)
        compiled(path, text, PLAIN, original + str(os.getpid()))
        os.rename(original + str(os.getpid()), original)
    with open(mutant, "rb") as one, open(original, "rb") as two:
        return one.read() == two.read()


def main():
    global suites, sources, all_paths
    options = dict(a.split("=", 1) for a in sys.argv[1:])
    os.chdir(ROOT)
    for variable in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL"):
        os.environ.pop(variable, None)
    call(["rm", "-rf", f"{HERE}/original"] + glob.glob(f"{HERE}/w*"))
    all_paths = sorted(glob.glob("core/*.c") + glob.glob("core/*/*.c"))
    sources = {p: open(p, encoding="ascii").read() for p in all_paths}
    jobs = [(p, *e) for p in all_paths if options.get("ONLY", p) == p for e in edits_of(sources[p])]
    if "AGAIN" in options:
        with open(f"{HERE}/log", encoding="ascii") as log:
            alive = {line[6:].strip() for line in log if line.startswith("alive ")}
        jobs = [(p, *e) for p, *e in jobs if f"{p}:{told(sources[p], *e)}" in alive]
    possible, wanted = len(jobs), options.get("SAMPLE", "400")
    wanted = possible if wanted == "all" else min(possible, int(wanted))
    jobs = random.Random(int(options.get("SEED", "1"))).sample(jobs, wanted)
    suites = []
    for build, flags, longest_s in ((f"{HERE}/plain", PLAIN, 600), (f"{HERE}/asan", SANITIZE, 3)):
        make_base(build, flags)
        suites.append((build, flags, Suite(build, longest_s)))
    with open("tests/mutants/survivors.md", encoding="utf-8") as file:
        known = file.read().replace("\\|", "|")  # as tables want it
    began, counts, alive = time.monotonic(), {"none": 0, "same": 0, "killed": 0, "alive": 0}, []
    with multiprocessing.Pool(int(options.get("JOBS", "2"))) as pool, open(f"{HERE}/log", "w", encoding="ascii") as log:
        for (path, *edit), fate, killer in pool.imap_unordered(judge, jobs):
            counts[fate] += 1
            words = f"{path}:{told(sources[path], *edit)}"
            log.write(f"{fate} {words} {killer or ''}\n")
            log.flush()
            if fate == "alive":
                is_known = words.split(": ", 1)[1] in known
                alive.append(words)
                print(("known:    " if is_known else "survives: ") + words, flush=True)
    minutes = (time.monotonic() - began) / 60
    counted = counts["killed"] + counts["alive"]
    print(f"{len(jobs)} of {possible} mutants: {counts['none']} do not compile, {counts['same']} change nothing; "
          f"{counts['killed']} of {counted} killed ({100 * counts['killed'] / max(counted, 1):.1f} %), "
          f"{counts['alive']} alive; {minutes:.1f} min, {len(jobs) / minutes:.0f} a minute")
    sys.exit(0 if counts["killed"] * 10 >= counted * 9 else 1)


if __name__ == "__main__":
    main()
