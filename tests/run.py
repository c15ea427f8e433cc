#!/usr/bin/env python3
"""Runs the tests, group by group; without a GROUP those of `make check`: all but quick.

`make check` comes in two parts: what keeps all processors busy; and what mostly waits, with what only computes behind it, in the
time that is left over. What measures in real time is alone there but for that.

Every test program says what it found in TAP lines ("ok 1 - what", "not ok 2 - what", "ok 3 - what # SKIP why").
The last line printed is "N passed, N failed, N skipped"; the exit status is 1 when anything failed.
"""

import argparse
import concurrent.futures
import contextlib
import functools
import glob
import os
import queue
import re
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
# Each sanitizer once: clang's for undefined behaviour sees more than gcc's, that for addresses is the same. The fuzzers have both.
ADDRESS = "-O1 -g1 -fsanitize=address -fno-omit-frame-pointer"
CLANG = ["B=build/clang", "CC=clang-14", "CFLAGS=-O1 -g1 -fsanitize=undefined -fno-sanitize-recover=all",
         "TEST_CFLAGS=-O0 -fno-sanitize=undefined"]
TAP = re.compile(r"^(not )?ok\b\s*\d*\s*(?:- )?(.*)$")
LIMIT_S = 420  # for one program; none needs half of it
LATER_S = 1800  # the same for one that gets only what others leave
# Such a one goes last, whatever else wants to run: the session's group of tasks, and the task in it.
LAST = ["sh", "-c", "{ echo 19 >/proc/self/autogroup; } 2>/dev/null; exec chrt --idle 0 \"$@\"", "last"]

PROCESSORS = os.cpu_count() or 1
# Compilers of what is built again and again: kinds of one firmware, options of the core, clones of the tree. What is built once
# (CC=gcc, clang) would only take longer.
SHARED = ["cc", "arm-none-eabi-gcc", "riscv64-unknown-elf-gcc"]

running = set()  # process groups, for an interruption
lock = threading.Lock()  # for them: several threads start programs
stop = threading.Event()  # nothing is started any more
show = times = False

SWEEPERS = ["tests/dialogue/test_dialogue", "tests/cells/test_race"]  # NO_SWEEPS=1 leaves theirs out

KINDS = ("passed", "failed", "skipped")
total = dict.fromkeys(KINDS, 0)
in_parts = False  # what groups share is made, and the group `alone` runs the scripts that must be


class Here(threading.local):
    """What the group has found that this thread runs. One that runs beside others says it in one piece, at its end."""
    counts, behind, said = dict.fromkeys(KINDS, 0), False, None


here = Here()


def say(text):
    if here.said is not None:
        here.said.append(text)
    else:
        print(text, flush=True)


def count(kind, what, why=""):
    here.counts[kind] += 1
    if kind != "passed" or show:
        word = {"passed": "ok", "failed": "FAILED", "skipped": "skipped"}[kind]
        say(f"  {word}: {what}" + (f" ({why})" if why else ""))


def run(command, behind=None):
    """Runs one program in a process group of its own. Returns its output and what was wrong with its end."""
    behind = here.behind if behind is None else behind
    limit_s = LATER_S if behind else LIMIT_S
    if behind and can_be_last():
        command = LAST + command
    try:
        with lock:
            if stop.is_set():
                return "", "interrupted"
            child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                     start_new_session=True, text=True, errors="replace")
            running.add(child.pid)
    except OSError as failure:
        return "", f"cannot be run: {failure.strerror}"
    wrong = None
    try:
        output, _ = child.communicate(timeout=limit_s)
        if child.returncode != 0:
            wrong = f"exit status {child.returncode}"
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGTERM)
        output, _ = child.communicate()
        wrong = f"not done after {limit_s} s"
    except BaseException:  # interrupted: it stops what it started, and we wait for that
        os.killpg(child.pid, signal.SIGTERM)
        child.wait()
        raise
    finally:
        with lock:
            running.discard(child.pid)
    if not gone(child.pid):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        wrong = wrong or "left processes behind"
    return output, wrong


@functools.cache
def can_be_last():
    return subprocess.run([*LAST, "true"], stdin=subprocess.DEVNULL, capture_output=True, start_new_session=True).returncode == 0


def gone(group, limit_s=2):
    """Whether a process group ends. The last process of a pipe may still be on its way out when its output has ended."""
    end = time.monotonic() + limit_s
    while time.monotonic() < end:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.02)  # lint: polls
    return False


def tap(command, name):
    judge(name, *run(command))


