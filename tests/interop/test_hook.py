#!/usr/bin/env python3
"""A new pair is taken over: the deploy hook, the rights of key and chain, in every renewal; and what happens when that fails, is
killed or is forbidden."""

import grp
import os
import pwd
import re
import shutil
import signal
import stat
import subprocess
import sys
import time

sys.path[:0] = [os.path.dirname(os.path.abspath(__file__)), os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")]
import scenes
from client import CONFIG, DUE_NOT, FAILED, NEW, USAGE
from scenes import NAMES, hold

NAME = NAMES[0]
UNIT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../port/posix/nanoacme.service")
LOG = """#!/bin/sh
# A line for each start, and one for each end.
log=${0%/*}/log
echo "$1 $2 $NANOACME_REASON $(id -u) $(openssl x509 -in "$4" -noout -fingerprint) pid $$" >>"$log"
test "$(openssl pkey -in "$3" -pubout)" = "$(openssl x509 -in "$4" -noout -pubkey)" || exit 9
test "$NANOACME_NAMES" = "$RENEWED_DOMAINS" && test -r "$RENEWED_LINEAGE/privkey.pem" || exit 8
"""


def quiet(scene):
    """A Pebble of the scene's own, with a count of its own, that validates whatever is asked."""
    return scene.pebble(env={"PEBBLE_VA_ALWAYS_VALID": "1"})


def put_hook(scene, more="", name="hook"):
    path = os.path.join(scene.folder, name)
    with open(path, "w") as f:
        f.write(LOG + more + '\necho end >>"$log"\n')
    os.chmod(path, 0o755)
    return path


def log_of(scene):
    try:
        with open(os.path.join(scene.folder, "log")) as f:
            return f.read().splitlines()
    except FileNotFoundError:
        return []


def root_only():
    if os.geteuid() != 0:
        raise scenes.Skip("needs root")


def rights(client):
    """Owner, group and mode of key, chain and their folder."""
    found = [os.stat(client.path(NAME, part)) for part in ("privkey.pem", "fullchain.pem", "")]
    return [(is_.st_uid, is_.st_gid, oct(stat.S_IMODE(is_.st_mode))) for is_ in found]


def reader(group):
    """A server under its own user, as mosquitto is, that is in the group."""
    user = pwd.getpwnam("nobody").pw_uid
    return ["setpriv", f"--reuid={user}", f"--regid={user}", f"--groups={group}"]


def thrice(scene, options, prefix=()):
    """A first pair and three renewals: the hook runs once for each, and the rights are the same. Returns them."""
    pebble = quiet(scene)
    client = scene.client(pebble)
    client.forget()
    hook = put_hook(scene)
    seen = []
    for turn in range(4):
        run = client.issue(*NAMES, force=turn > 0, options=["--deploy-hook", hook, *options], prefix=prefix)
        hold(run.code == NEW, f"turn {turn}: {run.tail()}")
        seen.append(rights(client))
        log = log_of(scene)
        hold(len(log) == 2 * turn + 2 and log[-1] == "end", f"turn {turn}: {log}")
        reason = "issued" if turn == 0 else "renewed"
        hold(log[-2].startswith(f"deploy {NAME} {reason} {os.getuid()} "), log[-2])
    prints = {re.search(r"Fingerprint=(\S+)", line).group(1) for line in log if line != "end"}
    hold(len(prints) == 4, f"{len(prints)} certificates")
    hold(all(one == seen[0] for one in seen), f"rights: {seen}")
    run = client.issue(*NAMES, options=["--deploy-hook", hook])
    hold(run.code == DUE_NOT and len(log_of(scene)) == 8, f"nothing was new: {run.tail()}")
    return client, seen[0]


def plain(scene):
    client, ((_, _, key), (_, _, _), (_, _, folder)) = thrice(scene, [])
    hold((key, folder) == ("0o600", "0o700"), f"{key} {folder}")
    # What was kept beside the certificate has the hook too; and a trial runs none.
    run = client.run("renew", NAME, options=["--dry-run"])
    hold(len(log_of(scene)) == 8, f"a trial: {run.tail()}")
    run = client.run("renew", NAME, force=True)
    hold(run.code == NEW and len(log_of(scene)) == 10, f"{run.tail()} {log_of(scene)}")


def with_group(scene):
    root_only()
    group = grp.getgrnam("daemon").gr_gid
    for folder in (scene.stage.folder, scene.folder):
        os.chmod(folder, 0o755)
    client, (key, chain, folder) = thrice(scene, ["--key-group", "daemon"])
    hold(key == (0, group, "0o640") and chain[1] == group and folder == (0, group, "0o750"), f"{key} {chain} {folder}")
    for part in ("privkey.pem", "fullchain.pem"):
        done = subprocess.run([*reader(group), "cat", client.path(NAME, part)], capture_output=True)
        hold(done.returncode == 0, f"the group cannot read {part}: {done.stderr}")
    done = subprocess.run([*reader(4242), "cat", client.path(NAME, "privkey.pem")], capture_output=True)
    hold(done.returncode != 0, "everybody can read the key")


def under_the_unit(scene):
    """With no more capabilities than the unit leaves, and no new privileges."""
    root_only()
    if not shutil.which("setpriv"):
        raise scenes.Skip("needs setpriv")
    with open(UNIT) as f:
        caps = re.search(r"^CapabilityBoundingSet=(.*)$", f.read(), re.M).group(1).lower().replace("cap_", "+").split()
    prefix = ["setpriv", "--bounding-set", ",".join(["-all", *caps]), "--no-new-privs"]
    _, (key, _, _) = thrice(scene, ["--key-group", "daemon", "--key-mode", "0440"], prefix=prefix)
    hold(key == (0, grp.getgrnam("daemon").gr_gid, "0o440"), str(key))


def calls_allowed():
    """The system calls of the unit, as systemd-analyze spells its sets out."""
    sets, allowed = {}, set()

    def members(name):
        if not name.startswith("@"):
            return {name}
        if name not in sets:
            said = subprocess.run(["systemd-analyze", "syscall-filter", name], capture_output=True, text=True).stdout
            sets[name] = {word for line in said.splitlines()[1:] for word in [line.strip()] if word and word[0] != "#"}
        return set().union(*(members(one) for one in sets[name]))

    with open(UNIT) as f:
        for line in f:
            words = line.strip().partition("SystemCallFilter=")[2].split()
            which = set().union(*(members(word.lstrip("~")) for word in words))
            allowed = allowed - which if words and words[0][0] == "~" else allowed | which
    return allowed


def calls_of_the_unit(scene):
    """A run with all that asks for rights makes no system call that the unit forbids."""
    root_only()
    if not (shutil.which("strace") and shutil.which("systemd-analyze")):
        raise scenes.Skip("needs strace and systemd-analyze")
    client = scene.client(quiet(scene))
    trace = os.path.join(scene.folder, "trace")
    run = client.issue(*NAMES, force=True, options=["--key-group", "daemon", "--deploy-hook", put_hook(scene)],
                       prefix=["strace", "-f", "-qq", "-o", trace])
    hold(run.code == NEW, run.tail())
    with open(trace) as f:
        made = set(re.findall(r"^\d+ +(\w+)\(", f.read(), re.M))
    hold({"execve", "fchown", "socketpair"} <= made, str(made))
    forbidden = sorted(made - calls_allowed())
    hold(not forbidden, f"forbidden by the unit: {forbidden}")


def by_another_user(scene):
    """The run gives up root; the hook has what whoever started it has. What lies in that user's folder names no hook for root."""
    root_only()
    pebble = quiet(scene)
    for folder in (scene.stage.folder, scene.folder):
        os.chmod(folder, 0o755)
    client = scene.client(pebble)
    client.state = os.path.join(scene.folder, "nobodys")
    hook = put_hook(scene)
    options = ["--user", "nobody", "--deploy-hook", hook]
    run = client.issue(*NAMES, options=options)
    hold(run.code == NEW and "renew needs it again" in run.err, run.tail())
    hold(len(log_of(scene)) == 2 and " issued 0 " in log_of(scene)[0], str(log_of(scene)))
    run = client.run("renew", NAME, force=True)
    hold(run.code == CONFIG and "root runs nothing" in run.err and len(log_of(scene)) == 2, run.tail())
    run = client.run("renew", NAME, force=True, options=["--deploy-hook", hook])
    hold(run.code == NEW and len(log_of(scene)) == 4, run.tail())


def failing(scene):
    """The new pair is in use whatever the hook does; it is run again, and costs no order."""
    pebble = quiet(scene)
    client = scene.client(pebble)
    hook = put_hook(scene, 'test -e "${0%/*}/well" || exit 3')
    run = client.issue(*NAMES, force=True, options=["--deploy-hook", hook])
    hold(run.code == FAILED and "exit status 3" in run.err.splitlines()[-1], run.tail())
    fault = client.fault(NAMES, pebble.roots())
    hold(not fault, fault)
    with open(client.path("", f".{NAME}.renew")) as f:
        text = f.read()
    hold(re.search(r"deploy-failures 1", text), text)
    status = client.run("status")
    hold(status.code == FAILED and "deploy" in status.out, status.tail())
    run = client.issue(*NAMES)
    hold(len(log_of(scene)) == 1, f"not before its time: {run.tail()}")
    open(os.path.join(scene.folder, "well"), "w").close()
    with open(client.path("", f".{NAME}.renew"), "w") as f:
        f.write(re.sub(r"deploy-next \d+", "deploy-next 1", text))  # a minute later
    run = client.issue(*NAMES, options=["--deploy-hook", hook])
    log = log_of(scene)
    hold(run.code == DUE_NOT and len(log) == 3 and log[-1] == "end", f"{run.tail()} {log}")
    hold(log[0].split(" pid ")[0] == log[1].split(" pid ")[0], "another certificate")
    hold(client.run("status").code == 0, client.run("status").tail())


def stopped_by(number, code):
    def scene_of_it(scene):
        """While the hook is under way; it ends with the run, and the next run begins it anew."""
        pebble = quiet(scene)
        client = scene.client(pebble)
        hook = put_hook(scene, 'test -e "${0%/*}/well" || tail -f /dev/null')
        run = subprocess.Popen(client.command("issue", *NAMES, force=True, options=["--deploy-hook", hook]),
                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        end = time.monotonic() + 60
        while not log_of(scene) and time.monotonic() < end:
            time.sleep(0.05)  # lint: polls
        hold(log_of(scene), "the hook is not begun")
        pid = int(log_of(scene)[0].rsplit(" ", 1)[1])
        run.send_signal(number)
        err = run.communicate(timeout=60)[1]
        hold(run.returncode == code, f"exit {run.returncode}: {err}")
        end = time.monotonic() + 60
        while os.path.exists(f"/proc/{pid}") and time.monotonic() < end:
            time.sleep(0.05)  # lint: polls
        hold(not os.path.exists(f"/proc/{pid}"), "the hook has outlived the run")
        open(os.path.join(scene.folder, "well"), "w").close()
        again = client.issue(*NAMES, options=["--deploy-hook", hook])
        log = log_of(scene)
        hold(again.code == DUE_NOT and len(log) == 3 and log[-1] == "end", f"{again.tail()} {log}")
    return scene_of_it


def by_the_daemon(scene):
    """It runs the hook as well, and what was stopped is taken up by whoever comes next."""
    client = scene.client(quiet(scene))
    client.forget()
    config = os.path.join(scene.folder, "conf")
    with open(config, "w") as f:
        f.write(f"names = {' '.join(NAMES)}\ndeploy_hook = {put_hook(scene, 'tail -f /dev/null')}\n")
    run = subprocess.Popen(client.command("daemon", options=["-c", config]), stdout=subprocess.DEVNULL,
                           stderr=subprocess.PIPE, text=True)
    end = time.monotonic() + 60
    while not log_of(scene) and time.monotonic() < end:
        time.sleep(0.05)  # lint: polls
    run.terminate()
    err = run.communicate(timeout=60)[1]
    hold(len(log_of(scene)) == 1 and " issued " in log_of(scene)[0], f"{log_of(scene)} {err}")
    hold(run.returncode == 0, f"exit {run.returncode}: {err}")
    pid = log_of(scene)[0].rsplit(" ", 1)[1]
    hold(not os.path.exists(f"/proc/{pid}"), "the hook has outlived the daemon")
    put_hook(scene)
    again = client.run("renew", options=["-c", config])
    hold(again.code == DUE_NOT and log_of(scene)[-1] == "end", f"{again.tail()} {log_of(scene)}")


def bad_input(scene):
    hook = put_hook(scene)
    shut = put_hook(scene, name="shut")
    os.chmod(shut, 0o644)
    for options, words in [
            (["--deploy-hook", "/no/such/hook"], "no such file"),
            (["--deploy-hook", "systemctl reload nginx"], "not an absolute path"),
            (["--deploy-hook", "/bin/systemctl reload nginx"], "no such file"),
            (["--deploy-hook", scene.folder], "not a file"),
            (["--deploy-hook", shut], "not executable"),
            (["--key-group", "no-such-group"], "no such group"),
            (["--key-group", ""], "needs a value"),
            (["--key-mode", "0644"], "is not 0400, 0440, 0600 or 0640"),
            (["--key-mode", "640x"], "is not"),
            (["--key-mode", "00640"], "is not"),
            (["--key-mode", "rw-r-----"], "is not")]:
        scene.refused(scene.client().issue(*NAMES, force=True, options=options), USAGE, words)
    config = os.path.join(scene.folder, "conf")
    with open(config, "w") as f:
        f.write(f"names = {NAME}\nkey_group = no-such-group\ndeploy_hook = {hook}\n")
    scene.refused(scene.client().run("issue", options=["-c", config]), CONFIG, "no such group")
    hold(not log_of(scene), "a hook was run")


def chown_refused(scene):
    """Known before the CA is asked for anything."""
    root_only()
    if not shutil.which("setpriv"):
        raise scenes.Skip("needs setpriv")
    key = scene.client().path(NAME, "privkey.pem")
    for options in (["--key-group", "daemon"], []):
        run = scene.client().issue(*NAMES, force=True, options=["-v", *options],
                                   prefix=["setpriv", "--bounding-set", "-chown"])
        os.chown(key, 0, 0)
        os.chmod(key, 0o600)
        scene.refused(run, FAILED, "CAP_CHOWN")
        hold("newOrder" not in run.out and "connected" not in run.out, run.out)
        os.chown(key, 0, grp.getgrnam("daemon").gr_gid)  # by hand, for the second
        os.chmod(key, 0o640)


if __name__ == "__main__":
    scenes.play([
        ("a first pair and three renewals: the hook runs once for each", plain),
        ("with --key-group a server's own user reads each of them", with_group),
        ("all that works with the capabilities of the unit", under_the_unit),
        ("and with its system calls", calls_of_the_unit),
        ("with --user the hook keeps the rights of who started it", by_another_user),
        ("a hook that fails: the pair is in use, the hook is run again, no order is made", failing),
        ("killed while the hook runs", stopped_by(signal.SIGKILL, -signal.SIGKILL)),
        ("stopped while the hook runs", stopped_by(signal.SIGTERM, FAILED)),
        ("the daemon runs it, and stops it", by_the_daemon),
        ("what cannot be a hook, a group or a mode is refused before anybody is asked", bad_input),
        ("so are rights that cannot be given", chown_refused),
    ])
