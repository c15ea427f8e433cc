#!/usr/bin/env python3
"""Certificates that are kept up for years: each renewed with the setup it was issued with, by `renew` and by `daemon`; what is kept
beside it, by hand and of other versions; trials, and what is removed."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time

sys.path[:0] = [os.path.dirname(os.path.abspath(__file__)), os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")]
import servers
import tap
from client import CONFIG, DUE_NOT, FAILED, NEW, PROGRAM, USAGE, Client, Run

A, B = "a.example.test", "b.example.test"
folder = servers.workdir()
authority = servers.Authority(os.path.join(folder, "authority"))
QUICK = {"PEBBLE_VA_ALWAYS_VALID": "1"}
ca = {name: servers.Pebble(os.path.join(folder, name), authority, env=QUICK, config={"domainBlocklist": ["blocked.example.test"]})
      for name in ("one", "two")}
client = Client(folder, ca["one"])
STATE = client.state


def bare(*words, state=STATE, limit_s=60, env=None):
    """Without any flag but the state directory's."""
    done = subprocess.run([*servers.LEASH, PROGRAM, "--state", state, *words], stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=limit_s, env={**os.environ, **(env or {})})
    return Run(done.returncode, done.stdout, done.stderr)


def path(name):
    return os.path.join(STATE, name)


def kept(name):
    return path(f".{name}.conf")


def text(name):
    with open(name, encoding="utf-8") as f:
        return f.read()


def write(name, what):
    with open(name, "w", encoding="utf-8") as f:
        f.write(what)


def serial(name):
    try:
        return servers.openssl("x509", "-in", client.path(name, "fullchain.pem"), "-noout", "-serial").strip()
    except servers.Failed:
        return "none"


def snapshot():
    """All files of the state directory but what a trial may change."""
    found = {}
    for at, folders, names in os.walk(STATE):
        if ".dry-run" in folders:
            folders.remove(".dry-run")
        for name in names:
            if name != ".lock":
                with open(os.path.join(at, name), "rb") as f:
                    found[os.path.join(at, name)] = f.read()
    return found


def two_setups():
    run = client.issue(A, "www." + A)
    tap.ok(run.code == NEW, "one CA, two names: issued", run.tail())
    other = Client(folder, ca["two"])
    run = other.issue(B, options=["--contact", "me@example.org"])
    tap.ok(run.code == NEW, "another CA: issued", run.tail())
    tap.ok(f"names = {A} www.{A}" in text(kept(A)) and ca["one"].directory in text(kept(A)), "the setup is kept", text(kept(A)))
    tap.ok(os.stat(kept(A)).st_mode & 0o777 == 0o600, "for its owner only")
    run = bare("renew")
    lines = run.out.splitlines()
    tap.ok(run.code == DUE_NOT and len(lines) == 2 and lines[0].startswith(A + ": nothing to do") and not run.err,
           "renew without names: nothing due, a line each, exit 2", run.out + run.err)
    before, marks = (serial(A), serial(B)), [c.issued() for c in ca.values()]
    run = bare("renew", "--force")
    tap.ok(run.code == NEW and len(run.out.splitlines()) == 2 and run.out.count(": renewed") == 2, "all renewed, exit 0", run.out + run.err)
    tap.ok(serial(A) != before[0] and serial(B) != before[1], "both are new")
    tap.ok([c.issued() for c in ca.values()] == [m + 1 for m in marks], "each at its own CA, once")
    fault = client.fault([A, "www." + A], ca["one"].roots()) or client.fault([B], ca["two"].roots())
    tap.ok(not fault, "chains, keys and names are right", fault)
    run = bare("renew", A)
    tap.ok(run.code == DUE_NOT and "nothing to do" in run.out, "one by its name", run.tail())
    run = bare("renew", "--json", "--force")
    events = run.events()
    tap.ok(run.code == NEW and [e["event"] for e in events] == ["certificate_end", "certificate_end", "end"] and
           [e["name"] for e in events[:2]] == [A, B] and events[2]["result"] == "done", "--json: an object each, and the end", run.out)
    run = bare("renew", "-q")
    tap.ok(run.code == DUE_NOT and not run.out and not run.err, "-q says nothing when nothing is wrong", run.tail())


