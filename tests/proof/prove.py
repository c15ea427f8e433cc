#!/usr/bin/env python3
"""Runs Frama-C's Eva on the parsers with arbitrary input: tests/proof/prove.py [NAME...]. See README.md.

Prints a TAP line for each driver: how many alarms, how much of the functions it reached, how long it took.
"""

import os
import re
import resource
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
LIMIT_S = int(os.environ.get("LIMIT", "1200"))  # of CPU, for one driver

# Driver: bytes of input it is given at most (MOST), and what is linked with it. A driver that looks at static functions
# includes their file. What has no body here has a contract: in Frama-C's own C library, or in the driver.
WIRE = {name: f"core/wire/{name}.c" for name in ("slice", "out", "base64", "date", "der", "url", "pem", "http")}
DRIVERS = {
    "slice": (24, "slice"),
    "base64": (5, "base64 out slice"),
    "out": (4, "out slice"),
    "date": (6, "date slice"),
    "url": (6, "url slice"),
    "der": (5, "der"),
    "leaf": (6, "der date slice"),
    "pem": (3, "base64 out slice"),
    "http": (4, "out base64 slice"),
    "http01": (4, "out slice"),
    "json_text": (3, "slice"),
    "json_string": (6, "slice"),
    "json_value": (2, "slice core/protocol/problem.c"),
    "resource": (6, "slice url"),
    "record": (10, "slice"),
}
# Every path for itself as far as memory lasts: positions in a text are compared with its length, and Eva knows no
# relation between two numbers, only their values.
OPTIONS = ["-eva-slevel", "100000", "-eva-ilevel", "256", "-eva-plevel", "2000", "-eva-split-return", "full",
           "-eva-split-limit", "1000", "-eva-no-results", "-eva-no-show-progress",
           "-eva-msg-key=-final-states,-initial-state"]
MACHINES = {"x86_64": "gcc_x86_64", "x86_32": "gcc_x86_32"}


def prove(name, machine):
    most, words = DRIVERS[name]
    most = int(os.environ.get("MOST", most))
    sources = [WIRE.get(word, word) for word in words.split()]
    flags = f"-Icore -Itests/proof -idirafter /usr/include -DMOST={most}"
    command = ["frama-c", "-eva", *OPTIONS, "-machdep", machine, f"-cpp-extra-args={flags}",
               f"tests/proof/prove_{name}.c", *sources]
    began = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
                          preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CPU, (LIMIT_S, LIMIT_S)))
    used = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - began
    os.makedirs("build/proof", exist_ok=True)
    with open(f"build/proof/{name}.log", "w", encoding="utf-8") as log:
        log.write(done.stdout)
    alarms = re.search(r"^  (\d+) alarms? generated", done.stdout, re.M)
    called = re.search(r"(\d+) functions analyzed \(out of (\d+)\)", done.stdout)
    reached = re.search(r"(\d+) statements reached \(out of (\d+)\)", done.stdout)
    holes = re.findall(r"Neither code nor specification for function (\w+)", done.stdout)
    unknown = re.search(r"Preconditions +\d+ valid +(\d+) unknown", done.stdout)
    if not alarms or not reached:
        return False, f"not done after {used:.0f} s of CPU" if used > LIMIT_S - 10 else f"see build/proof/{name}.log", []
    count = int(alarms.group(1)) + (int(unknown.group(1)) if unknown else 0)
    words = (f"{count} alarms, {reached.group(1)} of {reached.group(2)} statements in {called.group(1)} of "
             f"{called.group(2)} functions, {used:.0f} s, "
             f"{most} bytes")
    told = re.findall(r"^\[eva:alarm\] (\S+) Warning: *\n((?:  .*\n)+)", done.stdout, re.M)
    return count == 0 and not holes and not told, words, [f"{at} {' '.join(what.split())}" for at, what in told] + holes


def main():
    os.chdir(ROOT)
    arguments = sys.argv[1:]
    machine = MACHINES[os.environ.get("MACHINE", "x86_64")]
    unknown = [a for a in arguments if a not in DRIVERS]
    if unknown:
        sys.exit(f"prove: no driver {unknown[0]}; there are: {' '.join(DRIVERS)}")
    began, bad = time.monotonic(), 0
    for number, name in enumerate(arguments or DRIVERS, 1):
        good, words, alarms = prove(name, machine)
        bad += not good
        print(f"{'' if good else 'not '}ok {number} - {name}: {words}", flush=True)
        for alarm in alarms:
            print(f"#   {alarm}", flush=True)
    print(f"# {bad} with alarms, {time.monotonic() - began:.0f} s")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
