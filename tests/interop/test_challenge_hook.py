#!/usr/bin/env python3
"""--hook: a program of the administrator's that publishes answers, called as uacme calls its own. It writes into the DNS that Pebble
asks."""

import os
import sys

sys.path[:0] = [os.path.dirname(os.path.abspath(__file__)), os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")]
import servers
import tap
from client import FAILED, NEW, USAGE, Client

folder = servers.workdir()
authority = servers.Authority(folder)
pebble = servers.Pebble(os.path.join(folder, "pebble"), authority)
told = os.path.join(folder, "told")


def hook(name, lines):
    """A program that notes its words, then does this."""
    path = os.path.join(folder, "hook-" + name)
    with open(path, "w") as f:
        f.write(f'#!/bin/sh\necho "$*" >>{told}\n{lines}\n')
    os.chmod(path, 0o755)
    return path


def words():
    """What it was told since: the first three words of each call."""
    try:
        with open(told) as f:
            lines = [" ".join(line.split()[:3]) for line in f]
        os.remove(told)
    except FileNotFoundError:
        return []
    return lines


URL = f"http://127.0.0.1:{pebble.resolver.management}"
BY_DNS = f"""case "$1 $2" in
"begin dns-01") exec curl -sf -o /dev/null -d "{{\\"host\\":\\"_acme-challenge.$3.\\",\\"value\\":\\"$5\\"}}" {URL}/set-txt ;;
begin*) exit 1 ;;
*) exec curl -sf -o /dev/null -d "{{\\"host\\":\\"_acme-challenge.$3.\\"}}" {URL}/clear-txt ;;
esac"""
ONE = "hooked.example.test"

client = Client(os.path.join(folder, "one"), pebble)
run = client.issue(ONE, options=["--hook", hook("by-dns", BY_DNS)])
tap.ok(run.code == NEW and not client.fault([ONE], pebble.roots()), "one that declines http-01 issues by dns-01", run.tail())
seen = words()
tap.ok(seen == [f"begin http-01 {ONE}", f"begin dns-01 {ONE}", f"done dns-01 {ONE}"], "it is told what becomes of it", str(seen))

wild = Client(os.path.join(folder, "wild"), pebble)
run = wild.issue(f"*.{ONE}", options=["--hook", os.path.join(folder, "hook-by-dns"), "--challenge", "dns-01"])
names = servers.openssl("x509", "-noout", "-ext", "subjectAltName", "-in", os.path.join(wild.state, f"_.{ONE}", "fullchain.pem")) if run.code == NEW else ""
tap.ok(f"DNS:*.{ONE}" in names, "a wildcard", run.tail())
seen = words()
tap.ok(seen == [f"begin dns-01 {ONE}", f"done dns-01 {ONE}"], "whose name is told without the star", str(seen))

run = Client(os.path.join(folder, "wrong"), pebble).issue(ONE, options=["--hook", hook("nothing", "exit 0"), "--challenge", "dns-01"])
seen = words()
tap.ok(run.code == FAILED and seen == [f"begin dns-01 {ONE}", f"failed dns-01 {ONE}"], "a validation that fails is told", f"{run.tail()} {seen}")

run = Client(os.path.join(folder, "broken"), pebble).issue(ONE, options=["--hook", hook("broken", "exit 2"), "--challenge", "dns-01"])
seen = words()
tap.ok(run.code == FAILED and "exit status 2" in run.err and seen == [f"begin dns-01 {ONE}", f"failed dns-01 {ONE}"],
       "its exit status is told, and what it may have begun is taken back", f"{run.tail()} {seen}")

run = Client(os.path.join(folder, "none"), pebble).issue(ONE, options=["--hook", hook("none", "exit 1")])
seen = words()
tap.ok(run.code == FAILED and seen == [f"begin {kind} {ONE}" for kind in ("http-01", "dns-01", "tls-alpn-01")],
       "one that declines all", f"{run.tail()} {seen}")

run = Client(os.path.join(folder, "absent"), pebble).issue(ONE, options=["--hook", os.path.join(folder, "absent-hook")])
tap.ok(run.code == USAGE and "there is no such file" in run.err, "one that is not there", run.tail())

run = Client(os.path.join(folder, "address"), pebble).issue("127.0.0.1", options=["--hook", hook("only-dns", BY_DNS)])
tap.ok(run.code == FAILED and "the hook may have declined" in run.err, "it declines what an address is proved by: that is told", run.tail())
words()

orders = pebble.orders()
for more in (["--challenge", "dns-01"], ["--challenge", "dns-persist-01"]):
    run = Client(os.path.join(folder, "address2"), pebble).issue(ONE, "127.0.0.1", options=["--hook", hook("only-dns", BY_DNS), *more])
    tap.ok(run.code == USAGE and "no address is proved by the DNS" in run.err and pebble.orders() == orders and not words(),
           f"nothing is asked for an address with {more[-1]} alone", run.tail())

kept = Client(os.path.join(folder, "one"), pebble)
run = kept.run("renew", force=True)
seen = words()
tap.ok(run.code == NEW and seen[-1:] == [f"done dns-01 {ONE}"], "renew remembers it", f"{run.tail()} {seen}")
tap.end()
