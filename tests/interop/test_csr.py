#!/usr/bin/env python3
"""Certificates for requests that were made elsewhere (--csr): keys of any kind, none of them ever here; and requests that are refused."""

import os
import sys

sys.path[:0] = [os.path.dirname(os.path.abspath(__file__)), os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")]
import servers
import tap
from client import DUE_NOT, NEW, USAGE, Client

folder = servers.workdir()
authority = servers.Authority(os.path.join(folder, "authority"))
pebble = servers.Pebble(os.path.join(folder, "pebble"), authority, env={"PEBBLE_VA_ALWAYS_VALID": "1"})
client = Client(folder, pebble)
KINDS = {"p256": servers.P256, "p384": ("ec", "-pkeyopt", "ec_paramgen_curve:P-384"),
         "rsa": ("rsa:2048",)}


def request(name, kind, names, *more, form="PEM"):
    """Files of a request and of its key."""
    csr, key = os.path.join(folder, f"{name}.csr"), os.path.join(folder, f"{name}.key")
    san = ["-addext", "subjectAltName=" + ",".join(names)] if names else []
    servers.openssl("req", "-new", "-newkey", *KINDS[kind], "-nodes", "-keyout", key, "-out", csr, "-outform", form,
                    *(more or ("-subj", "/")), *san)
    return csr, key


def fault(name, names, key):
    """What is wrong with what was left behind; "" when all is well."""
    chain, private = client.path(name, "fullchain.pem"), client.path(name, "privkey.pem")
    if os.path.exists(private):
        return "there is a private key"
    if servers.openssl("x509", "-in", chain, "-noout", "-pubkey") != servers.openssl("pkey", "-in", key, "-pubout"):
        return "another key"
    have = servers.openssl("x509", "-in", chain, "-noout", "-ext", "subjectAltName")
    return "" if all(n.split(":")[1] in have for n in names) else have


for kind, form in [("p256", "PEM"), ("p384", "DER"), ("rsa", "PEM")]:
    host, other = f"{kind}.example.test", f"{kind}-2.example.test"
    csr, key = request(kind, kind, [f"DNS:{host}", f"DNS:{other}"], form=form)
    run = client.issue(host, other, options=["--csr", csr])
    wrong = fault(host, [f"DNS:{host}", f"DNS:{other}"], key) if run.code == NEW else ""
    tap.ok(run.code == NEW and not wrong, f"a request for {kind}, {form}", run.tail() + wrong)
    again, status = client.issue(host, other, options=["--csr", csr]), client.run("status", host)
    tap.ok(again.code == DUE_NOT and "valid" in status.out + status.err or again.code == DUE_NOT and status.code == 0,
           f"{kind}: not due then, and so says status", again.tail() + status.tail())
    run = client.run("renew", host, force=True)
    wrong = fault(host, [f"DNS:{host}"], key) if run.code == NEW else ""
    tap.ok(run.code == NEW and not wrong, f"{kind}: renewed by what is kept", run.tail() + wrong)

A = ["DNS:a.example.test"]
issued = pebble.issued()
for what, arguments, words in [
        ("for another name", ("x1", "p256", ["DNS:b.example.test"]), "other names"),
        ("for a name more", ("x2", "p256", A + ["DNS:b.example.test"]), "other names"),
        ("without names", ("x3", "p256", [], "-subj", "/CN=a.example.test"), "common name alone"),
        ("with another common name", ("x4", "p256", A, "-subj", "/CN=b.example.test"), "common name is not"),
        ("with a URI", ("x5", "p256", A + ["URI:http://a.example.test/"]), "something else")]:
    csr, _ = request(*arguments)
    run = client.issue("a.example.test", options=["--csr", csr])
    tap.ok(run.code == USAGE and words in run.err, f"a request {what} is refused", run.tail())
_, key = request("x6", "p256", A)
for what, path, words in [("a private key", key, "private key is in it"), ("no file", "/nonexistent.csr", "No such file"),
                          ("a certificate", authority.root, "not a certificate request"), ("a folder", folder, "directory")]:
    run = client.issue("a.example.test", options=["--csr", path])
    tap.ok(run.code == USAGE and words in run.err, f"{what} is refused", run.tail())
run = client.issue("a.example.test", options=["--csr", request("x8", "p256", A)[0], "--key", "pkcs11:token=t;object=o?module-path=/usr/bin/true"])
tap.ok(run.code == USAGE and "cannot be given both" in run.err, "a request and a key of its own is refused", run.tail())
run = client.issue("a.example.test")
csr, _ = request("x7", "p256", A)
again = client.issue("a.example.test", force=True, options=["--csr", csr])
tap.ok(run.code == NEW and again.code == USAGE and "nanoacme remove" in again.err and pebble.issued() == issued + 1,
       "where a key of ours is in use, nothing is asked for", again.tail())
tap.end()
