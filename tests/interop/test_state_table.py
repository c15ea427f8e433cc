#!/usr/bin/env python3
"""The state table: each file of the state directory, damaged in each way, by each kind of run (nothing due, due, forced). A cell
meets the first rule that fits and ends as that says; if it ends as an error, what the error advises is done, and helps."""

import concurrent.futures
import os
import re
import shutil
import socket
import subprocess
import sys

sys.path[:0] = [os.path.dirname(os.path.abspath(__file__)), os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")]
import servers
import tap
from client import DUE_NOT, FAILED, NEW, Client

NAME = "cell.example.test"
HERE = os.path.dirname(os.path.abspath(__file__))
WHEN = ("not due", "due", "forced")

# What a file is called here, and where it lies; the pair in use is in .b, .a has the one before.
FILES = {
    "account key": "account.pem",
    "account": "account",
    "next account key": "account-next.pem",
    "order": f".{NAME}.order",
    "order's key": f".{NAME}.key",
    "key": f".{NAME}.b/privkey.pem",
    "chain": f".{NAME}.b/fullchain.pem",
    "link": NAME,
    "slot in use": f".{NAME}.b",
    "other slot": f".{NAME}.a",
    "next link": f".{NAME}.link",
    "lock": ".lock",
    "answer": ".answer",
}
KEYS = {"account key", "next account key", "order's key", "key"}
FOLDERS = {"slot in use", "other slot"}


def path_of(state, file):
    return os.path.join(state, FILES[file])


def remove(path):
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    elif os.path.lexists(path):
        os.unlink(path)


def write(path, data):
    with open(path, "wb") as f:
        f.write(data)
    os.chmod(path, 0o600)


def read(path):
    with open(path, "rb") as f:
        return f.read()


# The ways. Each gets the path, the file's word and the older state; False: this file cannot be damaged so.

def empty(path, *_):
    remove(path)
    write(path, b"")


def garbage(path, *_):
    remove(path)
    write(path, b"\0hello\n\xff" * 30)


def directory(path, *_):
    remove(path)
    os.mkdir(path)


def link(path, file, older):
    """Moved elsewhere, with a link in its place; the link itself is made absolute."""
    vault = os.path.join(os.path.dirname(older), f"vault-{os.getpid()}-{abs(hash(path))}")
    if file == "link":
        target = os.path.join(os.path.dirname(path), os.readlink(path))
        os.unlink(path)
        os.symlink(target, path)
        return None
    if not os.path.lexists(path):
        return False
    shutil.move(path, vault)
    os.symlink(vault, path)
    return None


def owner(path, *_):
    if os.geteuid() != 0 or not os.path.lexists(path):
        return False
    os.chown(path, 4242, 4242, follow_symlinks=False)
    return None


def missing(path, *_):
    if not os.path.lexists(path):
        return False
    remove(path)
    return None


def as_older(path, file, older):
    if file == "link":
        os.unlink(path)
        os.symlink(f".{NAME}.a", path)
        return None
    source = path_of(older, file).replace(f".{NAME}.b/", f".{NAME}.a/")
    if file in FOLDERS or not os.path.isfile(source):
        return False
    write(path, read(source))
    return None


def later(path, file, _):
    if file in FOLDERS or not os.path.isfile(path) or os.path.islink(path):
        return False
    data = read(path)
    write(path, b"# by a later version\n" + data if file in KEYS | {"chain"} else
          data.replace(b" 1\n", b" 2\n", 1) + b"more things\n")
    return None


WAYS = {"empty": empty, "garbage": garbage, "directory": directory, "link": link, "other owner": owner, "missing": missing,
        "older": as_older, "later": later}
BAD = ("empty", "garbage", "directory")
ALWAYS = WHEN
USUAL = {"not due": DUE_NOT, "due": NEW, "forced": NEW}

# files, ways, runs, how a run ends (None: as if nothing were damaged), why
RULES = [
    (("account key", "key"), BAD, ALWAYS, FAILED, "a private key is never taken as absent"),
    (("next account key",), BAD, ("due", "forced"), FAILED, "nor is one that the CA may know already"),
    (("order's key",), ("directory", *BAD), ALWAYS, None, "without its order it is of no use"),
    (("key",), ("missing", "older"), ("not due", "due"), FAILED, "whoever took it away is asked"),
    (("key",), ("missing", "older"), ("forced",), NEW, "a new pair was asked for"),
    (("chain",), ("older",), ("not due", "due"), FAILED, "it is another key's"),
    (("chain",), (*BAD, "missing"), ALWAYS, NEW, "it is got again"),
    (("link",), ("empty", "garbage"), ALWAYS, FAILED, "not ours"),
    (("link",), ("directory", "missing", "link", "older"), ALWAYS, None, "the pair is in its slot still"),
    (("slot in use",), (*BAD, "missing", "link"), ALWAYS, NEW, "without it there is no pair"),
    (("order",), (*BAD, "missing", "later"), ALWAYS, None, "it is made anew, when it is needed"),
    (("order",), tuple(WAYS), ALWAYS, NEW, "it is taken up"),
    (("account key",), ("missing",), ALWAYS, None, "a new account"),
    (tuple(FILES), tuple(WAYS), ALWAYS, None, "a cache, or as good as before"),
]
used = set()


def expected(file, way, when):
    for number, (files, ways, runs, end, why) in enumerate(RULES):
        if file in files and way in ways and when in runs:
            used.add(number)
            return USUAL[when] if end is None else end, why
    raise AssertionError("no rule")


class Quiet(Client):
    """Answers by files, which nobody looks at: this Pebble validates whatever is asked."""

    webroot = None

    def command(self, verb, *names, **how):
        command = super().command(verb, *names, **how)
        if self.webroot:
            at = command.index("--http-port")
            command[at:at + 2] = ["--webroot", self.webroot]
        return command


class Table:
    def __init__(self):
        self.folder = servers.workdir()
        self.webroot = os.path.join(self.folder, "webroot")
        os.makedirs(os.path.join(self.webroot, ".well-known", "acme-challenge"))  # or each would take away what the others use
        self.authority = servers.Authority(os.path.join(self.folder, "authority"), days=3650)
        self.pebble = servers.Pebble(os.path.join(self.folder, "pebble"), self.authority, env={"PEBBLE_VA_ALWAYS_VALID": "1"})
        self.roots = self.pebble.roots()
        self.shim = os.path.join(self.folder, "clock_ahead.so")
        subprocess.run(["cc", "-std=gnu11", "-O1", "-shared", "-fPIC", "-o", self.shim, os.path.join(HERE, "clock_ahead.c")],
                       check=True)
        first = self.client("first")
        self.issued(first)
        self.older = self.keep(first, "older")
        self.issued(first, force=True)
        self.plain = self.keep(first, "plain")
        # A run that could not answer leaves its order.
        with socket.socket() as taken:
            taken.bind(("", self.pebble.http_port))
            taken.listen()
            first.webroot = None
            run = first.run("issue", NAME, force=True)
            tap.ok(run.code == FAILED and os.path.exists(path_of(first.state, "order")), "an order in progress", run.tail())
        self.ordered = self.keep(first, "ordered")

    def client(self, name):
        client = Quiet(os.path.join(self.folder, name), self.pebble)
        client.webroot = self.webroot
        return client

    def keep(self, client, name):
        to = os.path.join(self.folder, name)
        shutil.copytree(client.state, to, symlinks=True)
        return to

    def run(self, client, when="not due", **how):
        prefix = ["env", f"LD_PRELOAD={self.shim}"] if when == "due" else []
        return client.run("issue", NAME, force=when == "forced", prefix=prefix, **how)

    def issued(self, client, force=False):
        run = self.run(client, "forced" if force else "not due")
        if run.code != NEW:
            raise servers.Failed(run.tail())

    def advice(self, client, run, done):
        """Does what the last line advises. Returns the next run's kind, or None: it advises nothing that can be done."""
        words = run.err.splitlines()[-1] if run.err else ""
        named = re.search(re.escape(client.state) + r"[^\s:;]*", words)
        if re.search("remove it|move it away", words) and named and os.path.lexists(named.group()) and len(done) < 3:
            done.append(named.group())
            os.rename(named.group(), f"{client.state}.moved{len(done)}")
            return "not due"
        return "forced" if "--force" in words else None

    def cell(self, number, file, way, when):
        client = self.client(f"cell{number}")
        base = self.ordered if file == "order" else self.plain
        shutil.copytree(base, client.state, symlinks=True)
        path = path_of(client.state, file)
        if file in KEYS and not os.path.lexists(path) and way in ("link", "owner", "missing", "later"):
            shutil.copy(path_of(self.older, "account key"), path)
        if WAYS[way](path, file, self.older) is False:
            return None
        end, why = expected(file, way, when)
        run = self.run(client, when)
        if run.code != end:
            return f"exit {run.code}, not {end} ({why}): {run.tail()}"
        done = []
        while run.code == FAILED:
            then = self.advice(client, run, done)
            if then is None:
                return f"no way out: {run.tail()}"
            run = self.run(client, then)
        if run.code not in (NEW, DUE_NOT):
            return f"the way out does not lead there: {run.tail()}"
        if done or number % 16 == 0: # the program has the same eyes for a pair as for its key, below
            fault = client.fault([NAME], self.roots)
            if fault:
                return f"the pair: {fault}"
        if (file, way) != ("account key", "missing") and not done and way != "later" and file != "account key" and \
                read(os.path.join(client.state, "account.pem")) != read(os.path.join(base, "account.pem")):
            return "another account key"
        again = self.run(client, "not due") if run.code == NEW else run
        if again.code != DUE_NOT:
            return f"not in order afterwards: {again.tail()}"
        shutil.rmtree(client.state)
        return ""


table = Table()
cells = [(file, way, when) for file in FILES for way in WAYS for when in WHEN]


def one(numbered):
    number, cell = numbered
    try:
        return table.cell(number, *cell)
    except (OSError, servers.Failed, AssertionError) as failure:
        return repr(failure)


met = 0
with concurrent.futures.ThreadPoolExecutor(4) as pool:
    wrong = [(cell, result) for cell, result in zip(cells, pool.map(one, enumerate(cells))) if result is not None]
for (file, way, when), result in wrong:
    met += 1
    if result:
        tap.ok(False, f"{file}, {way}, {when}", result.replace("\n", " "))
tap.ok(not any(result for _, result in wrong), f"{met} cells end as they should")
tap.ok(met > 200 or os.geteuid() != 0, "the table is whole", met)
tap.ok(len(used) == len(RULES), "each rule is used", [RULES[i] for i in range(len(RULES)) if i not in used])
tap.end()
