#!/usr/bin/env python3
"""External accounts: both Pebbles want a binding, and refuse many nonces. The secret comes in each form that CAs give it in, is in no
output, and is not needed again. step-ca and OpenBao: test_matrix.py."""

import base64
import os
import secrets
import sys

sys.path[:0] = [os.path.dirname(os.path.abspath(__file__)), os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")]
import servers
import tap
from client import CONFIG, FAILED, NEW, USAGE, Client

NAME = "one.example.test"
folder = servers.workdir()
authority = servers.Authority(folder)

# Form of the file, and how long the key is: ZeroSSL's have 64 bytes; those beyond SHA-256's block are hashed first.
FORMS = {"padded base64url": (32, lambda key: base64.urlsafe_b64encode(key).decode()),
         "86 characters, with a line end": (64, lambda key: base64.urlsafe_b64encode(key).decode().rstrip("=") + "\r\n"),
         "base64, over the block": (65, lambda key: base64.b64encode(key).decode() + "\n"),
         "hexadecimal": (96, lambda key: "hex:" + key.hex() + "\n")}


def put(name, text, mode=0o600):
    path = os.path.join(folder, name)
    with open(path, "w", newline="") as f:
        f.write(text)
    os.chmod(path, mode)
    return path


def binding(kid, path):
    return ["--eab-kid", kid, "--eab-key-file", path]


def asked(pebble, since=0):
    return sum("account" in path and "new" in path or path == "/sign-me-up" for _, path in pebble.requests(since))


def with_pebble(what, binary, forms):
    keys = {f"kid-{i}": (form, secrets.token_bytes(length))
            for i, (form, (length, _)) in enumerate(FORMS.items()) if i in forms}
    config = {"externalAccountBindingRequired": True,
              "externalAccountMACKeys": {kid: base64.urlsafe_b64encode(key).decode().rstrip("=") for kid, (_, key) in keys.items()}}
    place = os.path.join(folder, what.split()[0])
    pebble = servers.Pebble(place, authority, binary=binary, config=config, env={"PEBBLE_WFE_NONCEREJECT": "30"})
    client = Client(os.path.join(place, "client"), pebble)

    run = client.issue(NAME)
    tap.ok(run.code == FAILED and "--eab-kid ID" in run.err and asked(pebble) == 0,
           f"{what}: without a binding nothing is asked, and it is said what to get", run.tail())
    wrong = put("wrong", "c2VjcmV0LXNlY3JldC1zZWNyZXQ")
    run = client.issue(NAME, options=binding(min(keys), wrong))
    tap.ok(run.code == FAILED and "refused the external account binding" in run.err and min(keys) in run.err and wrong in run.err,
           f"{what}: a wrong secret is told", run.tail())
    run = client.issue(NAME, options=binding("nobody", wrong))
    tap.ok(run.code == FAILED and "refused the external account binding" in run.err and pebble.accounts() == 0,
           f"{what}: so is a key id nobody has given", run.tail())
    tap.ok("c2VjcmV0" not in run.out + run.err, f"{what}: the secret is in no words")
    for kid, (form, key) in keys.items():
        client = Client(os.path.join(place, kid), pebble)
        path = put(kid, FORMS[form][1](key), 0o640)
        run = client.issue(NAME, options=binding(kid, path))
        fault = client.fault([NAME], pebble.roots()) if run.code == NEW else run.tail()
        tap.ok(run.code == NEW and not fault, f"{what}: {form}: issued", fault)
    accounts = pebble.accounts()
    os.unlink(path)
    run = client.run("renew", NAME, force=True)
    tap.ok(run.code == NEW, f"{what}: renewed as it was issued, without the secret", run.tail())
    os.unlink(os.path.join(client.state, "account"))
    run = client.issue(NAME, force=True, options=["-v"])
    tap.ok(run.code == NEW and pebble.accounts() == accounts, f"{what}: the lost account is found by its key, without a binding",
           run.tail())
    pebble.stop()


def before_anything_is_asked():
    """What is wrong with the flags or the file is told with an exit code of its own, and nothing is asked or made."""
    class Nobody:
        directory, ca_file, http_port = "https://localhost:1/dir", authority.root, servers.free_port()
    client = Client(os.path.join(folder, "nobody"), Nobody)
    good = put("good", "AAAA")
    for what, options, words in [
            ("no file", ["--eab-kid", "x"], "eab_key_file"),
            ("no id", ["--eab-key-file", good], "eab_kid"),
            ("a file that is not there", binding("x", folder + "/none"), "No such file"),
            ("a file others may read", binding("x", put("open", "AAAA", 0o644)), "chmod 600"),
            ("both alphabets", binding("x", put("both", "+_AA")), "both alphabets"),
            ("hexadecimal without the word", binding("x", put("hexa", "ab:cd:ef")), "hex:"),
            ("a blank within", binding("x", put("blank", "AAAA AAAA")), "blank"),
            ("an empty file", binding("x", put("empty", "\n")), "no key"),
            ("a folder", binding("x", folder), "directory"),
            ("a control character in the id", binding("x\n", good), "eab_kid"),
            ("a trial, which would spend it", ["--dry-run", *binding("x", good)], "nothing was tried")]:
        run = client.issue(NAME, options=options)
        tap.ok(run.code == USAGE and words in run.err and not os.path.exists(client.state), what, run.tail())
    config = put("config", f"eab_kid = x\neab_key_file = {folder}/none\n")
    run = client.issue(NAME, options=["-c", config])
    tap.ok(run.code == CONFIG and "No such file" in run.err, "in a config file", run.tail())


before_anything_is_asked()
with_pebble("Pebble", "pebble", (0, 1))
if os.access(servers.NEWEST_PEBBLE, os.X_OK):
    with_pebble("newest Pebble", servers.NEWEST_PEBBLE, (2, 3))
else:
    tap.skip("newest Pebble", "it takes Go 1.24 to build")
tap.end()