def same_key():
    """--reuse-key is kept with the setup, and ends when it is taken out there."""
    def key():
        return servers.openssl("x509", "-in", client.path("k.example.test", "fullchain.pem"), "-noout", "-pubkey")
    run = client.issue("k.example.test", options=["--reuse-key"])
    first = key() if run.code == NEW else ""
    again = bare("renew", "--force", "k.example.test")
    fault = client.fault(["k.example.test"], ca["one"].roots())
    tap.ok(run.code == again.code == NEW and key() == first and not fault and "reuse_key = yes" in text(kept("k.example.test")),
           "the key in use, for its renewal too", run.tail() + again.tail() + fault)
    write(kept("k.example.test"), text(kept("k.example.test")).replace("reuse_key = yes", "reuse_key = no"))
    run = bare("renew", "--force", "k.example.test")
    fault = client.fault(["k.example.test"], ca["one"].roots())
    tap.ok(run.code == NEW and key() != first and not fault, "then another one", run.tail() + fault)
    bare("remove", "--yes", "k.example.test")


def by_hand():
    """What a person writes counts, stays as it is written, and what is wrong with one is nobody else's trouble."""
    good = text(kept(A))
    write(kept(A), "# mine\n" + good)
    run = bare("renew", "--force", A)
    tap.ok(run.code == NEW and text(kept(A)).startswith("# mine\n"), "a comment stays", run.tail())
    write(kept(A), "format = 1\n" + re.sub(r"names = .*", f"names = {A}", good[good.index("directory_url"):]))
    run = bare("renew", A)
    for body, word in ((good + "nonsense = 1\n", r"\.conf:\d+: unknown key"), ("format = 2\nnonsense\n", "later nanoacme"),
                       (good.replace(A, "c.example.test"), "must begin with"), ("format = 1\n", "no names"), ("\0", "not a text")):
        write(kept(A), body)
        had = text(kept(A)), serial(A)
        run = bare("renew", "--force")
        tap.ok(run.code == FAILED and re.search(f"nanoacme: {A}: .*{word}", run.err) and B + ": renewed" in run.out,
               f"told, and the other goes on: {word}", run.out + run.err)
        tap.ok((text(kept(A)), serial(A)) == had, "left alone")
        run = bare("renew", A)
        tap.ok(run.code == CONFIG, "alone: exit 78", run.tail())
    write(kept(A), good)
    os.chmod(kept(A), 0o666)
    run = bare("renew", A)
    tap.ok(run.code == CONFIG and "others may write" in run.err, "one that others may write is not believed", run.tail())
    os.chmod(kept(A), 0o600)
    twin = path(f".{A.upper()}.conf")
    shutil.copy(kept(A), twin)
    run = bare("renew", "--force")
    tap.ok(run.code == FAILED and "two config files for one name" in run.err and B + ": renewed" in run.out, "two files for one name", run.out + run.err)
    os.unlink(twin)
    os.rename(kept(A), twin)
    run = bare("renew", A)
    tap.ok(run.code == CONFIG and "has to be called" in run.err, "a file in capitals", run.tail())
    os.rename(twin, kept(A))
    os.unlink(kept(A))
    os.mkfifo(kept(A))
    run = bare("renew", A)
    tap.ok(run.code == CONFIG and "not a file" in run.err, "a FIFO", run.tail())
    os.unlink(kept(A))
    write(kept(A), good)
    run = bare("renew", "--force", A)
    tap.ok(run.code == NEW, "and as it was", run.tail())


