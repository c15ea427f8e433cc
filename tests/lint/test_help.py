#!/usr/bin/env python3
"""`make help` names every target that somebody may type, and none that is not there; so does tests/run.py --help its groups."""

import glob
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import tap


def targets(text):
    """What makefiles call phony: names of things to do, not of files."""
    joined = text.replace("\\\n", " ")
    return {word for line in re.findall(r"^\.PHONY: (.*)$", joined, re.M) for word in line.split()}


def told(text):
    """The targets that help tells: behind the word make, and the list of parts."""
    parts = [word for line in re.findall(r"^Parts[^:]*: (.*)$", text, re.M) for word in line.split()]
    return {*re.findall(r"\bmake ([a-z][a-z-]*)", text), *parts}


def differences(makefiles, text):
    return sorted(targets(makefiles) - {"all", "help"} ^ told(text))


makefiles = "\n".join(open(f, encoding="utf-8").read() for f in ["Makefile", *glob.glob("boards/*/*.mk"), *glob.glob("port/*/*.mk"), *glob.glob("tests/**/*.mk", recursive=True)])
said = subprocess.run(["make", "-s", "help"], capture_output=True, text=True).stdout
wrong = differences(makefiles, said)
tap.ok(said and not wrong, "make help names every target, and no other", " ".join(wrong))

run = open("tests/run.py", encoding="utf-8").read()
groups = re.findall(r"\w+", " ".join(re.findall(r"^(?:BUSY|WAITING|BEHIND|LAST_OF_ALL) = \[(.*?)\]", run, re.M)))
done = subprocess.run([sys.executable, "tests/run.py", "--help"], capture_output=True, text=True, timeout=20)
lacking = [g for g in ["quick", *groups] if not re.search(rf"^  {g} +[a-z`A-Z]", done.stdout, re.M)]
tap.ok(done.returncode == 0 and groups and not lacking, "tests/run.py --help lists its groups and runs nothing", " ".join(lacking))
done = subprocess.run([sys.executable, "tests/run.py", "lint", "nonsense"], capture_output=True, text=True, timeout=20)
tap.ok(done.returncode == 2 and "nonsense" in done.stderr and not done.stdout, "a group that is none is said before anything runs")

# The check itself.
tap.ok(differences(".PHONY: all one \\\n\ttwo\n", "make one  does\n") == ["two"] and
       differences(".PHONY: one", "make one\nParts, for others: two three") == ["three", "two"], "would see one that is not told, or not there")
tap.end()
