#!/usr/bin/env python3
"""Bad input from this side: files, space, configuration, command line, clock. Each is refused with the place named, and
what is stored stays, byte for byte."""

import os
import re
import subprocess
import sys

sys.path[:0] = [os.path.dirname(os.path.abspath(__file__)), os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")]
import scenes
import servers
from client import CONFIG, DUE_NOT, FAILED, NEW, PROGRAM, USAGE, Run
from scenes import NAMES, hold

HERE = os.path.dirname(os.path.abspath(__file__))


def namespace():
    """The prefix of a command that may mount what nobody else sees; a scene without the right to is skipped."""
    if os.geteuid() != 0 or subprocess.run(["unshare", "-m", "true"], capture_output=True).returncode:
        raise scenes.Skip("needs root and a mount namespace")
    return ["unshare", "-m", "sh", "-euc"]


def read(path):
    with open(path, "rb") as f:
        return f.read()


def write(path, data):
    with open(path, "wb") as f:
        f.write(data)


def files(folder):
    """Contents by name of all there is."""
    return {os.path.join(at, name): read(os.path.join(at, name))
            for at, _, names in os.walk(folder) for name in names if not os.path.islink(os.path.join(at, name))}


# Where to write

def below_a_file(scene):
    """Not a folder: what no right, not even root's, can write to."""
    write(os.path.join(scene.folder, "plain"), b"a file\n")
    client = scene.client()
    client.state = os.path.join(scene.folder, "plain", "state")
    scene.refused(client.issue(*NAMES), (FAILED, CONFIG), re.escape(client.state))
    hold(read(os.path.join(scene.folder, "plain")) == b"a file\n", "the file changed")


def read_only(scene):
    client = scene.client()
    before = files(client.state)
    mount = f"mount --bind '{client.state}' '{client.state}'; mount -o remount,ro,bind '{client.state}'; exec \"$@\""
    run = client.issue(*NAMES, force=True, prefix=[*namespace(), mount, "sh"])
    scene.refused(run, FAILED, re.escape(client.state), "read-only|writ")
    hold(files(client.state) == before, "something changed on a read-only file system")


def no_right(scene):
    if os.geteuid() == 0:
        raise scenes.Skip("root may write anywhere")
    client = scene.client()
    os.chmod(client.state, 0o500)
    run = client.issue(*NAMES, force=True)
    os.chmod(client.state, 0o700)
    scene.refused(run, FAILED, re.escape(client.state), "permission")


def full(free_kib):
    """A file system of 256 KiB with so many left. What comes of it may be an error, never a worse state."""
    def scene_of_it(scene):
        pebble = scene.pebble()
        client = scene.client(pebble)
        saved = os.path.join(scene.folder, "saved")
        os.rename(client.state, saved)
        os.mkdir(client.state)
        script = (f"mount -t tmpfs -o size=256k tmpfs '{client.state}'; cp -a '{saved}/.' '{client.state}';"
                  f"dd if=/dev/zero of='{client.state}/filler' bs=4k 2>/dev/null || true;"
                  f"truncate -s -{free_kib}k '{client.state}/filler';"
                  f"code=0; \"$@\" || code=$?; rm '{client.state}/filler'; rm -rf '{saved}';"
                  f"cp -a '{client.state}' '{saved}'; exit $code")
        run = client.issue(*NAMES, force=True, prefix=[*namespace(), script, "sh"])
        os.rmdir(client.state)
        os.rename(saved, client.state)
        if run.code == NEW:
            hold(free_kib > 0, "a new certificate, with no room for it")
            fault = client.fault(NAMES, pebble.roots())
            hold(not fault, fault)
        else:
            scene.refused(run, FAILED, re.escape(client.state), "space|writ")
        again = client.issue(*NAMES, force=True)
        hold(again.code == NEW, f"does not go on when there is room again: {again.tail()}")
        fault = client.fault(NAMES, pebble.roots())
        hold(not fault, f"after going on: {fault}")
        hold(scenes.digest(scene.path("account.pem")) == scene.kept["account.pem"], "account.pem changed")
        hold(pebble.accounts() == 1, f"{pebble.accounts()} accounts")
    return scene_of_it


# Damaged files

def halve(data):
    return data[:len(data) // 2]


def flip(data):
    """Another base64 character in the middle of the key."""
    at = data.index(b"\n") + 20
    return data[:at] + (b"A" if data[at:at + 1] != b"A" else b"B") + data[at + 1:]


def other_type(_):
    return servers.openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048").encode()


DAMAGES = {"cut short": halve, "empty": lambda _: b"", "a bit flipped": flip, "not a key": lambda _: b"\0hello\n" * 30,
           "of another type": other_type}


def damaged(name, damage):
    """Said so with its path, and never replaced, not even with --force: whoever has looked at it may remove it."""
    def scene_of_it(scene):
        pebble = scene.pebble()
        client = scene.client(pebble)
        path = scene.path(name)
        bad = damage(read(path))
        write(path, bad)
        scene.kept[name] = scenes.digest(path)
        for force in (False, True):
            run = client.issue(*NAMES, force=force)
            hold(run.code == FAILED, f"force {force}: exit {run.code}: {run.tail()}")
            hold(path in run.out + run.err, f"does not name {path}: {run.tail()}")
            for kept, was in scene.kept.items():
                hold(scenes.digest(scene.path(kept)) == was, f"{kept} changed")
            hold(not pebble.requests(), f"asked {pebble.requests()} all the same")
        pebble.stop()
    return scene_of_it


def not_a_pair(scene):
    """A key that is whole, but another certificate's."""
    path = scene.path(f"{NAMES[0]}/privkey.pem")
    write(path, servers.openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout").encode())
    scene.kept[f"{NAMES[0]}/privkey.pem"] = scenes.digest(path)
    run = scene.client().issue(*NAMES)
    hold(run.code == FAILED, f"exit {run.code}: {run.tail()}")
    hold(os.path.dirname(path) in run.out + run.err, f"does not name the place: {run.tail()}")
    for kept, was in scene.kept.items():
        hold(scenes.digest(scene.path(kept)) == was, f"{kept} changed")


def damaged_records(scene):
    """What can be had again from the CA is: same key, so the same account."""
    pebble = scene.pebble()
    client = scene.client(pebble)
    hold(client.issue(*NAMES, force=True).code == NEW, "no account to begin with")
    for name, data in files(client.state).items():
        if not name.endswith(".pem"):
            write(name, halve(data) + b"\xff\x00")
    run = client.issue(*NAMES, force=True)
    hold(run.code == NEW, run.tail())
    hold(pebble.accounts() == 1, "another account")
    fault = client.fault(NAMES, pebble.roots())
    hold(not fault, fault)


# Configuration and command line

def configured(scene, text, *arguments):
    path = os.path.join(scene.folder, "nanoacme.conf")
    write(path, text.encode())
    return path, program("-c", path, *arguments)


def program(*arguments, env=None):
    done = subprocess.run([*servers.LEASH, PROGRAM, *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
                          env={**os.environ, **(env or {})})
    return Run(done.returncode, done.stdout, done.stderr)


def unknown_key(scene):
    path, run = configured(scene, "# a comment\n\n\nno-such-key = 1\n", "issue", *NAMES)
    scene.refused(run, CONFIG, f"{re.escape(path)}:4", "no-such-key")


def long_line(scene):
    path, run = configured(scene, "#\ndirectory_url = https://" + "a" * 100000 + "\n", "issue", *NAMES)
    scene.refused(run, CONFIG, re.escape(path))


def bad_values(scene):
    for line in ("http_port = 80x", "accept_terms = perhaps", "directory_url", "directory_url =", "= x", "webroot = /srv # mine",
                 "directory_url = http://ca.example.test/dir", "allow_plain_http = ca.example.test:80"):
        path, run = configured(scene, f"# one\nstate = {scene.path('')}\n{line}\n", "issue", *NAMES)
        word = {"http://ca": "allow-plain-http", "test:80": "without a port"}
        scene.refused(run, CONFIG, next((w for part, w in word.items() if part in line), f"{re.escape(path)}:3"))


def key_twice(scene):
    path, run = configured(scene, f"state = {scene.path('')}\nstate = /tmp\n", "issue", *NAMES)
    scene.refused(run, CONFIG, f"{re.escape(path)}:2")


def as_configured(scene):
    """The good case, so that the bad ones are known to be told apart from it."""
    server = scene.stage.pebble
    text = (f"# a comment\ndirectory_url = {server.directory}\nca_file = {server.ca_file}\nstate = {scene.path('')}\n"
            f"http_port = {server.http_port}\naccept_terms = yes\nnames = {' '.join(NAMES)}\n")
    _, run = configured(scene, text, "issue")
    scene.refused(run, DUE_NOT)


def no_config(scene):
    path = os.path.join(scene.folder, "absent.conf")
    scene.refused(program("-c", path, "issue", *NAMES), CONFIG, re.escape(path))


def no_ca_file(scene):
    path = os.path.join(scene.folder, "absent.pem")
    scene.refused(scene.client(ca_file=path).issue(*NAMES, force=True), (USAGE, CONFIG), re.escape(path))


def empty_ca_file(scene):
    path = os.path.join(scene.folder, "empty.pem")
    write(path, b"# no certificate here\n")
    scene.refused(scene.client(ca_file=path).issue(*NAMES, force=True), (USAGE, CONFIG), re.escape(path))


def usage(*arguments):
    def scene_of_it(scene):
        run = program("--state", scene.path(""), *arguments)
        hold(not run.out, f"on standard output: {run.out[:80]}")
        scene.refused(run, USAGE, "usage|nanoacme")
    return scene_of_it


def bad_name(*names):
    def scene_of_it(scene):
        before = files(scene.folder)
        scene.refused(scene.client().issue(*names), (USAGE, CONFIG), "name")
        after = {name: data for name, data in files(scene.folder).items() if not name.endswith("/trust.pem")}
        hold(after == before, "files changed")
    return scene_of_it


def says(words, *arguments):
    def scene_of_it(scene):
        scene.refused(program("--state", scene.path(""), *arguments), USAGE, words)
    return scene_of_it


def umask(scene):
    """One that takes the owner's own rights, after which nobody but root could go on."""
    new, client = "new.example.test", scene.client()
    run = client.issue(new, prefix=["sh", "-c", 'umask 0777; exec "$@"', "sh"])
    hold(run.code == NEW, run.tail())
    for name, mode in ((f".{new}.a", 0o700), (f"{new}/privkey.pem", 0o600), (f"{new}/fullchain.pem", 0o600)):
        hold(os.stat(scene.path(name)).st_mode & 0o777 == mode, f"{name} has {os.stat(scene.path(name)).st_mode:o}")


# The clock

def clock_1970(scene):
    shim = os.path.join(scene.folder, "clock1970.so")
    subprocess.run(["cc", "-std=gnu11", "-O1", "-shared", "-fPIC", "-o", shim, os.path.join(HERE, "clock1970.c")], check=True)
    pebble = scene.pebble()
    run = scene.client(pebble).issue(*NAMES, force=True, prefix=["env", f"LD_PRELOAD={shim}"])
    hold(not pebble.requests(), f"asked {pebble.requests()} all the same")
    scene.refused(run, FAILED, "clock|time")


scenes.play([
    ("a state folder below a file", below_a_file),
    ("a state folder on a read-only file system", read_only),
    ("a state folder one may not write to", no_right),
    *[(f"a full file system, {n} KiB left", full(n)) for n in (0, 4, 8, 16, 24)],
    *[(f"{name} {what}", damaged(name, damage)) for name in ("account.pem", f"{NAMES[0]}/privkey.pem")
      for what, damage in DAMAGES.items()],
    ("a key of another certificate", not_a_pair),
    ("damaged records that are only a cache", damaged_records),
    ("an unknown key in the configuration", unknown_key),
    ("a configuration that is too long", long_line),
    ("values the configuration cannot have", bad_values),
    ("a key given twice in the configuration", key_twice),
    ("the same names by a configuration: nothing to do", as_configured),
    ("no configuration file", no_config),
    ("no CA file", no_ca_file),
    ("a CA file without a certificate", empty_ca_file),
    ("no verb", usage()),
    ("an unknown verb", usage("isue", *NAMES)),
    ("an unknown flag", usage("--accept-everything", "issue", *NAMES)),
    ("a flag without its value", usage("issue", *NAMES, "--directory")),
    ("a port that is none", usage("--http-port", "80x", "issue", *NAMES)),
    ("http for a host that is not named", usage("--directory", "http://ca.example.test/dir", "--allow-plain-http",
                                                "example.test", "issue", *NAMES)),
    ("http for a host that is named with a port", usage("--allow-plain-http", "[::1]:80", "issue", *NAMES)),
    ("a URL for a host", usage("--more-host", "https://localhost/", "issue", *NAMES)),
    ("names for a verb that takes none", usage("version", *NAMES)),
    ("names with a path in them", bad_name("../evil")),
    ("a name given twice", bad_name("twice.example.test", "TWICE.example.test")),
    ("a wildcard name", bad_name("*.example.test")),
    ("an address in another text", bad_name("2001:db8:0::1")),
    ("an address with a dot behind", says("an address to a resolver", "issue", "192.0.2.1.")),
    ("a contact with umlauts", says("not in ASCII", "--contact", "me@m\u00fcnchen.example", "issue", *NAMES)),
    ("a umask that takes all rights", umask),
    ("too many names", bad_name(*[f"n{i}.example.test" for i in range(99)])),
    ("a clock at 1970", clock_1970),
])