def judge(name, output, wrong):
    """Counts the TAP lines of a test program; one that ends badly or says nothing has failed itself."""
    planned, seen, failed = None, 0, 0
    for line in output.splitlines():
        match = TAP.match(line)
        if line.startswith("1.."):
            planned = (planned or 0) + int(line[3:].split()[0])
        if not match:
            if show or line.startswith("# | "):
                say(f"    {line}")
            continue
        seen += 1
        what, _, comment = match.group(2).partition("# ")
        if comment.upper().startswith("SKIP"):
            count("skipped", f"{name}: {what.strip() or comment[4:].strip()}", comment[4:].strip())
        elif match.group(1):
            failed += 1
            count("failed", f"{name}: {what.strip()}", comment.strip())
        else:
            count("passed", f"{name}: {what.strip()}")
    if planned is not None and planned != seen:
        wrong = wrong or f"{planned} tests planned, {seen} seen"
    if seen == 0:
        wrong = wrong or "no test in it"
    if wrong and not failed or wrong and "behind" in wrong:
        count("failed", name, wrong)
        failed += 1
    if failed and not show:
        say("    " + "\n    ".join(output.splitlines()[-60:]))


def command(name, argv):
    """Runs a program whose exit status is the test. Returns whether it was 0."""
    output, wrong = run(argv)
    count("failed" if wrong else "passed", name, wrong or "")
    if wrong or show:
        say("    " + "\n    ".join(output.splitlines()[-60:]))
    return not wrong


def make(name, *arguments):
    return command(name, ["make", "-j2", "-s", "-k", *arguments])


def make_units(name, *arguments, targets=("all", "units")):
    """The programs in C. They are linked by gold, where it is: in a quarter of the time."""
    linker = ["env", "LDFLAGS=-fuse-ld=gold"] if shutil.which("ld.gold") else []
    return command(name, [*linker, "make", "-j2", "-s", "-k", *arguments, *targets])


def listed(folder, alone):
    """Test programs by name, with what runs them: whatever is in the folder. One that measures, or counts what a late answer
    changes, is alone, and says so in a line `# alone: why`."""
    paths = sorted(glob.glob(f"tests/{folder}/test_*.py") + glob.glob(f"tests/{folder}/test_*.sh"))
    return [(path, [sys.executable if path.endswith(".py") else "bash", path]) for path in paths
            if alone == bool(re.search(r"^# alone: ", open(path).read(), re.M))]


def scripts(folder, at_once=1):
    side_by_side(listed(folder, alone=False), at_once)
    if not in_parts:
        side_by_side(listed(folder, alone=True), 1)


def programs(build, *before):
    """The test programs in C, as many at a time as there are processors: they share nothing."""
    sources = {path: path[len(build) + 1:] + ".c" for path in sorted(glob.glob(f"{build}/tests/*/test_*"))}
    # its test may have been removed or renamed
    side_by_side([(s, [*before, p]) for p, s in sources.items() if os.path.exists(s)], PROCESSORS)


def timed(command, behind):
    began = time.monotonic()
    output, wrong = run(command, behind)
    return time.monotonic() - began, output, wrong


def side_by_side(tests, at_once):
    """Runs (file, command) pairs, so many at a time; judges them in their order."""
    pool = concurrent.futures.ThreadPoolExecutor(at_once)
    try:
        for file, done in [(f, pool.submit(timed, c, here.behind)) for f, c in tests]:
            took, *found = done.result()
            judge(file[len("tests/"):], *found)
            if times:
                say(f"    {took:.1f} s: {file[len('tests/'):]}")
    except BaseException:
        stop.set()
        pool.shutdown(wait=False, cancel_futures=True)
        raise
    pool.shutdown()


def share_objects():
    """An object that would come out the same is made once, where ccache is: tests/deps.sh check. The cache is this tree's."""
    folder, ccache = os.path.join(ROOT, "build", "ccache"), shutil.which("ccache")
    if not ccache:
        return
    os.makedirs(f"{folder}/bin", exist_ok=True)
    for compiler in SHARED:
        with contextlib.suppress(FileExistsError):
            os.symlink(ccache, f"{folder}/bin/{compiler}")
    os.environ.update(PATH=f"{folder}/bin:{os.environ['PATH']}", CCACHE_DIR=f"{folder}/objects", CCACHE_NOHASHDIR="1", CCACHE_MAXSIZE="500M",
                      CCACHE_CONFIGPATH=os.devnull, SHARED_OBJECTS=f"{folder}/bin")


def quick():
    """the programs of unit without sanitizers and without the long sweeps: for the first look after a change"""
    build = "build/quick"
    make_units("unit tests build", f"B={build}", "CFLAGS=-O1 -g1", "TEST_CFLAGS=-O0")
    programs(build, "env", "NO_SWEEPS=1")


def lint():
    """layout, include directions, symbols, limits, what the pages say"""
    make("the libraries build without the program's options too", "B=build/bare", "HOST_OPTIONS=", "CFLAGS=-O1",
         "build/bare/libnanoacme.a", "build/bare/libnanoacme-posix.a")
    if make("build for the symbol checks", "all"):
        scripts("lint", PROCESSORS)


