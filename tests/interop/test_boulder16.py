#!/usr/bin/env python3
"""ACME v1 as Boulder spoke it in 2016, over plain http: a certificate, the race of the thread, and resets in between."""

import concurrent.futures
import os
import signal
import subprocess
import sys

sys.path[:0] = [os.path.dirname(os.path.abspath(__file__)), os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")]
import servers
import tap
from boulder16 import Boulder
from client import DUE_NOT, NEW, PROGRAM, Client

NAMES = ["le1.example.test", "le2.example.test"]
WARNING = "nanoacme: warning: http, not https: whoever is on the way to 127.0.0.1 can read and change everything\n"
RUNS, DELAYS_S = 20, (0, 0.02, 0.05, 0.2, 0.8)  # the last one is longer than the wait before the first look
folder = servers.workdir()


class Plain(Client):
    """One that is given no roots: there is nobody to trust by them."""

    def command(self, verb, *names, force=False, json=False, options=()):
        return [PROGRAM, "--directory", self.directory, "--state", self.state, "--http-port", str(self.server.http_port),
                "--accept-terms", *(["--force"] if force else []), *(["--json"] if json else []), *options, verb, *names]


def new(name, **how):
    boulder = Boulder(os.path.join(folder, name), **how)
    return boulder, Plain(os.path.join(folder, name, "client"), boulder)


def fault(client, names):
    with open(client.server.ca_file) as roots:
        return client.fault(names, roots.read())


def refusals(boulder):
    return [r for r in boulder.requests if r[2] == 403]


def issue_twice(how):
    boulder, client = new("twice" + how, http10=how == "http10")
    run = client.issue(*NAMES, options=["--allow-plain-http", "127.0.0.1"])
    why = run.tail() if run.code != NEW else fault(client, NAMES)
    tap.ok(not why, f"{how}: a pair that fits", why)
    tap.ok(run.err == WARNING, f"{how}: one warning", run.err)
    tap.ok(not refusals(boulder) and boulder.validated == [True, True], f"{how}: nothing is refused", boulder.requests)
    with open(client.path(NAMES[0], "fullchain.pem")) as chain:
        tap.ok(chain.read().count("BEGIN") == 2, f"{how}: the issuer's certificate is in the chain")
    asked = len(boulder.requests)
    run = client.issue(*NAMES)
    tap.ok(run.code == DUE_NOT and len(boulder.requests) == asked and run.err == WARNING,
           f"{how}: the second run, without the flag, has nothing to do", run.tail())
    run = client.issue(*NAMES, json=True, force=True)
    end = (run.events() or [{}])[-1]
    tap.ok(run.code == NEW and not fault(client, NAMES) and end.get("stats", {}).get("handshakes") == 0 and len(boulder.accounts) == 1 and
           len(boulder.authz) == 2, f"{how}: a third one finds account and authorizations valid", run.tail())
    boulder.stop()


def kill_when(boulder, client, happens, what):
    """Begins to issue, and ends it at once when something has happened."""
    process = subprocess.Popen([*servers.LEASH, *client.command("issue", *NAMES)], stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    servers.until(lambda: happens() or process.poll() is not None, what)
    process.send_signal(signal.SIGKILL)
    return process.wait() == -signal.SIGKILL


def looks(boulder):
    return len([r for r in boulder.requests if r[0] == "GET" and "/authz/" in r[1]])


def killed_while_validating():
    boulder, client = new("validating")
    boulder.ready.clear()
    killed = kill_when(boulder, client, lambda: looks(boulder) >= 2, "the client polling")
    before = looks(boulder)
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        second = pool.submit(client.issue, *NAMES)
        try:  # by the second look the answer is on show again
            servers.until(lambda: looks(boulder) >= before + 2 or second.done(), "the client polling again")
        finally:
            boulder.ready.set()
        run = second.result()
    why = run.tail() if run.code != NEW else fault(client, NAMES)
    tap.ok(killed and not why, "killed while a validation was under way: the next run has the pair", why)
    tap.ok(len(boulder.accounts) == 1 and len(boulder.authz) == 2 and len(boulder.certificates) == 1 and
           not refusals(boulder), "with the same account and authorizations",
           f"{len(boulder.accounts)} {len(boulder.authz)} {len(boulder.certificates)} {refusals(boulder)}")
    boulder.stop()


def killed_at(path, what, certificates):
    """The request is carried out, and the client gone before it is answered."""
    boulder, client = new(f"at{path.replace('/', '-')}")
    boulder.lose = path
    killed = kill_when(boulder, client, boulder.lost.is_set, what)
    run = client.issue(*NAMES)
    why = run.tail() if run.code != NEW else fault(client, NAMES)
    tap.ok(killed and not why, f"killed after {what}: the next run has the pair", why)
    tap.ok(len(boulder.accounts) == 1 and len(boulder.certificates) <= certificates and not refusals(boulder),
           f"killed after {what}: one account, and no more certificates than it takes",
           f"{len(boulder.accounts)} {len(boulder.certificates)} {refusals(boulder)}")
    boulder.stop()


def race():
    """The thread's 403: a certificate asked for while its authorization was not valid yet. Never, however long that takes."""
    def one(turn):
        delay_s = DELAYS_S[turn % len(DELAYS_S)]
        boulder, client = new(f"race{turn}", delay_s=delay_s)
        run = client.issue(NAMES[0])
        boulder.stop()
        if run.code != NEW:
            return f"{delay_s} s: {run.tail()}"
        early = refusals(boulder)
        return f"{delay_s} s: {early}" if early else fault(client, NAMES[:1])

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        wrong = [why for why in pool.map(one, range(RUNS)) if why]
    tap.ok(not wrong, f"{RUNS} runs with validations of {', '.join(f'{d * 1000:.0f}' for d in DELAYS_S)} ms: no 403", wrong)


issue_twice("http11")
issue_twice("http10")
killed_while_validating()
killed_at("/acme/new-reg", "new-reg", 1)
killed_at("/acme/new-authz", "new-authz", 1)
killed_at("/acme/new-cert", "new-cert", 2)
race()
tap.end()
