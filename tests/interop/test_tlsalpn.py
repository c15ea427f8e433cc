#!/usr/bin/env python3
"""tls-alpn-01 beside what test_matrix.py has: eight names, openssl that looks as CAs do and otherwise, words."""

import os
import re
import socket
import subprocess
import sys
import threading

sys.path[:0] = [os.path.dirname(os.path.abspath(__file__)), os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")]
import servers
import tap
from client import FAILED, NEW, Client
from relay import Relay

ONE = "gateway.example.test"
EIGHT = [f"name{i}.example.test" for i in range(8)]
IDENTIFIER = "1.3.6.1.5.5.7.1.31"

folder = servers.workdir()
authority = servers.Authority(folder)

pebble = servers.Pebble(os.path.join(folder, "pebble"), authority)
client = Client(os.path.join(folder, "eight"), pebble, tls_port=pebble.tls_port)
run = client.issue(*EIGHT)
fault = client.fault(EIGHT, pebble.roots()) if run.code == NEW else run.tail()
tap.ok(not fault, "eight names at once", fault)
pebble.stop()

# --- as a validator looks, and otherwise: while the client does not hear that it has been validated

ours = servers.free_port()
to_us = Relay(ours)
held = servers.Pebble(os.path.join(folder, "held"), authority, config={"tlsPort": to_us.port})
from_ca = Relay(held.port)
GOOD = {"right": ["-alpn", "acme-tls/1", "-servername", ONE], "capitals": ["-alpn", "acme-tls/1", "-servername", ONE.upper()],
        "dot": ["-alpn", "acme-tls/1", "-servername", ONE + "."]}
BAD = {"other": (112, ["-alpn", "acme-tls/1", "-servername", "other.test"]), "nobody": (112, ["-alpn", "acme-tls/1", "-noservername"]),
       "no protocol": (40, ["-servername", ONE]), "http": (40, ["-alpn", "http/1.1", "-servername", ONE]),
       "two": (40, ["-alpn", "h2,acme-tls/1", "-servername", ONE]),
       "static RSA": (40, ["-alpn", "acme-tls/1", "-servername", ONE, "-cipher", "AES128-GCM-SHA256"])}
looks = {}


def look(options, wanted):
    """What openssl tells of a handshake. Behind some who are refused the responder is in haste, as with any crowd: again then."""
    done = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{ours}", "-tls1_2", *options], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=60)
    return done.stdout + done.stderr if wanted in done.stdout + done.stderr else None


def look_around():
    try:
        servers.until(lambda: to_us.connections, "a validator")
        from_ca.hold()
        for word, options in GOOD.items():
            looks[word] = servers.until(lambda: look(options, "END CERTIFICATE"), word)
        for word, (alert, options) in BAD.items():
            looks[word] = servers.until(lambda: look(options, f"SSL alert number {alert}"), word)
    except servers.Failed as failure:
        looks["failure"] = failure
    from_ca.go_on()


watcher = threading.Thread(target=look_around)
watcher.start()
run = Client(os.path.join(folder, "held"), held, directory=held.through(from_ca), tls_port=ours).issue(ONE)
watcher.join()
tap.ok(run.code == NEW and "failure" not in looks, "others look beside the validators", looks.get("failure", run.tail()))
for word in GOOD:
    out = looks.get(word, "")
    pem = re.search("-----BEGIN CERT.*?END CERTIFICATE-----", out, re.S)
    text = servers.openssl("x509", "-noout", "-text", "-certopt", "ext_parse", text=pem[0]) if pem else ""
    good = text.count("DNS:") == 1 and f"DNS:{ONE}" in text and f"{IDENTIFIER}: critical" in text and "Version: 3" in text
    tap.ok(good and "ALPN protocol: acme-tls/1" in out and "ECDHE-ECDSA" in out, f"openssl sees the certificate: {word}", out[-300:] + text)
    with open(os.path.join(folder, "seen.pem"), "w") as f:
        f.write(pem[0] if pem else "")
    tap.ok("OK" in servers.openssl("verify", "-partial_chain", "-ignore_critical", "-CAfile", f.name, f.name), "which is signed by its own key")
for word, (alert, _) in BAD.items():
    tap.ok("BEGIN CERT" not in looks.get(word, "BEGIN CERT"), f"and an alert, {alert}, no certificate: {word}", looks.get(word))
with socket.socket() as s:
    tap.ok(s.connect_ex(("127.0.0.1", ours)) != 0, "nobody listens any more")

# --- what goes wrong, in words

with socket.create_server(("127.0.0.1", 0)) as taken:
    client = Client(os.path.join(folder, "taken"), held, tls_port=taken.getsockname()[1])
    run = client.issue(ONE)
    tap.ok(run.code == FAILED and "in use" in run.err + run.out and "acme-tls/1" in run.err + run.out, "the port is taken", run.tail())
    for i, more in enumerate((["--http-port", str(held.http_port)], ["--webroot", folder])):
        beside = Client(os.path.join(folder, f"taken{i}"), held, tls_port=taken.getsockname()[1])
        run = beside.issue(ONE, options=["--challenge", "tls-alpn-01,http-01", *more])
        told = run.err.splitlines()[-1]
        tap.ok(run.code == FAILED and f"port {taken.getsockname()[1]}: cannot listen" in told and "in use" in told and "acme-tls/1" in told,
               f"the port is taken, and http-01 beside it by {more[0]}", told)
client = Client(os.path.join(folder, "nowhere"), held, tls_port=servers.free_port())
run = client.issue("nowhere.example.test")
tap.ok(run.code == FAILED and "port 443" in run.err + run.out and "port 80" not in run.err + run.out, "nobody passes the port on", run.tail())
tap.end()
