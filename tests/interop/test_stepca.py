#!/usr/bin/env python3
"""step-ca: always synchronous, certificates of a day, and a failed validation stays pending until it is asked for again."""

import os
import sys

sys.path[:0] = [os.path.dirname(os.path.abspath(__file__)), os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")]
import servers
import tap
from client import DUE_NOT, FAILED, NEW, Client

NAMES = ["gateway.example.test", "second.example.test"]

if not os.access(servers.STEP_CA, os.X_OK):
    tap.skip("step-ca", "no step-ca: it takes Go 1.24 to build")
    tap.end()

folder = servers.workdir()
step_ca = servers.StepCA(folder)
client = Client(folder, step_ca)
for what, names, how in [("first run", NAMES[:1], {}), ("renewal", NAMES[:1], {"force": True}), ("two names", NAMES[::-1], {})]:
    run = client.issue(*names, **how)
    if tap.ok(run.code == NEW, f"step-ca: {what} issues", run.tail()):
        fault = client.fault(names, step_ca.roots())
        tap.ok(not fault, f"step-ca: {what}: chain, key and names are right", fault)
tap.ok(client.issue(*NAMES[:1]).code == DUE_NOT, "step-ca: a certificate of a day is not due at once")

step_ca.http_port = servers.free_port()  # where nobody looks
run = client.issue(*NAMES[:1], force=True, json=True)
tap.ok(run.code == FAILED, "step-ca: a validation that cannot succeed ends", run.tail())
answered = [e for e in run.events() if e["event"] == "answer" and e["step"] == "respond"]
tap.ok(2 <= len(answered) <= 5, "step-ca: the challenge is answered again, and not for ever", len(answered))
said = [e for e in run.events() if e["event"] == "problem"]
tap.ok(said and "connection" in said[-1]["type"], "step-ca: its reason is shown", said)
fault = client.fault(NAMES[:1], step_ca.roots())
tap.ok(not fault, "step-ca: the pair in use is as it was", fault)
tap.end()