def unit():
    """every cmocka program and dialogue, by gcc, with AddressSanitizer; the long sweeps are a group of their own"""
    make_units("unit tests build with gcc", "B=build/asan", "CC=gcc", f"CFLAGS={ADDRESS}")
    programs("build/asan", "env", "NO_SWEEPS=1")


def sweeps():
    """what the programs of unit do in millions: messages cut in two at every byte, races; without sanitizers, four times as fast"""
    if in_parts or sweepers():
        side_by_side([(f"{name}.c", [f"build/{name}"]) for name in SWEEPERS], 1)


def clang():
    """the same by clang, with UndefinedBehaviorSanitizer"""
    make_units("everything builds with clang", *CLANG)
    programs("build/clang", "env", "NO_SWEEPS=1")


def firmware():
    """Compiles what images are linked of, before scripts link them side by side. Returns whether it could."""
    names = sorted(os.path.basename(os.path.dirname(p)) for p in glob.glob("boards/*/qemu"))
    variables = [*(f"BOARD={name}" for name in names), "SMALL=1", "I15=1", "V1=1", "ADDRESSES=1", "DNS01=1", "HEADLESS=1", "BARE=1"]
    return all([make(f"firmware with {v} compiles", v, "firmware-parts") for v in variables])


def kernel():
    return make("firmware for a kernel links", "BOARD=mps2-an385", "KERNEL=1", "firmware-parts", "kernel-check")


def program():
    return make("what the scripts run is built", "all", "build/nanoacme-anchors")


def sweepers():
    return make("the programs with sweeps are built", *(f"build/{name}" for name in SWEEPERS))


def simulations():
    """Faults with sanitizers and without; years and fleets without: they are hours of what the others have played."""
    return all([make_units("the fault harness builds with gcc's sanitizer", "B=build/asan", "CC=gcc", f"CFLAGS={ADDRESS}",
                           targets=["build/asan/torture"]),
                make_units("the fault harness builds with clang's", *CLANG,
                           targets=["build/clang/torture"]),
                make("fault harness and simulations are built", "build/torture", "build/soak", "build/fleet")])


def parts():
    """what several groups need, or one build has, is compiled before they run side by side"""
    recording = make("the dialogues are recorded, for other machines", "target-recording")
    return all([program(), recording, sweepers(), simulations(), firmware(), kernel()])


def size():
    """code and RAM on Cortex-M3, against README.md"""
    if make("the core cross-compiles for Cortex-M3", "cross") and (in_parts or firmware()):
        if show:
            update = ["--update"] if os.environ.get("UPDATE") else []
            command("size", [sys.executable, "tests/size/size.py", *update])
        else:
            scripts("size")


def install():
    """what `make install` lays down is enough for a stranger"""
    scripts("install")


def conformance():
    """the contract of a port, and the options of lwIP"""
    scripts("conformance", 2)


def fault():
    """one thing goes wrong, everywhere: a sample of `make torture`, and small ones of that with sanitizers"""
    if in_parts or simulations():
        tap(["build/torture", "--at-most", "300"], "fault/torture")
        for sanitized in ("asan", "clang"):
            tap([f"build/{sanitized}/torture", "--at-most", "40"], f"fault/torture, {sanitized}")


def soak():
    """a year of one device, and a small fleet, in virtual time: samples of `make soak` and `make fleet`"""
    if in_parts or simulations():
        tap(["build/soak", "1"], "soak/soak")
        tap(["build/fleet", "25"], "soak/fleet")


def coverage():
    """lines and branches of core/ that the programs of unit reach"""
    build = "build/coverage"
    if make_units("everything builds for coverage", f"B={build}", "CC=gcc", "CFLAGS=-O0 --coverage", targets=["all", "units", f"{build}/torture"]):
        command("coverage of core/", [sys.executable, "tests/coverage.py", build])


def fuzz():
    """the fuzzers' corpora, and a few seconds each"""
    tap([sys.executable, "tests/fuzz/fuzz.py", "--check"], "fuzz")


def interop():
    """Pebble, Caddy, step-ca, Boulder's words of 2016"""
    if in_parts or program() and firmware():
        scripts("interop", 3)  # they mostly wait


def bigendian():
    """unit tests that know the order of bytes, on s390x"""
    scripts("bigendian")


def target():
    """unit tests and the dialogues on a Cortex-M3 in the emulator, the dialogues on s390x as well"""
    scripts("target")


def boards():
    """the firmware in the emulator"""
    if in_parts or firmware() and kernel():
        scripts("boards", 2)


