#!/usr/bin/env python3
"""The completion for bash against the program's tables: every verb, every flag, what each flag takes, and the names there are."""

import os
import re
import shutil
import subprocess
import sys

sys.path[:0] = [os.path.dirname(os.path.abspath(__file__)), os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")]
import servers
import tap
from client import PROGRAM

ROOT = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
SCRIPT = os.path.join(ROOT, "port/posix/completion/nanoacme.bash")
if not shutil.which("bash"):
    tap.skip("completion for bash", "bash is not installed")
    tap.end()
folder = servers.workdir()
state = os.path.join(folder, "state")
os.makedirs(os.path.join(state, ".one.example.test.a"))
for name in ("one.example.test", "2001_db8__1", "_.wild.example.test"):
    os.symlink(".one.example.test.a", os.path.join(state, name))
open(os.path.join(state, "account"), "w").close()
open(os.path.join(folder, "roots.pem"), "w").close()


def complete(*words):
    """What is offered for the last word."""
    script = ('source "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _nanoacme "$1" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"; '
              'printf "%s\\n" "${COMPREPLY[@]}"')
    done = subprocess.run(["bash", "--norc", "-u", "-c", script, SCRIPT, PROGRAM, *words], capture_output=True, text=True, cwd=folder)
    return done.stderr.split("\n")[:-1] + [word for word in done.stdout.split("\n") if word]


def source(name):
    with open(os.path.join(ROOT, "port/posix", name), encoding="utf-8") as f:
        return f.read()


verbs = re.findall(r'^    \{"([a-z-]+)", "', source("cli.c"), re.M)
rows = re.findall(r'ROW\(\w+,\s*(?:NULL|"\w+"),\s*"(-[a-z-]+)",\s*(NULL|"[^"]*")', source("config.c"))
tap.ok(len(verbs) > 8 and sorted(complete("")) == sorted(verbs), "every verb", str(complete("")))
flags = complete("issue", "-")
wanted = [flag for flag, _ in rows] + ["-c", "-h", "--help", "--version"]
tap.ok(len(rows) > 30 and sorted(flags) == sorted(wanted), "every flag", str(set(flags) ^ set(wanted)))
tap.ok(complete("--dns-s") == ["--dns-server"] and complete("re") == ["renew", "revoke", "remove"], "by how it begins")
wrong = [flag for flag, argument in rows if argument == "NULL" and complete(flag, "iss") != ["issue"]]
tap.ok(not wrong, "behind a flag that takes nothing comes a verb", " ".join(wrong))
wrong = [flag for flag, argument in rows if argument != "NULL" and "issue" in complete(flag, "iss")]
tap.ok(not wrong and complete("-c", "iss") == [], "behind one that takes something does not", " ".join(wrong))
tap.ok(complete("--ca-file", "roo") == ["roots.pem"] and complete("--state", "st") == ["state"] and complete("-c", "roo") == ["roots.pem"], "files and folders")
tap.ok(complete("--challenge", "dns-p") == ["dns-persist-01"] and complete("--user", "roo")[:1] == ["root"] and complete("account", "") == ["show", "update"],
       "words that are known")
known = re.search(r"known\[\] = \{(.*?)\}", source("solvers.c"), re.S)[1].replace("ACME_DNSACCOUNT01_TYPE", '"dns-account-01"').replace(
    "ACME_DNSPERSIST01_TYPE", '"dns-persist-01"')
tap.ok(sorted(complete("--challenge", "")) == sorted(re.findall(r'"([^"]+)"', known)), "types of challenges are those that can be answered")
names = complete("--state", "state", "revoke", "")
tap.ok(sorted(names) == ["*.wild.example.test", "2001:db8::1", "one.example.test"], "names of certificates", str(names))
shutil.rmtree(state)
tap.ok(complete("--state", "state", "revoke", "") == [] and complete("--state", "revoke", "") != [], "no state directory, a word too few")
tap.end()
