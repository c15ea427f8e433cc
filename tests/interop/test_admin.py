#!/usr/bin/env python3
"""What an administrator does around the program: closed descriptors, two at once, a user of its own, copies and restores, revoked,
names and words that mean something else; and --json, which always comes to its end."""

import json
import os
import re
import shutil
import subprocess
import sys
import time

sys.path[:0] = [os.path.dirname(os.path.abspath(__file__)), os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")]
import scenes
import servers
from client import CONFIG, DUE_NOT, FAILED, NEW, PROGRAM, USAGE
from scenes import NAMES, hold

NAME = NAMES[0]


def quiet(scene, **how):
    """A Pebble of the scene's own, with a count of its own, that validates whatever is asked."""
    return scene.pebble(env={"PEBBLE_VA_ALWAYS_VALID": "1", **how})


# Descriptors

def closed(which):
    def scene_of_it(scene):
        """Without TLS the lines of a log would be the first thing the CA reads."""
        pebble = quiet(scene)
        client = scene.client(pebble)
        shell = " ".join(f"{n}{'<' if n == 0 else '>'}&-" for n in which)
        run = client.issue(*NAMES, force=True, prefix=["sh", "-c", f'exec "$@" {shell}', "sh"])
        hold(run.code == NEW, run.tail())
        for at, _, names in os.walk(client.state):
            for name in names:
                with open(os.path.join(at, name), "rb") as f:
                    text = f.read()
                hold(name != ".lock" or not text, f".lock holds {text[:80]}")
                hold(b"valid  " not in text, f"{name} holds the log")
        fault = client.fault(NAMES, pebble.roots())
        hold(not fault, fault)
    return scene_of_it


def small_files(scene):
    run = scene.client().issue(*NAMES, force=True, prefix=["sh", "-c", 'ulimit -f 0; exec "$@"', "sh"])
    scene.refused(run, FAILED, re.escape(scene.path("")))


# At once

def at_once(scene):
    client = scene.client()
    for _ in range(20):
        runs = [subprocess.Popen(client.command("issue", *NAMES), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
                for _ in range(2)]
        for run in runs:
            err = run.communicate(timeout=60)[1]
            hold(run.returncode == DUE_NOT and not err, f"exit {run.returncode}: {err}")


def both_due(scene):
    pebble = quiet(scene)
    client = scene.client(pebble)
    runs = [subprocess.Popen(client.command("issue", f"{n}.example.test"), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                             text=True) for n in ("one", "two")]
    for run in runs:
        out = run.communicate(timeout=60)[0]
        hold(run.returncode == NEW, f"exit {run.returncode}: {out}")
    for n in ("one", "two"):
        fault = client.fault([f"{n}.example.test"], pebble.roots())
        hold(not fault, fault)


# The fence and the user

def given_up(scene):
    """Looked at while the run waits for an answer that takes its time."""
    pebble = servers.Pebble(os.path.join(scene.folder, "slow"), scene.stage.authority,
                            env={"PEBBLE_VA_NOSLEEP": None, "PEBBLE_VA_SLEEPTIME": "4"})
    client = scene.client(pebble)
    run = subprocess.Popen(client.command("issue", *NAMES, force=True), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    seen = ""
    end = time.monotonic() + 60
    while run.poll() is None and time.monotonic() < end and "NoNewPrivs:\t1" not in seen:
        try:
            with open(f"/proc/{run.pid}/status") as f:
                seen = f.read()
        except OSError:
            pass
        time.sleep(0.02)  # lint: polls
    run.wait(60)
    hold("NoNewPrivs:\t1" in seen, "no new privileges: not seen")
    with open("/proc/self/status") as f:
        can = "Seccomp:" in f.read() and os.uname().machine in ("x86_64", "aarch64")
    hold(not can or re.search(r"Seccomp:\t2", seen), "no filter of system calls")


def own_user(scene):
    """Started by root, in a new state directory, with a port that only root may have: not needed here, but taken before."""
    if os.geteuid() != 0:
        raise scenes.Skip("needs root")
    pebble = scene.pebble()
    for folder in (scene.stage.folder, scene.folder):
        os.chmod(folder, 0o755)
    client = scene.client(pebble)
    client.state = os.path.join(scene.folder, "nobodys")
    run = client.issue(*NAMES, options=["--user", "nobody"])
    hold(run.code == NEW, run.tail())
    root = [os.path.join(at, n) for at, d, f in os.walk(client.state) for n in d + f
            if os.lstat(os.path.join(at, n)).st_uid == 0]
    hold(os.stat(client.state).st_uid != 0 and not root, f"root's: {root or client.state}")
    run = client.issue(*NAMES, force=True, options=["--user", "nobody"])
    hold(run.code == NEW, run.tail())
    run = client.issue(*NAMES, options=["--user", "nobodyatall"])
    hold(run.code == USAGE and "no such user" in run.err, run.tail())
    # And what the error says to who is another user than the directory's.
    os.chmod(os.path.join(scene.folder, "state"), 0o700)
    run = scene.client(pebble).issue(*NAMES, options=["--user", "nobody"])
    hold(run.code == FAILED and "chown -R nobody" in run.err, run.tail())


def in_turns(scene):
    """A user's state directory, and root in between by hand: the user's runs go on."""
    if os.geteuid() != 0:
        raise scenes.Skip("needs root")
    pebble = quiet(scene)
    for folder in (scene.stage.folder, scene.folder):
        os.chmod(folder, 0o755)
    client = scene.client(pebble)
    subprocess.run(["chown", "-R", "nobody", client.state], check=True)
    for user in ([], ["--user", "nobody"], [], [], ["--user", "nobody"]):
        run = client.issue(*NAMES, force=True, options=user)
        hold(run.code == NEW and not re.search("taken as absent|annot", run.err), f"{user}: {run.tail()}")
        run = client.issue(*NAMES, options=user)
        hold(run.code == DUE_NOT and not run.err, f"{user}: {run.tail()}")
    fault = client.fault(NAMES, pebble.roots())
    hold(not fault, fault)


# Copies

def as_good_as_before(scene, client, *, said=None):
    """The next run has nothing to do, and what `status` shows is the pair."""
    shown = client.run("status", json=True).events()
    hold(any(e.get("certificate") == NAME and "not_after" in e for e in shown), f"status shows {shown}")
    run = client.issue(*NAMES)
    hold(run.code == DUE_NOT, run.tail())
    hold(not said or said in run.err, f"does not say {said}: {run.tail()}")
    hold(os.path.islink(os.path.join(client.state, NAME)), "no link")
    fault = client.fault(NAMES, scene.stage.roots)
    hold(not fault, fault)
    run = client.issue(*NAMES)
    hold(run.code == DUE_NOT and not run.err, f"again: {run.tail()}")
    left = [n for n in os.listdir(client.state) if n.endswith((".old", ".link"))]
    hold(not left, f"left over: {left}")
    pebble = quiet(scene)
    other = scene.client(pebble)
    other.state = client.state
    hold(other.issue(*NAMES, force=True).code == NEW, "no renewal")


def copied(*how, prepare=lambda state: None, said="put in order"):
    def scene_of_it(scene):
        client = scene.client()
        prepare(client.state)
        copy = os.path.join(scene.folder, "copy")
        subprocess.run([*how, client.state, copy], check=True)
        client.state = copy
        as_good_as_before(scene, client, said=said)
    return scene_of_it


def only(*names):
    """Removes the others."""
    def prepare(state):
        for name in os.listdir(state):
            if name not in names:
                shutil.rmtree(os.path.join(state, name)) if os.path.isdir(os.path.join(state, name)) and \
                    not os.path.islink(os.path.join(state, name)) else os.unlink(os.path.join(state, name))
    return prepare


def absolute(state):
    target = os.path.join(state, os.readlink(os.path.join(state, NAME)))
    os.unlink(os.path.join(state, NAME))
    os.symlink(target, os.path.join(state, NAME))


def no_link(state):
    os.unlink(os.path.join(state, NAME))


def foreign_folder(scene):
    """Somebody's own: left alone, and the way out works."""
    client = scene.client()
    client.state = os.path.join(scene.folder, "other")
    os.makedirs(os.path.join(client.state, NAME))
    with open(os.path.join(client.state, NAME, "notes"), "w") as f:
        f.write("mine\n")
    pebble = quiet(scene)
    client = scene.client(pebble)
    client.state = os.path.join(scene.folder, "other")
    run = client.issue(*NAMES)
    hold(run.code == FAILED and "move it away" in run.err and not pebble.orders(), run.tail())
    os.rename(os.path.join(client.state, NAME), os.path.join(scene.folder, "notes"))
    hold(client.issue(*NAMES).code == NEW, "the way out does not help")


def revoked(scene):
    pebble = quiet(scene)
    client = scene.client(pebble)
    hold(client.issue(*NAMES, force=True).code == NEW, "no certificate of this Pebble")
    run = client.run("revoke", NAME, "two.example.test")
    hold(run.code == USAGE, f"two names: {run.tail()}")
    run = client.run("revoke", NAME)
    hold(run.code == NEW, run.tail())
    hold("revoked" in client.run("status").out, "status does not say so")
    hold(client.run("status", json=True).events()[0]["revoked"] == 1, "nor does it with --json")
    run = client.issue(*NAMES)
    hold(run.code == NEW and "revoked" in run.err, run.tail())
    hold("revoked" not in client.run("status").out, "status still says so")
    hold(client.issue(*NAMES).code == DUE_NOT, "and again")


def waiting(scene):
    """A record with a time before which the CA does not want to see us, and one with an order."""
    client = scene.client()
    path = os.path.join(client.state, f".{NAME}.order")
    for body, has, lacks in ((f"retry {int(time.time()) + 3600}\n", "waiting  until", "in progress"),
                             ("retry 0\norder https://localhost/o/1\n", "in progress", "waiting"),
                             ("retry 5\n", "renewal", "waiting"),
                             (f"retry {int(time.time()) + 10 ** 7}\n", "renewal", "waiting")):
        with open(path, "w") as f:
            f.write(f"nanoacme-order 1\ndirectory x\nnames y\n{body}end\n")
        out = client.run("status", NAME).out
        hold(has in out and lacks not in out and (lacks == "waiting" or "order" not in out), f"{body!r}: {out}")


# Words

def names_refused(scene):
    pebble = quiet(scene)
    client = scene.client(pebble)
    for name, why in (("account", "another name first"), ("ACCOUNT.pem", "another name first"),
                      ("account-next.pem", "another name first"), ("a_b.example.test", "underscore"),
                      ("m\u00fcller.example.test", "xn--"), ("a.example.test,b.example.test", "comma"),
                      ("*.example.test", "wildcard"), ("https://a.example.test/", "URL"), ("a.example.test:443", "port"),
                      ("192.0.2.01", "address"), ("2001:DB8::1", "write 2001:db8::1"), ("127.1", "address"), ("me@example.test", "contact"), ("..", "not a DNS name"),
                      ("a..", "not a DNS name"),
                      (".".join(["a" * 61, "b" * 61, "c" * 61, "d" * 59]), "shorter name first")):
        run = client.issue(name)
        hold(run.code == USAGE and why in run.err, f"{name}: {run.tail()}")
    hold(not pebble.requests(), f"asked {pebble.requests()} all the same")
    longest = ".".join(["a" * 61, "b" * 61, "c" * 61, "d" * 58])
    run = client.issue(longest)
    hold(run.code == NEW, f"{len(longest)} bytes: {run.tail()}")
    run = client.issue("other.example.test", "account")
    hold(run.code == NEW, f"account behind another name: {run.tail()}")


def dot(scene):
    """The same name as without."""
    run = scene.client().issue(*[name + "." for name in NAMES])
    hold(run.code == DUE_NOT, run.tail())
    hold(scene.client().run("status", NAME + ".").code == NEW, "not for status")


def contact(scene):
    pebble = quiet(scene)
    client = scene.client(pebble)
    client.state = os.path.join(scene.folder, "new")
    for bad in ("admin", "@example.org", "me@"):
        run = client.issue(*NAMES, options=["--contact", bad])
        hold(run.code == USAGE and "contact" in run.err, f"{bad}: {run.tail()}")
    hold(not pebble.requests(), "asked all the same")
    run = client.issue(*NAMES, options=["--contact", "me@example.org"])
    hold(run.code == NEW, run.tail())


def ca_file(scene):
    absent = os.path.join(scene.folder, "absent.pem")
    run = scene.client(ca_file=absent).issue(*NAMES)
    hold(run.code == USAGE, f"by flag: {run.tail()}")
    config = os.path.join(scene.folder, "c")
    with open(config, "w") as f:
        f.write(f"ca_file = {absent}\nnames = {NAME}\n")
    done = subprocess.run([PROGRAM, "-c", config, "issue"], capture_output=True, text=True)
    hold(done.returncode == CONFIG, f"by file: {done.stderr}")


def json_ends(scene):
    """Whatever happens."""
    client = scene.client()
    strange = os.fsencode(os.path.join(scene.folder, "st")) + b"\xff\xc3\x28\xe2\x82\"\x01te"
    shutil.copytree(os.fsencode(client.state), strange, symlinks=True)
    below = os.path.join(scene.folder, "plain")
    with open(below, "w") as f:
        f.write("a file")
    flags = ["--directory", client.directory, "--ca-file", client.ca_file]
    for words in ([], ["isue"], ["issue"], ["issue", "a b"], ["--no-such"], ["issue", "--state"],
                  ["-c", "/nonexistent", "issue"],
                  ["revoke", "a", "b"], ["deactivate"], ["version"], ["-h"], ["issue", "--help"], ["status"], ["status", "nobody.example.test"],
                  ["--state", below + "/x", *flags, "issue", NAME], ["--ca-file", below, "issue", NAME],
                  ["--directory", "ftp://x", "issue", NAME], ["--state", strange, *flags, "issue", *NAMES],
                  ["--state", strange, *flags, "status"], ["--state", strange + b"/account/x", *flags, "issue", NAME],
                  ["--state", strange + b"/account/x", "status"]):
        done = subprocess.run([PROGRAM, "--json", "--state", client.state, *words] if "--state" not in words else
                              [PROGRAM, "--json", *words], capture_output=True, timeout=60)
        lines = done.stdout.decode("utf-8").splitlines()
        hold(lines, f"{words}: nothing")
        *before, last = [json.loads(line) for line in lines]
        hold(last["event"] == "end", f"{words}: {last}")
        good = {NEW: ("done", "issued"), DUE_NOT: ("current",)}.get(done.returncode, ("failed",))
        hold(last["result"] in good, f"{words}: exit {done.returncode}, {last}")
        hold(last["result"] != "failed" or last.get("message") or any(e.get("error") for e in before),
             f"{words}: {last}")


scenes.play([
    *[(f"descriptors closed: {which}", closed(which)) for which in ((0,), (1,), (2,), (0, 1), (1, 2), (0, 1, 2))],
    ("a limit of 0 on the size of files", small_files),
    ("two runs at once, nothing due, 20 times", at_once),
    ("two runs at once, both due", both_due),
    ("privileges given up while it runs", given_up),
    ("a user of its own", own_user),
    ("a user and root in turns", in_turns),
    ("a copy that kept links", copied("cp", "-a", said=None)),
    ("a copy that followed links", copied("cp", "-rL")),
    ("a copy that followed links, of what can be seen only",
     copied("cp", "-rL", prepare=only(NAME, "account.pem", "account", f".{NAME}.a"))),
    ("an absolute link", copied("cp", "-a", prepare=absolute)),
    ("the link is lost", copied("cp", "-a", prepare=no_link)),
    ("a folder that is somebody's own", foreign_folder),
    ("revoked", revoked),
    ("status tells waiting from an order", waiting),
    ("names that cannot be, each with its reason", names_refused),
    ("names with a dot at the end", dot),
    ("contacts", contact),
    ("a CA file that is not there, by flag and by file", ca_file),
    ("--json comes to its end", json_ends),
])