def demo():
    """`make demo`, in a fresh clone too"""
    for board in ("lm3s6965evb", "posix"):
        command(f"demo on {board}", ["env", f"BOARD={board}", "tests/demo/run"])
    scripts("demo")


def bench():
    """instructions and heap of a renewal, and what a look costs"""
    scripts("bench")


def alone():
    """the scripts of boards and interop that nothing may run beside, but what is behind all others"""
    if in_parts or program() and firmware():
        side_by_side(listed("boards", alone=True) + listed("interop", alone=True), 1)


# The parts of `make check`. What is BEHIND has no time to keep; the longest ones first. EARLY shares nothing with the others, so it has
# been behind them from the beginning.
EARLY = [bigendian]
BUSY = [lint, unit, clang, coverage, fuzz]
MEASURED = [alone]
WAITING = [[interop], [boards, conformance, demo, bench]]  # one list beside the other
BEHIND = [fault, install, sweeps, target, size, soak]


def play(group):
    """Runs a group in this thread. Returns what it does."""
    here.counts, began, cpu_s = dict.fromkeys(KINDS, 0), time.monotonic(), cpu()
    say(f"{group.__name__}:")
    result = group()
    took = f"{time.monotonic() - began:.0f} s" + (f", {cpu() - cpu_s:.0f} s of CPU" if times and not in_parts else "")
    say("  " + ", ".join(f"{n} {k}" for k, n in here.counts.items()) + ", " + took)
    with lock:
        for kind in KINDS:
            total[kind] += here.counts[kind]
    return result


def cpu():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def play_beside(groups, behind):
    """Runs groups of a queue until there is none left. What each says is told in one piece."""
    here.behind = behind
    while not stop.is_set():
        try:
            group = groups.get_nowait()
        except queue.Empty:
            return
        here.said = []
        try:
            play(group)
        except BaseException as failure:  # a mistake in here
            with lock:
                total["failed"] += 1
            say(f"  FAILED: {group.__name__}: {failure!r}")
        with lock:
            print("\n".join(here.said), flush=True)


def begin(groups, threads, behind=False):
    waiting = queue.Queue()
    for group in groups:
        waiting.put(group)
    started = [threading.Thread(target=play_beside, args=(waiting, behind)) for _ in range(threads)]
    for thread in started:
        thread.start()
    return started


def join(threads):
    for thread in threads:
        thread.join()


def check():
    """All groups. What computes runs behind what waits, where the scheduler has a last place."""
    global in_parts
    last = can_be_last()
    started = begin(EARLY, 1, behind=True) if last else []
    for group in BUSY:
        play(group)
    in_parts = play(parts)
    if not in_parts:  # or they would all try to make the same files
        join(started)
        for group in [*([] if last else EARLY), *BEHIND, *sum(WAITING, [])]:
            play(group)
        return
    if last:
        join(begin(MEASURED, 1))
    started += begin(BEHIND if last else EARLY + BEHIND, PROCESSORS, behind=True)
    join([thread for groups in WAITING for thread in begin(groups, 1)] + started)
    if not last:
        join(begin(MEASURED, 1))


def main():
    global show, times
    groups = [*BUSY, *EARLY, *BEHIND, *sum(WAITING, []), *MEASURED]
    known = {g.__name__: g for g in [quick, *groups]}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter,
                                     epilog="\n".join(f"  {name:12} {g.__doc__}" for name, g in known.items()))
    parser.add_argument("--show", action="store_true", help="say what passed as well, and all that the programs say")
    parser.add_argument("--times", action="store_true", help="say how long each program took, beside the others that ran meanwhile")
    parser.add_argument("group", nargs="*", metavar="GROUP", help="as listed below")
    arguments = parser.parse_args()
    show, times, names = arguments.show, arguments.times, arguments.group
    unknown = [n for n in names if n not in known]
    if unknown:
        parser.error(f"no group {unknown[0]}; there are: {' '.join(known)}")

    os.chdir(ROOT)
    os.environ["CMOCKA_MESSAGE_OUTPUT"] = "TAP"
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    os.environ["ASAN_OPTIONS"] = "detect_leaks=1:abort_on_error=0"
    for variable in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL"):  # of a make we were started by: not for those we start
        os.environ.pop(variable, None)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    if names != ["quick"]:
        share_objects()
    began = time.monotonic()
    try:
        if names:
            for name in names:
                play(known[name])
        else:
            check()
    except BaseException:  # interrupted: nothing is left running
        stop.set()
        with lock:
            for started in running:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(started, signal.SIGTERM)
        raise
    print(f"{time.monotonic() - began:.0f} s, {cpu():.0f} s of CPU")
    print(", ".join(f"{n} {k}" for k, n in total.items()))
    sys.exit(1 if total["failed"] else 0)


if __name__ == "__main__":
    main()
