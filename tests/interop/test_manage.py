#!/usr/bin/env python3
"""What is done beside issuing, with Pebble and with Boulder as of 2016: a certificate revoked, the account's key changed, also
when the program is killed on the way or an answer is lost, and the account ended."""

import json
import os
import signal
import ssl
import subprocess
import sys
import time
import urllib.request

sys.path[:0] = [os.path.dirname(os.path.abspath(__file__)), os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")]
import servers
import tap
from client import FAILED, NEW, PROGRAM, USAGE, Client
from managed16 import Managed

NAME = "one.example.test"
KILLS = 12
folder = servers.workdir()
authority = servers.Authority(folder)
UNSTEADY = {"PEBBLE_WFE_NONCEREJECT": "30"}


def status(pebble, client):
    """What Pebble thinks of the certificate in use."""
    serial = servers.openssl("x509", "-in", client.path(NAME, "fullchain.pem"), "-noout", "-serial").strip().split("=")[1]
    context = ssl.create_default_context(cafile=pebble.ca_file)
    url = f"https://localhost:{pebble.management}/cert-status-by-serial/{serial.lower().lstrip('0')}"
    answer = json.loads(urllib.request.urlopen(url, context=context).read())
    return answer["Status"], answer.get("Reason")


def public(client, name="account.pem"):
    return servers.openssl("pkey", "-in", os.path.join(client.state, name), "-pubout")


def has_next(client):
    return os.path.exists(os.path.join(client.state, "account-next.pem"))


def revoke(pebble, client):
    run = client.run("revoke", "two.example.test")
    tap.ok(run.code == FAILED and "no certificate in use" in run.err, "a name without a certificate is refused", run.tail())
    tap.ok(status(pebble, client)[0] == "Valid", "the certificate is valid before")
    run = client.run("revoke", NAME, options=["--reason", "7"])
    tap.ok(run.code == USAGE and status(pebble, client)[0] == "Valid", "no reason is taken that there is not", run.tail())
    run = client.run("revoke", NAME, json=True, options=["--reason", "4"])
    tap.ok(run.code == NEW and run.events()[-1]["result"] == "done", "revoked", run.tail())
    tap.ok(status(pebble, client) == ("Revoked", 4), "so says Pebble, and why", status(pebble, client))
    run = client.run("revoke", NAME)
    tap.ok(run.code == NEW and not run.err and "revoked" in run.out, "once more is no error, and nothing is said of one",
           run.err or run.tail())
    run = client.issue(NAME, force=True)
    tap.ok(run.code == NEW and status(pebble, client)[0] == "Valid", "a new one is issued", run.tail())


def change_key(pebble, client):
    old = public(client)
    run = client.run("change-key")
    new = public(client)
    tap.ok(run.code == NEW and new != old and not has_next(client), "the account has another key", run.tail())
    run = client.issue(NAME, force=True)
    tap.ok(run.code == NEW and pebble.accounts() == 1, "it is still the same account", run.tail())
    text = servers.openssl("pkey", "-in", os.path.join(client.state, "account.pem"), "-noout", "-text")
    tap.ok("prime256v1" in text and os.stat(os.path.join(client.state, "account.pem")).st_mode & 0o77 == 0,
           "P-256, and for nobody else to read")


def killed(pebble, client):
    """Each time a little later; then either the old key works, or the new one."""
    begun = time.monotonic()
    tap.ok(client.run("change-key").code == NEW, "the key is changed once more")
    took_s, changed, bad = time.monotonic() - begun, 0, ""
    for i in range(KILLS):
        before = public(client)
        process = subprocess.Popen([*servers.LEASH, *client.command("change-key")], stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            process.wait(took_s * (i + 1) / KILLS)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
        process.wait()
        run = client.issue(NAME, force=True)
        changed += public(client) != before
        bad = bad or (run.code != NEW and run.tail()) or (pebble.accounts() != 1 and "a second account")
    tap.ok(not bad, f"killed {KILLS} times on the way, a key that works is left ({changed} times the new one)", bad)
    run = client.run("change-key")
    tap.ok(run.code == NEW and not has_next(client), "and a change comes to its end", run.tail())


def update(pebble, client):
    """Contacts: at once, or with the next certificate; once. Pebble tells who looks for the account which it has."""
    here = ["--contact", "mailto:a@example.test"]
    run = client.run("account", "update", options=here)
    tap.ok(run.code == NEW and "mailto:a@example.test" in run.out, "the account has a contact", run.tail())
    url = client.run("account").out
    tap.ok("/my-account/" in url and "key thumbprint" in url, "the account is shown", url)
    os.unlink(os.path.join(client.state, "account"))
    for contact, asked in [(here, 0), (["--contact", "b@example.test"], 1), (["--contact", "b@example.test"], 0)]:
        since = pebble.mark()
        run = client.issue(NAME, force=True, options=contact)
        told = sum("/my-account/" in path for _, path in pebble.requests(since))
        steady = told == asked or (told > asked > 0 and pebble.rejects)  # a nonce may be refused, and it is told again
        tap.ok(run.code == NEW and steady, f"{contact[1]} is told {asked} times", run.tail() + f" {told}")
    run = client.run("account", "update", options=["--contact", "fax:1"])
    tap.ok(run.code == FAILED and "mailto:" in run.err, "a contact the CA does not take is told", run.tail())


def deactivate(pebble, client):
    run = client.run("deactivate")
    tap.ok(run.code == USAGE and "--yes" in run.err, "not by accident", run.tail())
    key = public(client)
    run = client.run("deactivate", options=["--yes"])
    tap.ok(run.code == NEW and public(client) == key, "the account is ended, its key is kept", run.tail())
    tap.ok(not os.path.exists(os.path.join(client.state, "account")), "what was known of it is forgotten")
    run = client.issue(NAME, force=True, json=True)
    tap.ok(run.code == FAILED and run.events()[-1]["error"] == "ACME_E_ACCOUNT", "a later run is told so", run.tail())
    run = client.run("change-key", json=True)
    tap.ok(run.code == FAILED and run.events()[-1]["error"] == "ACME_E_ACCOUNT", "and any other verb", run.tail())
    run = client.run("deactivate", options=["--yes"])
    tap.ok(run.code == NEW and not run.err and "deactivated" in run.out, "what has ended need not be ended", run.tail())


def play(name, **how):
    pebble = servers.Pebble(os.path.join(folder, name), authority, **how)
    client = Client(os.path.join(folder, name, "client"), pebble)
    run = client.run("change-key")
    tap.ok(run.code == FAILED and "no account key here" in run.err and pebble.accounts() == 0, f"{name}: no account is made",
           run.tail())
    run = client.issue(NAME)
    tap.ok(run.code == NEW, f"{name}: a certificate", run.tail())
    for part in (revoke, change_key, update, killed, deactivate):
        part(pebble, client)
    pebble.stop()


class Plain(Client):
    def command(self, verb, *names, force=False, json=False, options=()):
        return [PROGRAM, "--directory", self.directory, "--state", self.state, "--http-port", str(self.server.http_port),
                "--accept-terms", *(["--force"] if force else []), *(["--json"] if json else []), *options, verb, *names]


def play_2016():
    boulder = Managed(os.path.join(folder, "2016"))
    client = Plain(os.path.join(folder, "2016", "client"), boulder)
    run = client.run("change-key")
    tap.ok(run.code == FAILED and not boulder.accounts, "2016: no account is made", run.tail())
    run = client.issue(NAME)
    tap.ok(run.code == NEW, "2016: a certificate", run.tail())
    boulder.lose = "/acme/revoke-cert"
    run = client.run("revoke", NAME, options=["--reason=1"])
    tap.ok(run.code == NEW and boulder.revoked == [(boulder.certificates[0], 1)] and boulder.lost.is_set(),
           "2016: revoked, though the answer was lost", run.tail())
    said = run.err
    run = client.run("revoke", NAME)
    tap.ok(run.code == NEW and "revoked" in run.out, "2016: once more is no error", run.tail())
    said += run.err
    old = public(client)
    boulder.lose = "/acme/key-change"
    run = client.run("change-key")
    said += run.err
    tap.ok(run.code == NEW and boulder.changes == 1 and public(client) != old and not has_next(client),
           "2016: the account has another key, though the answer was lost", run.tail())
    run = client.issue(NAME, force=True)
    tap.ok(run.code == NEW and len(boulder.accounts) == 1, "2016: it is still the same account", run.tail())
    boulder.lose = "/acme/reg/1"
    run = client.run("deactivate", options=["--yes"])
    tap.ok(run.code == NEW and len(boulder.ended) == 1, "2016: the account is ended, though the answer was lost", run.tail())
    said += run.err
    tap.ok("urn:acme" not in said, "2016: the look-up by key is told as no error", said)
    run = client.issue(NAME, force=True, json=True)
    tap.ok(run.code == FAILED and run.events()[-1]["error"] == "ACME_E_ACCOUNT", "2016: a later run is told so", run.tail())
    boulder.stop()


def main():
    play_2016()
    play("strict", arguments=["-strict"])
    play("nonces rejected", env=UNSTEADY)


servers.play(main, "the servers work")
