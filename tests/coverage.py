#!/usr/bin/env python3
"""What the tests in C and a sample of the fault harness reach: tests/coverage.py BUILD, where all is built for gcov.

An HTML report goes to BUILD/html. Fails unless every line and every branch of core/ is taken, apart from those of
tests/coverage.list. The port is told, not judged.
"""

import concurrent.futures
import glob
import json
import os
import re
import subprocess
import sys

AT_MOST = "40"  # cases of each dimension of the fault harness
LIST = "tests/coverage.list"
LIST_MAX = 10
LIMIT_S = 400  # for one program

wrong = []


def programs(build):
    """The test programs of sources that are still there, the longest ones first."""
    found = [p for p in glob.glob(f"{build}/tests/*/test_*") if os.path.exists(p[len(build) + 1:] + ".c")]
    slow = ["test_acme", "test_manage", "test_flash_store", "test_refusals", "test_flash_run", "test_tls", "test_status"]
    found.sort(key=lambda p: slow.index(os.path.basename(p)) if os.path.basename(p) in slow else len(slow))
    return [[p] for p in found] + [[f"{build}/torture", "--at-most", AT_MOST]]


def run(command):
    try:
        child = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=LIMIT_S,
                               env={**os.environ, "NO_SWEEPS": "1"})
        return child.returncode, child.stdout.decode(errors="replace")
    except (OSError, subprocess.TimeoutExpired) as failure:
        return 1, str(failure)


def run_all(build):
    for old in glob.glob(f"{build}/obj/**/*.gcda", recursive=True):
        os.remove(old)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        commands = programs(build)
        for command, (status, output) in zip(commands, pool.map(run, commands)):
            if status != 0:
                wrong.append(f"{' '.join(command)}: exit status {status}\n{output[-2000:]}")


def measure(build):
    """The files gcovr found something about."""
    os.makedirs(f"{build}/html", exist_ok=True)
    status, output = run(["gcovr", "-j", str(os.cpu_count() or 1), "-r", ".", "-f", "core/", "-f", "port/posix/", "--html-details",
                          f"{build}/html/index.html", "--json", f"{build}/coverage.json", f"{build}/obj"])
    if status != 0:
        sys.exit(f"gcovr: {output}")
    with open(f"{build}/coverage.json", encoding="utf-8") as file:
        files = json.load(file)["files"]
    for entry in files:
        entry["lines"] = [line for line in entry["lines"] if not line["gcovr/noncode"]]
    return files


def excused():
    """(file, line as it stands there) -> how many of its branches; each needs a reason."""
    found = {}
    with open(LIST, encoding="utf-8") as file:
        lines = [line.rstrip("\n") for line in file if line.strip() and not line.startswith("#")]
    if len(lines) > LIST_MAX:
        wrong.append(f"{LIST}: {len(lines)} lines (at most {LIST_MAX})")
    for line in lines:
        match = re.match(r"(\S+) \| (\d+) \| (.+) \| .+", line)  # C has " | " too
        if match:
            found.setdefault((match.group(1), match.group(3)), []).append(int(match.group(2)))
        else:
            wrong.append(f"{LIST}: not FILE | BRANCHES | LINE | REASON: {line}")
    return found


def judge(files):
    """Compares what is missing in core/ with what is excused."""
    left = excused()
    for path in set(glob.glob("core/**/*.c", recursive=True)) - {entry["file"] for entry in files}:
        wrong.append(f"{path}\n    nothing is known of it")
    for entry in files:
        if not entry["file"].startswith("core/"):
            continue
        with open(entry["file"], encoding="utf-8") as file:
            text = file.read().split("\n")
        for line in entry["lines"]:
            missing = sum(b["count"] == 0 for b in line["branches"])
            source = text[line["line_number"] - 1].strip()
            place = f"{entry['file']}:{line['line_number']}: {source}"
            if line["count"] == 0:
                wrong.append(f"{place}\n    no test gets here")
            elif missing > 0:
                known = left.get((entry["file"], source), [])
                if missing in known:
                    known.remove(missing)
                else:
                    taken = " ".join(str(b["count"]) for b in line["branches"])
                    wrong.append(f"{place}\n    {missing} of {len(line['branches'])} branches never taken ({taken})")
    for (file, source), counts in left.items():
        if counts:
            wrong.append(f"{LIST}: all of it is reached: {file}: {source}")


def tell(files):
    for top in ("core/", "port/posix/"):
        lines = [line for f in files if f["file"].startswith(top) for line in f["lines"]]
        branches = [b for line in lines for b in line["branches"]]
        for name, parts in (("lines", lines), ("branches", branches)):
            taken = sum(p["count"] > 0 for p in parts)
            print(f"{top} {taken} of {len(parts)} {name}, {100 * taken / max(1, len(parts)):.2f} %")


def main():
    build = sys.argv[1]
    run_all(build)
    files = measure(build)
    judge(files)
    for what in wrong:
        print(what)
    tell(files)
    print(f"{len(wrong)} places without a test or a reason ({LIST}); the report is {build}/html/index.html")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
