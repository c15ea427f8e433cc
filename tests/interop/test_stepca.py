#!/usr/bin/env python3
"""step-ca: a failed validation stays pending until it is asked for again. test_matrix.py has what succeeds."""

import os
import sys

sys.path[:0] = [os.path.dirname(os.path.abspath(__file__)), os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")]
import servers
import tap
from client import FAILED, NEW, Client

NAMES = ["gateway.example.test"]

if not os.access(servers.STEP_CA, os.X_OK):
    tap.skip("step-ca", "no step-ca: it takes Go 1.24 to build")
    tap.end()

folder = servers.workdir()
step_ca = servers.StepCA(folder)
client = Client(folder, step_ca)
run = client.issue(*NAMES)
tap.ok(run.code == NEW, "step-ca: issues", run.tail())

step_ca.http_port = servers.free_port()  # where nobody looks
run = client.issue(*NAMES, force=True, json=True)
tap.ok(run.code == FAILED, "step-ca: a validation that cannot succeed ends", run.tail())
answered = [e for e in run.events() if e["event"] == "answer" and e["step"] == "respond"]
tap.ok(2 <= len(answered) <= 5, "step-ca: the challenge is answered again, and not for ever", len(answered))
said = [e for e in run.events() if e["event"] == "problem"]
tap.ok(said and "connection" in said[-1]["type"], "step-ca: its reason is shown", said)
fault = client.fault(NAMES, step_ca.roots())
tap.ok(not fault, "step-ca: the pair in use is as it was", fault)
tap.end()
