#!/usr/bin/env python3
"""A client whose TLS, keys and digests are Mbed TLS's (tests/mbedtls/issue.c): a certificate from Pebble, with keys in the store and
with keys that PSA keeps; nothing of BearSSL is in the program; too small an arena ends in words. And what port/mbedtls is held to
without a network: tests/mbedtls. MBEDTLS_DIR: with a version of your own; one that has TLS 1.3 issues with nothing but that, from
Caddy."""

import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..")]
import servers
import tap

OWN = os.environ.get("MBEDTLS_DIR")
BUILD = os.path.join(servers.BUILD, "own-mbedtls") if OWN else servers.BUILD
if not os.path.isdir(OWN or "build/src/mbedtls"):
    tap.skip("port/mbedtls", "no source of Mbed TLS: tests/deps.sh check")
    tap.end()
if OWN and (reason := servers.enter_namespace(["modern.example.test"])):
    tap.skip("a version of your own", reason)
    tap.end()
program = os.path.join(BUILD, "mbedtls", "issue")
made = subprocess.run(["make", "-s", "-j2", f"B={BUILD}", program], capture_output=True, text=True)
if not tap.ok(made.returncode == 0, "a client over Mbed TLS links without BearSSL", made.stderr[-500:]):
    tap.end()

symbols = re.findall(r" (\w+)$", subprocess.run(["nm", program], capture_output=True, text=True).stdout, re.M)
foreign = [s for s in symbols if re.match(r"br_|acme_tls_|acme_cert_scan|acme_ec$|mbedtls_net_", s)]
tap.ok("mbedtls_ssl_handshake_step" in symbols and not foreign, "no TLS, no X.509 and no cryptography of BearSSL is in it", foreign[:5])

# What core and this port see: with the option off no header of BearSSL is looked for.
units = re.findall(r"^ACME_(?:CORE|SECURE) \+= (\S+)$", open("core/Filelists.mk", encoding="utf-8").read(), re.M)
seen = subprocess.run(["cc", "-std=c99", "-Icore", "-DACME_CFG_BEARSSL=0", "-M", *units], capture_output=True, text=True)
tap.ok(seen.returncode == 0 and "bearssl" not in seen.stdout, "with ACME_CFG_BEARSSL 0 its headers are not looked for",
       seen.stderr[-300:])

folder = servers.workdir()
pebble = servers.Pebble(folder, servers.Authority(folder, key=servers.P256))


def issue(name, arena, keys, ca=pebble):
    state = os.path.join(folder, f"state-{name}")
    run = subprocess.run([*servers.LEASH, program, ca.directory, ca.ca_file, state, str(ca.http_port), str(arena), keys, name],
                         capture_output=True, text=True, timeout=60)
    return run, [os.path.exists(os.path.join(state, name, f)) for f in ("fullchain.pem", "privkey.pem")]


for keys in "store", "psa":
    run, there = issue(f"{keys}.example.test", 128 * 1024, keys)
    tap.ok(run.returncode == 0 and there == [True, keys == "store"], f"a certificate, with keys of {keys}",
           (run.returncode, there, run.stdout[-300:]))
    tap.note(run.stdout.strip())

run, there = issue("small.example.test", 2 * 1024, "store")
tap.ok(run.returncode == 1 and "out of memory; the arena has 2048 bytes" in run.stdout, "too small an arena is said", run.stdout[-300:])

modern = any(s.startswith("mbedtls_ssl_tls13_") for s in symbols)
if modern:
    caddy = servers.Caddy(os.path.join(folder, "caddy"), protocols="tls1.3")
    run, there = issue("modern.example.test", 128 * 1024, "store", caddy)
    tap.ok(run.returncode == 0 and all(there), "a certificate from Caddy, by TLS 1.3 only", (run.returncode, there, run.stdout[-300:]))
    tap.note(run.stdout.strip())

# Beside a server that waits: no network.
for test, more in [("keys", {}), ("transport", {}), ("refusals", {})] + [("refusals", {"TLS13": "1"})] * modern:
    program = os.path.join(BUILD, "mbedtls", test)
    made = subprocess.run(["make", "-s", "-j2", f"B={BUILD}", program], capture_output=True, text=True)
    run = subprocess.run([program], env=os.environ | more, capture_output=True, text=True) if made.returncode == 0 else made
    tap.ok(run.returncode == 0, f"tests/mbedtls: {test}{', TLS 1.3' * len(more)}", (run.stdout + run.stderr)[-500:])
    for line in re.findall(r"^# .*", run.stdout + run.stderr, re.M):
        tap.note(line[2:])
tap.end()
