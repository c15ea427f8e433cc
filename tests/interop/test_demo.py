#!/usr/bin/env python3
"""The demo ended at different moments, as Ctrl-C and kill do it: nothing it started or wrote is left."""

import glob
import os
import re
import signal
import subprocess
import sys
import tempfile

sys.path[:0] = [os.path.dirname(os.path.abspath(__file__)), os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")]
import servers
import tap

DEMO = os.path.abspath(os.path.join(servers.BUILD, "..", "tests", "demo", "run"))

# signal, to the whole group as a terminal does or to the script alone, what the demo has just said
MOMENTS = [
    (signal.SIGINT, True, r"^1\."),
    (signal.SIGINT, True, r"^2\."),
    (signal.SIGINT, True, r"^order"),
    (signal.SIGINT, True, r"^5\."),
    (signal.SIGINT, True, r"^8\."),
    (signal.SIGINT, True, r"Ctrl-C"),
    (signal.SIGINT, False, r"^validation"),
    (signal.SIGTERM, False, r"^3\."),
    (signal.SIGTERM, True, r"^7\."),
    (signal.SIGHUP, False, r"^finalize"),
]
BOARD_MOMENTS = [
    (signal.SIGINT, True, r"^4\."),
    (signal.SIGTERM, False, r"^5\."),
    (signal.SIGINT, True, r"Ctrl-C"),
]
LIMIT_S = 60


def left(mark):
    """Processes that carry `mark` in their environment."""
    found = []
    for path in glob.glob("/proc/[0-9]*/environ"):
        try:
            with open(path, "rb") as f:
                if mark.encode() in f.read():
                    found.append(os.path.basename(os.path.dirname(path)))
        except OSError:
            pass
    return found


def end_at(board, number, group, moment):
    """Returns what went wrong; "" nothing."""
    folder = tempfile.mkdtemp(dir=servers.workdir())
    demo = subprocess.Popen([*servers.LEASH, DEMO], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, text=True, start_new_session=True,
                            env={**os.environ, "TMPDIR": folder, "KEEP": "1", "BOARD": board})
    said = []
    for line in demo.stdout:
        said.append(line)
        if re.search(moment, line):
            break
    else:
        return f"never said {moment}: {said[-3:]}"
    if group:
        os.killpg(demo.pid, number)
    else:
        demo.send_signal(number)
    rest, _ = demo.communicate(timeout=LIMIT_S)
    if demo.returncode != 128 + number:
        return f"exit status {demo.returncode}: {rest[-300:]}"
    return f"processes {left(folder)}, files {os.listdir(folder)}" if left(folder) or os.listdir(folder) else ""


for board, moments in (("posix", MOMENTS), ("lm3s6965evb", BOARD_MOMENTS)):
    for number, group, moment in moments:
        wrong = end_at(board, number, group, moment)
        tap.ok(not wrong, f"{board}, {number.name} to {'all of it' if group else 'the script'} at {moment}: nothing is left", wrong)
tap.end()
