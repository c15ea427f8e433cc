#!/usr/bin/env python3
"""The dialogues on a Cortex-M3 and on a big-endian machine, and the unit tests on a Cortex-M3, in emulators: README.md.
test_target.py [MACHINE...]: those; none: both."""

import concurrent.futures
import glob
import os
import re
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.abspath(os.path.join(HERE, "..", ".."))
sys.path[:0] = [os.path.join(HERE, "..")]
import tap

BUILD = "build/target"
RECORDING = f"{BUILD}/dialogues.rec"
S390X_BEARSSL = "build/s390x/root/usr/lib/s390x-linux-gnu/libbearssl.a"  # Debian's, where tests/bigendian has unpacked it
QEMU_ARM = ["qemu-system-arm", "-M", "mps2-an385", "-nographic", "-monitor", "none", "-serial", "none", "-nic", "none",
            "-semihosting-config", "enable=on,target=native"]
# machine: what it is called, what it needs, a command for a program with one argument
MACHINES = {
    "cortex-m3": ("Cortex-M3", ("arm-none-eabi-gcc", "qemu-system-arm"),
                  lambda elf, argument: [*QEMU_ARM, "-kernel", elf, "-append", argument]),
    "s390x": ("s390x (big-endian)", ("s390x-linux-gnu-gcc", "qemu-s390x"), lambda elf, argument: ["qemu-s390x", elf, argument]),
}
LIMIT_S = 800  # a minute is enough; behind others it has to wait
RESULT = re.compile(r"^(not )?ok \d+ - (.*)$", re.M)


def lacking(machine):
    """Why it cannot be had; "" it can."""
    tool = next((t for t in MACHINES[machine][1] if not shutil.which(t)), "")
    if tool:
        return f"no {tool}"
    if machine == "s390x" and not glob.glob("/usr/s390x-linux-gnu/lib/libc.a"):
        return "no C library for s390x"
    if not (machine == "s390x" and os.path.exists(S390X_BEARSSL) or
            os.path.isdir(os.path.join(os.environ.get("BEARSSL_DIR", "build/src/bearssl"), "src"))):
        return "no source of BearSSL (tests/deps.sh firmware)"
    return ""


def make(goal):
    done = subprocess.run(["make", "-s", "-j2", "-k", goal], capture_output=True, text=True)
    return tap.ok(done.returncode == 0, goal, done.stderr[-600:])


def run(machine, program, argument=""):
    """Returns what it said, and whether it came to its end."""
    command = MACHINES[machine][2](f"{BUILD}/{machine}/{program}.elf", argument)
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              errors="replace", timeout=LIMIT_S)
    except subprocess.TimeoutExpired as late:
        return (late.stdout or b"").decode(errors="replace"), False
    seen = [wrong for wrong, _ in RESULT.findall(done.stdout)]
    return done.stdout, f"1..{len(seen)}\n" in done.stdout and (done.returncode == 0) == (not any(seen))


def spoiled():
    """The first run of the recording with one thing changed that was sent, shown, waited for or stored: {what: text}."""
    with open(RECORDING, encoding="latin-1", newline="") as f:
        length, name = re.fullmatch(r"run (\d+) (.*)\n", f.readline()).groups()
        run = f.read(int(length))
    changes = {"a signature": (r"(?<=\"signature\":\")(.)", "_"), "an answer on show": (r"(?<=\nshown 87\n)(.)", "_"),
               "a wait": (r"(?<=\nwait )(\d)", "9"), "the stored chain": (r"(.)(?=\n-----END CERTIFICATE-----\n\n\Z)", "_")}
    for what, (pattern, new) in changes.items():
        changed, count = re.subn(pattern, new, run, count=1)
        yield what, f"run {length} {name}\n{changed}", count == 1 and changed != run


def judge(machine, program, what, output, ended):
    """Hands its results on. Returns how many."""
    results = RESULT.findall(output)
    for wrong, name in results:
        tap.ok(not wrong, f"{what}: {name}")
    if not ended or not results or any(wrong for wrong, _ in results):
        tap.note(output[-1500:])
        tap.ok(False, f"{what}: all of {program}", "see above")
    return len(results)


def dialogues(machine, output, ended):
    what = f"dialogue on {MACHINES[machine][0]}"
    scripts = len(glob.glob("tests/dialogue/**/*.dialogue", recursive=True) + glob.glob("tests/regress/*.dialogue"))
    played = judge(machine, "replay", what, output, ended)
    tap.ok(played == scripts, f"{what}: every script was recorded and replayed", f"{played} of {scripts}")
    tap.note(f"{MACHINES[machine][0]}: {output.splitlines()[-1] if output else ''}")
    for change, text, good in spoiled():
        path = f"{BUILD}/spoiled.{machine}.rec"
        with open(path, "w", encoding="latin-1", newline="") as f:
            f.write(text)
        output, ended = run(machine, "replay", path)
        tap.ok(good and ended and "\nnot ok 1 - " in output, f"{what}: {change} that differs is seen", output[-300:])


def unit_programs():
    """Those that were built for the Cortex-M3, and the others with what they need."""
    here, home = [], {"OpenSSL": [], "files, sockets or processes": []}
    for path in sorted(glob.glob("tests/unit/test_*.c")):
        name = os.path.basename(path)[:-2]
        if os.path.exists(f"{BUILD}/cortex-m3/{name}.elf"):
            here.append(name)
            continue
        with open(path, encoding="utf-8") as f:
            ssl = re.search(r'openssl/|"maker.h"|"tls_server.h"|"fake/', f.read())
        home["OpenSSL" if ssl else "files, sockets or processes"].append(name[len("test_"):])
    return here, home


def main(wanted):
    for machine in wanted:
        if lacking(machine):
            tap.skip(f"dialogues and unit tests on {MACHINES[machine][0]}", lacking(machine))
    machines = [m for m in wanted if not lacking(m)]
    if not machines or not all([make(f"target-{m}") for m in ("recording", *machines)]):
        return
    here, home = unit_programs() if "cortex-m3" in machines else ([], {})
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        plays = {m: pool.submit(run, m, "replay", RECORDING) for m in machines}
        units = {u: pool.submit(run, "cortex-m3", u) for u in here}
        for machine in machines:
            dialogues(machine, *plays[machine].result())
        tests = sum(judge("cortex-m3", u, f"{u} on Cortex-M3", *units[u].result()) for u in here)
    if here:
        tap.note(f"{tests} unit tests in {len(here)} programs on Cortex-M3")
    for why, programs in home.items():
        tap.note(f"at home, for they need {why}: {' '.join(programs)}")


os.chdir(ROOT)
for variable in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL"):
    os.environ.pop(variable, None)
main(sys.argv[1:] or list(MACHINES))
tap.end()
