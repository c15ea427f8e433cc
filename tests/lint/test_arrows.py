#!/usr/bin/env python3
"""Include directions: a room includes itself and the rooms to the right of it, as core/DESIGN.md draws them."""

import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import tap

# What each room may include beside itself and the public headers (acme*.h at core's root).
SIGNING = ["secure/key.h", "secure/digest.h", "secure/hmac.h", "secure/wipe.h"]
MAY = {
    "": ["lifecycle/", "protocol/", "jose/", "x509/", "wire/", "secure/"],  # acme.c, acme.h
    "lifecycle": ["protocol/", "jose/", "x509/", "wire/", *SIGNING],
    "protocol": ["jose/", "x509/", "wire/", *SIGNING],
    "jose": ["wire/", *SIGNING],
    "x509": ["wire/", *SIGNING],
    "dns": ["protocol/challenge_dns01.h", "protocol/challenge_dnsaccount01.h", "wire/", "secure/digest.h", "secure/hmac.h"],  # as roots: only who updates a zone has it
    "roots": ["secure/", "wire/"],  # nobody below or beside: firmware with a table of its own links nothing of it
    "secure": ["wire/"],
    "wire": [],
}
# The one answer of the protocol that is a TLS handshake: its solver holds visits and their key.
MORE = {"core/protocol/challenge_tlsalpn01.h": ["secure/visit.h", "secure/key_p256.h"]}
ONLY = {"bearssl": ("core/secure/", "core/roots/"), "jsmn.h": ("core/wire/json.c",)}  # library header: the only place in core for it
STANDARD = {"stdint.h", "stddef.h", "stdbool.h", "string.h", "limits.h", "assert.h"}  # no stdio, stdlib, time, errno
# BearSSL's private members: the one place that looks at them checks that they are what they were.
PRIVATE = re.compile(r"\b(ix[abc]|ox[abc]|ibuf|obuf|hbuf|hlen|num_certs|shutdown_recv|ecdhe_key|saved_dn_hash|inner->err)\b")
INSIDE = "core/secure/inside.h"
ROOT = re.compile(r"^acme\w*\.h$")
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.M)


def core_file(folder, path, text):
    """What is wrong with the includes of one file of core."""
    room = os.path.relpath(folder, "core").replace(".", "")
    for member in PRIVATE.findall(text) if path != INSIDE else []:
        yield f"{path}: BearSSL's {member} belongs in {INSIDE}"
    for bracket, name in INCLUDE.findall(text):
        if bracket == "<":
            place = next((p for library, p in ONLY.items() if name.startswith(library)), None)
            if place and path.startswith(place) or name in STANDARD:
                continue
            yield f"{path}: <{name}> {'belongs in ' + place[0] if place else 'is not for core'}"
            continue
        target = os.path.relpath(os.path.normpath(os.path.join(folder, name)), "core")
        if ROOT.match(target) or os.path.dirname(target) == room or any(target.startswith(m) for m in MAY[room] + MORE.get(path, [])):
            continue
        yield f"{path}: {room or 'root'} must not include {target}"


def port_file(folder, path, text, program):
    """A port sees core's public headers, its own folder and its stack; the gateway program also sees the rooms whose
    structs the caller has to provide."""
    for bracket, name in INCLUDE.findall(text):
        if bracket == "<" and not name.startswith("acme"):
            if name == "jsmn.h":
                yield f"{path}: <{name}> is core's own affair"
            continue
        if name.startswith("lwip/") and folder == "port/lwip":
            continue
        beside = os.path.normpath(os.path.join(folder, name))
        inside = os.path.relpath(beside, "core") if beside.startswith("core/") else name
        if os.path.exists(beside) and not beside.startswith("core/"):
            continue
        if ROOT.match(inside) and (program or inside in ("acme_port.h", "acme_config.h", "acme_error.h", "acme.h")):
            continue
        if program and inside.startswith(("secure/", "roots/", "protocol/challenge_", "dns/", "x509/", "wire/", "lifecycle/plan.h")):
            continue
        yield f"{path}: a port must not include {name}"


def faults(tree):
    """`tree` maps paths to texts."""
    for path, text in sorted(tree.items()):
        folder = os.path.dirname(path)
        if path.startswith("core/"):
            yield from core_file(folder, path, text)
        elif path.startswith(("port/posix/", "port/lwip/", "port/flash/")):
            yield from port_file(folder, path, text, folder.startswith("port/posix") and not os.path.basename(path).startswith("posix_"))


def read_tree():
    tree = {}
    for top in ("core", "port"):
        for folder, _, files in os.walk(top):
            for name in files:
                if name.endswith((".c", ".h")):
                    path = os.path.join(folder, name)
                    tree[path] = open(path, encoding="utf-8").read()
    return tree


found = list(faults(read_tree()))
tap.note("\n".join(found))
tap.ok(not found, "includes go from left to right", f"{len(found)} do not")

# The check itself: each of these must be found.
for path, line in {
    "core/wire/http.c": '#include "../protocol/flow.h"',
    "core/jose/jws.c": '#include "../x509/der.h"',
    "core/protocol/flow.c": '#include "../secure/tls.h"',
    "core/protocol/poll.c": '#include <bearssl.h>',
    "core/acme.c": '#include <bearssl.h>',
    "core/wire/url.c": '#include <jsmn.h>',
    "core/wire/out.c": '#include <stdio.h>',
    "core/secure/tls.c": '#include "../jose/jws.h"',
    "core/secure/plain.c": 'if (eng->ixa == 0) {',
    "core/secure/channel.c": '#include "../roots/roots.h"',
    "core/x509/csr.c": '#include "../secure/tls.h"',
    "port/posix/posix_net.c": '#include "protocol/flow.h"',
}.items():
    tap.ok(list(faults({path: line + "\n"})), f"would see {line} in {path}")
tap.ok(not list(faults({"core/jose/jws.c": '#include "../secure/key.h"\n#include "../wire/out.h"\n'})),
       "lets jose sign and write")
tap.end()
