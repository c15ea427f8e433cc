"""What test scripts in Python say: TAP lines. tests/run.py counts them."""

import sys

_seen = 0
_failed = 0


def ok(good, what, why=""):
    """One result; `why` explains a bad one. Returns `good`."""
    global _seen, _failed
    _seen += 1
    _failed += not good
    print(f"{'ok' if good else 'not ok'} {_seen} - {what}" + (f" # {why}" if why and not good else ""), flush=True)
    return good


def skip(what, why):
    global _seen
    _seen += 1
    print(f"ok {_seen} - {what} # SKIP {why}", flush=True)


def note(text):
    for line in str(text).splitlines():
        print(f"# {line}", flush=True)


def table(line):
    """What tests/run.py prints even if nothing failed."""
    print(f"# | {line}", flush=True)


def end():
    """The plan, last; the exit status tells of failures to whoever runs a script by hand."""
    print(f"1..{_seen}", flush=True)
    sys.exit(1 if _failed else 0)