def of_before():
    """A state directory of the version before has nothing kept."""
    good = text(kept(A))
    os.unlink(kept(A))
    had = serial(A)
    run = bare("renew", A)
    tap.ok(run.code == CONFIG and "its setup is lost" in run.err and not os.path.exists(kept(A)) and serial(A) == had,
           "one that is known to be of another CA is not renewed at the usual one", run.tail())
    known = text(path(f".{A}.renew"))
    os.unlink(path(f".{A}.renew"))
    run = bare("renew", A)
    tap.ok(run.code == DUE_NOT and "no setup is kept" in run.err and not os.path.exists(kept(A)),
           "it is said that no setup is kept, and none is made up", run.tail())
    write(path(f".{A}.renew"), known)
    run = client.run("renew", A, force=True)
    tap.ok(run.code == NEW and f"names = {A} www.{A}" in text(kept(A)), "flags give it, names are the certificate's; then it is kept",
           run.tail() + (text(kept(A)) if os.path.exists(kept(A)) else " nothing"))
    os.unlink(kept(A))
    run = client.issue(A, "www." + A)
    tap.ok(run.code == DUE_NOT and text(kept(A)) == good, "issue keeps it, even when nothing is due", run.tail())
    config = os.path.join(folder, "conf")
    write(config, f"directory_url = {ca['one'].directory}\nca_file = {authority.root}\nhttp_port = {ca['one'].http_port}\n"
                  f"accept_terms = yes\nnames = c.example.test\n")
    run = bare("-c", config, "renew")
    tap.ok(run.code == NEW and "c.example.test: renewed" in run.out and len(run.out.splitlines()) == 3,
           "a config file's own certificate is among them, and made when it is not there", run.out + run.err)
    tap.ok(ca["one"].directory in text(kept(B)), "what the config file says counts more than what is kept, for all", text(kept(B)))
    run = Client(folder, ca["two"]).issue(B)
    tap.ok(run.code == NEW and ca["two"].directory in text(kept(B)), "another directory is a reason for another certificate", run.tail())
    os.chdir(folder)
    run = bare("--directory", ca["one"].directory, "--ca-file", os.path.relpath(authority.root), "--accept-terms", "--http-port",
               str(ca["one"].http_port), "issue", "d.example.test")
    os.chdir("/")
    tap.ok(run.code == NEW and f"ca_file = {authority.root}" in text(kept("d.example.test")), "a path is kept whole", run.tail())
    run = bare("renew", "nobody.example.test")
    tap.ok(run.code == DUE_NOT and "issue it" in run.err, "one that is not there", run.tail())


def failing():
    run = client.issue("blocked.example.test")
    tap.ok(run.code == FAILED and not os.path.exists(kept("blocked.example.test")), "a first attempt that came to nothing keeps nothing",
           run.tail())
    good = text(kept(A))
    run = client.issue(A, "blocked.example.test")
    tap.ok(run.code == FAILED and text(kept(A)) == good, "one that failed changes nothing", run.tail())


def trial():
    before = snapshot()
    at = os.path.join(folder, "new", "state")
    os.makedirs(os.path.dirname(at))
    for what, run in (("issue", client.run("issue", A, "www." + A, options=["--dry-run"])), ("renew", bare("renew", "--dry-run", B))):
        tap.ok(run.code == NEW and "a trial" in run.out, f"{what} --dry-run goes all the way", run.tail())
        tap.ok(snapshot() == before, "and leaves all as it was")
    left = sorted(os.listdir(path(".dry-run")))
    tap.ok(left == [".lock", "account", "account.pem"], "of the trial only an account stays", left)
    fresh = Client(os.path.dirname(at), ca["one"])
    run = fresh.run("issue", A, options=["--dry-run"])
    tap.ok(run.code == NEW and os.listdir(fresh.state) == [".dry-run"], "also where nothing was before", run.tail())
    run = client.run("issue", A, "blocked.example.test", options=["--dry-run"])
    tap.ok(run.code == FAILED and snapshot() == before, "a trial that fails", run.tail())


def removed():
    run = bare("remove", A)
    tap.ok(run.code == USAGE and "--yes" in run.err and os.path.exists(path(A)), "remove asks whether it is meant", run.tail())
    write(os.path.join(STATE, os.readlink(path(A)), "mine"), "x")
    run = bare("remove", "--yes", A)
    tap.ok(run.code == FAILED and "left alone" in run.err, "what somebody else has put there stays", run.tail())
    os.unlink(next(os.path.join(at, "mine") for at, _, names in os.walk(STATE) if "mine" in names))
    run = bare("remove", "--yes", A)
    left = [n for n in os.listdir(STATE) if A in n]
    tap.ok(run.code == NEW and not left and os.path.exists(path("account.pem")) and os.path.exists(path(B)),
           "removed, and nothing beside it", f"{run.tail()} {left}")
    run = bare("remove", "--yes", A)
    tap.ok(run.code == FAILED and "no certificate" in run.err, "once more: there is none", run.tail())
    os.mkdir(path(A))
    write(os.path.join(path(A), "notes"), "mine")
    run = bare("remove", "--yes", A)
    tap.ok(run.code == FAILED and "not made by nanoacme" in run.err and os.path.exists(path(A + "/notes")), "a folder of somebody's own",
           run.tail())
    shutil.rmtree(path(A))
    run = bare("remove", "--yes", "account")
    tap.ok(run.code == FAILED and os.path.exists(path("account")), "never the account", run.tail())


