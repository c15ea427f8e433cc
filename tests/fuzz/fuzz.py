#!/usr/bin/env python3
"""Builds and runs the fuzzing harnesses, two at a time: tests/fuzz/fuzz.py [--seconds N | --runs N] [--only HARNESS] [--check].

They start from tests/fuzz/corpus and what earlier runs have left in build/fuzz/corpus; new inputs go there, and those that
failed to build/fuzz/found. Prints a table; the exit status is 1 when there was a finding. --check says TAP lines instead:
the committed inputs, and a short run from a fixed seed.
"""

import argparse
import concurrent.futures
import glob
import os
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import tap

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = "build/fuzz"
# Comparisons are not traced: dictionaries do as well, and it runs three times as fast.
FLAGS = ("-O2 -g1 -fsanitize=address,undefined -fsanitize=fuzzer-no-link -fno-sanitize-coverage=trace-cmp "
         "-fno-sanitize-recover=all -fno-omit-frame-pointer")
MAX_LEN = {"fuzz_address": 48, "fuzz_anchor_table": 2500, "fuzz_anchors": 2500, "fuzz_chain": 1600, "fuzz_chunks": 160, "fuzz_conversation": 400, "fuzz_date": 96, "fuzz_dns": 700, "fuzz_http": 512,
           "fuzz_http01": 512, "fuzz_json": 512, "fuzz_key": 512, "fuzz_leaf": 600, "fuzz_problem": 512,
           "fuzz_record": 640, "fuzz_tlsalpn01": 640, "fuzz_url": 300}
CHECK_SECONDS = 3


def have_libfuzzer():
    program = "int LLVMFuzzerTestOneInput(const char *d, unsigned long n) { return d && n ? 0 : 0; }"
    try:
        return subprocess.run(["clang-14", "-fsanitize=fuzzer,address", "-x", "c", "-", "-o", os.devnull], input=program,
                              text=True, capture_output=True).returncode == 0
    except FileNotFoundError:
        return False


def build():
    done = subprocess.run(["make", "-j2", "-s", "-k", f"B={BUILD}", "CC=clang-14", f"CFLAGS={FLAGS}", "fuzzers"],
                          capture_output=True, text=True)
    return done.returncode == 0, (done.stdout + done.stderr)[-3000:]


def harness(name, inputs, *options):
    """Runs one. Returns (executions, a second, edges, whether it failed, output)."""
    prefix = f"{BUILD}/found/{name}-"
    before = set(glob.glob(prefix + "*"))
    command = [f"{BUILD}/fuzz/{name}", f"-max_len={MAX_LEN[name]}", "-timeout=20", f"-dict=tests/fuzz/{name}.dict",
               f"-artifact_prefix={prefix}", "-print_final_stats=1", *options, *inputs]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          errors="replace")
    edges = re.findall(r"\bcov: (\d+)", done.stdout) or ["0"]
    runs, rate = (int((re.findall(rf"stat::{what}: +(\d+)", done.stdout) or ["0"])[0])
                  for what in ("number_of_executed_units", "average_exec_per_sec"))
    new = sorted(set(glob.glob(prefix + "*")) - before)
    failed = done.returncode != 0
    why = [line for line in done.stdout.splitlines() if "must hold" in line or "SUMMARY" in line or ".c:" in line][:6]
    return runs, rate, int(edges[-1]), failed, "\n".join(why + new) or done.stdout[-1500:]


def fuzz(names, options):
    def one(name):
        own = f"{BUILD}/corpus/{name}"
        os.makedirs(own, exist_ok=True)
        return harness(name, [own, f"tests/fuzz/corpus/{name}"], *options)

    print(f"{'harness':<18}{'executions':>12}{'a second':>10}{'edges':>8}  findings", flush=True)
    findings = 0
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for name, (runs, rate, edges, failed, why) in zip(names, pool.map(one, names)):
            findings += failed
            print(f"{name:<18}{runs:>12,}{rate:>10,}{edges:>8}  {'FOUND' if failed else 'none'}", flush=True)
            if failed:
                print("    " + why.replace("\n", "\n    "))
    return findings


def check(names):
    def one(name):
        corpus = f"tests/fuzz/corpus/{name}"
        with tempfile.TemporaryDirectory() as own:
            return (len(os.listdir(corpus)), harness(name, [corpus], "-runs=0"),
                    harness(name, [own, corpus], f"-max_total_time={CHECK_SECONDS}", "-seed=1"))

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for name, (count, again, new) in zip(names, pool.map(one, names)):
            if not tap.ok(not again[3] and again[0] >= count, f"{name}: the {count} inputs of its corpus"):
                tap.note(again[4])
            if not tap.ok(not new[3] and new[0] > count, f"{name}: {CHECK_SECONDS} s, {new[0]} inputs"):
                tap.note(new[4])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--runs", type=int)
    parser.add_argument("--only")
    parser.add_argument("--check", action="store_true")
    wish = parser.parse_args()
    os.chdir(ROOT)
    os.environ["ASAN_OPTIONS"] = "quarantine_size_mb=16"
    names = sorted(os.path.basename(path)[:-2] for path in glob.glob("tests/fuzz/fuzz_*.c"))
    if wish.only:
        if wish.only not in names:
            sys.exit(f"fuzz.py: no harness {wish.only}; there are: {' '.join(names)}")
        names = [wish.only]
    if not have_libfuzzer():
        if not wish.check:
            sys.exit("fuzz.py: clang-14 with libFuzzer is needed (Debian: clang-14, libclang-rt-14-dev)")
        for name in names:
            tap.skip(name, "no clang-14 with libFuzzer")
        return tap.end()
    os.makedirs(f"{BUILD}/found", exist_ok=True)
    built, words = build()
    if not built:
        sys.exit(words)
    if wish.check:
        check(names)
        return tap.end()
    findings = fuzz(names, [f"-runs={wish.runs}"] if wish.runs else [f"-max_total_time={wish.seconds}"])
    sys.exit(1 if findings else 0)


main()
