#!/usr/bin/env python3
"""The config examples: each is read, as it is and with each line that is commented out; `check` finds nothing wrong in it; and it is
played as it is, but for where the CA is, with that CA or one that stands in for it."""

import base64
import concurrent.futures
import glob
import os
import pwd
import re
import secrets
import subprocess
import sys

sys.path[:0] = [os.path.dirname(os.path.abspath(__file__)), os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")]
import servers
import tap
from client import DUE_NOT, NEW, PROGRAM, Client

EXAMPLES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "port/posix/examples")
ME = pwd.getpwuid(os.geteuid()).pw_name
folder = servers.workdir()
authority = servers.Authority(folder)
key = secrets.token_bytes(32)
key_file = os.path.join(folder, "eab")
with open(os.open(key_file, os.O_CREAT | os.O_WRONLY, 0o600), "w") as f:
    f.write(base64.urlsafe_b64encode(key).decode())
tsig = os.path.join(folder, "tsig")
with open(os.open(tsig, os.O_CREAT | os.O_WRONLY, 0o600), "w") as f:
    f.write("device:" + base64.b64encode(key).decode() + "\n")
hook = os.path.join(folder, "hook")
with open(hook, "w") as f:
    f.write("#!/bin/sh\n")
os.chmod(hook, 0o755)


def text_of(name):
    with open(os.path.join(EXAMPLES, name), encoding="utf-8") as f:
        return f.read()


def values(text, key):
    return [word for line in re.findall(rf"^{key} = (.*)$", text, re.M) for word in line.split()]


def written(name, text):
    path = os.path.join(folder, name)
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    return path


def here(text):
    """The same where files that only a reader has are ours, and so is the folder a web server would serve."""
    for wanted, path in (("tsig_key", tsig), ("eab_key_file", key_file), ("deploy_hook", hook), ("webroot", folder), ("ca_file", authority.root)):
        text = re.sub(rf"^(#?{wanted} = ).*$", rf"\g<1>{path}", text, flags=re.M)
    return text


def variants(text):
    """It, and each line that is commented out in the place of the one it may stand beside, and all that go with that."""
    yield "as it is", text
    for line in re.findall(r"^#(\w+ = .*)$", text, re.M):
        key_of = line.split()[0]
        mine = re.sub(rf"^{key_of} = .*$", "", text, flags=re.M)
        more = {"eab_kid": f"eab_key_file = {key_file}", "eab_key_file": "eab_kid = id", "dns_server": f"tsig_key = {tsig}",
                "tsig_key": "dns_server = ns1.example.org", "challenge": f"dns_server = ns1.example.org\ntsig_key = {tsig}"}.get(key_of, "")
        yield line, f"{mine}\n{line}\n{more}\n"


# --- each is read, and nothing is wrong with it

names = sorted(os.path.basename(path) for path in glob.glob(os.path.join(EXAMPLES, "*.conf")))
tap.ok(names == ["external-account.conf", "letsencrypt.conf", "openbao.conf", "step-ca.conf"], "four examples", str(names))
dead = f"https://localhost:{servers.free_port()}/dir"


class Nowhere:
    directory, ca_file, http_port = dead, authority.root, servers.free_port()


def judged(case):
    """What `check` says of the configuration, which is its first line; nothing else can be reached here."""
    number, (_, text) = case
    client = Client(os.path.join(folder, f"read{number}"), Nowhere)
    path = written(f"read{number}.conf", here(text))
    with subprocess.Popen([*servers.LEASH, PROGRAM, "-c", path, "--directory", dead, "--state", client.state, "--user", ME, "check"],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as check:
        line = check.stdout.readline()
        check.kill()
        return "" if line.startswith("config     ok ") else line + check.stderr.read()


pool = concurrent.futures.ThreadPoolExecutor(8)
cases = [(f"{name}: {what}", text) for name in names for what, text in variants(text_of(name))]
faults = dict(zip((what for what, _ in cases), pool.map(judged, enumerate(cases))))
for name in names:
    wrong = {what: fault for what, fault in faults.items() if what.startswith(name) and fault}
    tap.ok(not wrong, f"{name}: read as it is, and with each line that is commented out", str(wrong))
    text = text_of(name)
    tap.ok(all(url.startswith("https://") for url in values(text, "directory_url")) and len(text.splitlines()) < 40, f"{name}: short, and https")

# --- each is played: flags say where the CA is, and nothing else of it is changed


def play(name, server, roots, *flags):
    client = Client(os.path.join(folder, "play-" + name), server)
    plain = client.command
    client.command = lambda verb, *words, **how: [plain(verb)[0], "-c", os.path.join(EXAMPLES, name), "--user", ME, *flags,
                                                  *[w for w in plain(verb, *words, **how)[1:] if w != "--accept-terms"]]
    run = client.run("issue")
    fault = client.fault(values(text_of(name), "names"), roots) if run.code == NEW else run.tail()
    again = client.run("issue")
    return fault or ("" if again.code == DUE_NOT else again.tail())


pebble = servers.Pebble(os.path.join(folder, "pebble"), authority)
fault = play("letsencrypt.conf", pebble, pebble.roots())
tap.ok(fault == "", "letsencrypt.conf, with Pebble in its place", fault)
fault = play("openbao.conf", pebble, pebble.roots(), "--accept-terms")
tap.ok(fault == "", "openbao.conf, with Pebble in its place", fault)
tap.skip("openbao.conf with OpenBao", "it validates at port 80 only: see the matrix")
kid = values(text_of("external-account.conf"), "eab_kid")[0]
binding = servers.Pebble(os.path.join(folder, "binding"), authority, config={
    "externalAccountBindingRequired": True,
    "externalAccountMACKeys": {kid: base64.urlsafe_b64encode(key).decode().rstrip("=")}})
fault = play("external-account.conf", binding, binding.roots(), "--eab-key-file", key_file)
tap.ok(fault == "", "external-account.conf, with Pebble that wants a binding", fault)
if os.access(servers.STEP_CA, os.X_OK):
    step = servers.StepCA(os.path.join(folder, "step"))
    fault = play("step-ca.conf", step, step.roots())
    tap.ok(fault == "", "step-ca.conf, with step-ca", fault)
else:
    tap.skip("step-ca.conf, with step-ca", "no Go, or no module proxy")
tap.end()