class Manager:
    """What a service manager is to a daemon: a socket that is told how it goes."""

    def __init__(self, name):
        self.name = name
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind("\0" + name[1:] if name.startswith("@") else name)
        self.heard = []
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        while True:
            self.heard.append(self.socket.recv(4096).decode())

    def hears(self, what):
        return servers.until(lambda: any(what in h for h in list(self.heard)), f"the daemon says {what!r}", 30)


def daemon(manager, *words, env=None):
    return subprocess.Popen([*servers.LEASH, PROGRAM, "--state", STATE, *words, "daemon"], stdin=subprocess.DEVNULL, text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            env={**os.environ, "NOTIFY_SOCKET": manager.name, "WATCHDOG_USEC": "400000", **(env or {})})


def kept_up():
    config = os.path.join(folder, "daemon.conf")
    body = (f"directory_url = {ca['one'].directory}\nca_file = {authority.root}\nhttp_port = {ca['one'].http_port}\n"
            f"accept_terms = yes\n")
    write(config, body + "names = f.example.test\n")
    manager = Manager(f"@nanoacme-test-{os.getpid()}")
    run = daemon(manager, "-c", config)
    try:
        tap.ok(manager.hears("READY=1"), "the daemon is ready, and says so to an abstract socket")
        servers.until(lambda: os.path.exists(path("f.example.test")), "the daemon issues")
        tap.ok(manager.hears("STATUS=f.example.test: at work") and manager.hears("WATCHDOG=1"), "it issues, and feeds the watchdog",
               manager.heard)
        write(config, body + "names = g.example.test\n")
        manager.heard.clear()
        run.send_signal(signal.SIGHUP)
        tap.ok(manager.hears("RELOADING=1\nMONOTONIC_USEC=") and manager.hears("READY=1"), "SIGHUP is told with its time", manager.heard)
        servers.until(lambda: os.path.exists(path("g.example.test")), "the daemon issues what the config file has now")
        write(config, "nonsense\n")
        servers.until(lambda: manager.hears("STATUS=") and "at work" not in [h for h in list(manager.heard) if "STATUS=" in h][-1], "it rests")
        manager.heard.clear()
        run.send_signal(signal.SIGHUP)
        manager.hears("READY=1")
        run.send_signal(signal.SIGTERM)
        tap.ok(manager.hears("STOPPING=1"), "SIGTERM: it says that it stops")
        out, err = run.communicate(timeout=60)
        tap.ok(run.returncode == 0 and "f.example.test: renewed" in out and "g.example.test: renewed" in out and
               "stays as it was" in err and "unknown key" in err, "and ends well; a config that is wrong changed nothing", out + err)
    finally:
        run.kill()
    for name in ("f", "g"):
        bare("remove", "--yes", f"{name}.example.test")


def cut_off():
    """Killed at any moment, by renew or by the daemon: the next run goes on."""
    pebble = servers.Pebble(os.path.join(folder, "slow"), authority, env=QUICK)
    slow = Client(os.path.join(folder, "cut"), pebble)
    hold = slow.issue(A)
    orders = pebble.orders()
    for i in range(12):
        verb = ("renew",) if i % 2 else ("issue", A)
        command = slow.command(*verb, force=True) if i % 2 else slow.command(verb[0], A, force=True)
        run = subprocess.Popen([*servers.LEASH, *command], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(0.03 * i)  # lint: polls
        run.kill()
        run.wait()
    run = slow.run("renew", A)
    told = run.code == FAILED and re.search(r"due, but not before 20\S+ \d\d:\d\d UTC: the attempts before have failed", run.err)
    tap.ok(hold.code == NEW and (told or run.code in (NEW, DUE_NOT)), "killed twelve times: the next one waits, and says until when",
           run.tail())
    out = bare("status", state=slow.state).out
    tap.ok(not told or "in a row" in out and "next try not before" in out, "so does status", out)
    run = slow.run("renew", A, force=True)
    tap.ok(run.code == NEW, "or goes on at once when it is asked to", run.tail())
    fault = slow.fault([A], pebble.roots())
    tap.ok(not fault and pebble.accounts() == 1, "one account, and a pair that fits", fault)
    tap.ok(pebble.orders() - orders <= 14, "no order more than runs", pebble.orders() - orders)
    fresh = Client(os.path.join(folder, "cut2"), pebble)
    for i in range(6):  # a first certificate: who goes on has to know where it was begun
        run = subprocess.Popen([*servers.LEASH, *fresh.command("issue", "h.example.test")], stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(0.04 * i)  # lint: polls
        run.kill()
        run.wait()
    known = os.path.exists(os.path.join(fresh.state, ".h.example.test.conf"))
    run = bare("renew", "--force", state=fresh.state)
    tap.ok(known and run.code in (NEW, DUE_NOT) and os.path.exists(fresh.path("h.example.test", "privkey.pem")),
           "a first one is gone on with by renew alone", run.tail())


def windows():
    """A CA that suggests when (RFC 9773): a look, remembered, and the same moment wherever it is told."""
    if not os.path.exists(servers.NEWEST_PEBBLE):
        tap.skip("windows", "no newest Pebble")
        return
    pebble = servers.Pebble(os.path.join(folder, "newest"), authority, binary=servers.NEWEST_PEBBLE, env=QUICK,
                            config={"profiles": {"long": {"description": "ninety days", "validityPeriod": 7776000}}})
    here = Client(os.path.join(folder, "windows"), pebble)
    run = here.issue(A, options=["--profile", "long"])
    tap.ok(run.code == NEW and "profile = long" in text(os.path.join(here.state, f".{A}.conf")), "a profile is asked for and kept", run.tail())
    mark = pebble.mark()
    run = bare("renew", state=here.state)
    looks = pebble.requests(mark)
    window = re.search(r"from (\S+ \S+) UTC: ARI window \S+.*, chosen (\S+ \S+)$", run.out.strip())
    tap.ok(run.code == DUE_NOT and len(looks) == 1 and window and window[1] == window[2], "one look, and a moment in the window", f"{looks} {run.out}")
    mark = pebble.mark()
    again = bare("renew", state=here.state)
    tap.ok(again.out == run.out and not pebble.requests(mark), "the next run asks nobody, and says the same", again.out)
    shown = bare("status", "--json", state=here.state).events()[0]
    tap.ok(shown["why"] == "window" and shown["window_start"] <= shown["renew_at"] == shown["chosen"] < shown["window_end"],
           "so does status", shown)
    tap.ok(window and f"renewal  from {window[1]} UTC: ARI window" in bare("status", state=here.state).out, "for people too")
    run = here.issue("i.example.test", options=["--profile", "none"])
    tap.ok(run.code == FAILED and "profile" in run.err, "a profile that there is not", run.tail())
    run = here.issue("i.example.test", options=["--profile", "none", "--profile-optional"])
    tap.ok(run.code == NEW, "or the default will do", run.tail())
    run = here.issue("i.example.test", options=["--profile-optional"])
    tap.ok(run.code == USAGE and "none is named" in run.err, "optional, but which", run.tail())


def shown():
    run = bare("status")
    tap.ok(run.code == NEW and f"CA       {ca['two'].directory}" in run.out and "third of its life left" in run.out and
           f"path     {path(B)}/fullchain.pem" in run.out, "status", run.out)
    run = bare("status", "--json", B)
    row = run.events()[0]
    tap.ok(row["directory"] == ca["two"].directory and row["why"] == "life" and row["health"] == "ok" and row["failures"] == 0,
           "status --json", row)
    run = bare("status", "--metrics")
    lines = run.out.splitlines()
    samples = [line for line in lines if not line.startswith("#")]
    good = re.compile(r'nanoacme_[a-z_]+(\{[a-z]+="(?:[^"\\\n]|\\["\\n])*"(?:,[a-z]+="(?:[^"\\\n]|\\["\\n])*")*\})? -?\d+')
    odd = [line for line in samples if not good.fullmatch(line)]
    families = [line.split()[2] for line in lines if line.startswith("# TYPE")]
    tap.ok(run.code == 0 and not odd and len(families) == len(set(families)) and
           all(line.split("{")[0].split(" ")[0] in families for line in samples), "status --metrics: each sample has its family", odd)
    tap.ok(any(line.startswith(f'nanoacme_certificate_not_after_timestamp_seconds{{name="{B}",directory="{ca["two"].directory}"}} ')
               for line in samples), "with name and directory", samples[:3])
    good = text(kept(B))
    write(kept(B), "nonsense\n")
    run = bare("status")
    tap.ok(run.code == FAILED and "unknown key" in run.out, "a setup that cannot be read is told, exit 1", run.tail())
    write(kept(B), good)


if __name__ == "__main__":
    for part in (two_setups, same_key, by_hand, of_before, failing, windows, shown, trial, kept_up, cut_off, removed):
        if len(sys.argv) < 2 or part.__name__ in sys.argv[1:] or part is two_setups:
            part()
    tap.end()
