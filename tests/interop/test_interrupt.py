#!/usr/bin/env python3
"""An issuance ended in the middle (Ctrl-C, TERM, HUP, KILL) and then run again: the same account, the same order."""
# alone: a run is ended, and another one started, before Pebble looks

import os
import re
import signal
import subprocess
import sys

sys.path[:0] = [os.path.dirname(os.path.abspath(__file__)), os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")]
import scenes
import servers
from client import FAILED, NEW
from scenes import NAMES, hold

SLOW = {"PEBBLE_VA_NOSLEEP": None, "PEBBLE_VA_SLEEPTIME": "8"}  # each validation sleeps 0..7 s, and says how long
ENOUGH_S = 3  # that we can end the run, and start another one that answers, before Pebble looks
TRIES = 12


def log_of(client):
    return os.path.join(os.path.dirname(client.state), "log")


def said(client):
    with open(log_of(client), encoding="utf-8", errors="replace") as f:
        return " | ".join(f.read().splitlines()[-5:])


def start(client, names):
    with open(log_of(client), "wb") as log:
        return subprocess.Popen([*servers.LEASH, *client.command("issue", *names, force=True)], stdin=subprocess.DEVNULL,
                                stdout=log, stderr=subprocess.STDOUT)


def end(process, number):
    process.send_signal(number)
    code = process.wait(timeout=10)
    hold(code == (-number if number == signal.SIGKILL else FAILED), f"exit status {code}")


def goes_on(scene, pebble, client, names, orders):
    run = client.issue(*names, force=True)
    if run.code == FAILED and orders > 1 and re.search("connection|unauthorized", run.out + run.err):
        run = client.issue(*names, force=True)  # Pebble looked while nobody answered: that order is lost
    hold(run.code == NEW, run.tail())
    fault = client.fault(names, pebble.roots())
    hold(not fault, fault)
    hold(pebble.accounts() == 1, f"{pebble.accounts()} accounts")
    hold(pebble.orders() <= orders, f"{pebble.orders()} orders")
    hold(scenes.digest(scene.path("account.pem")) == scene.kept["account.pem"], "account.pem changed")


def while_validating(number):
    """Ended when the client waits for a validation that will take some seconds more."""
    def scene_of_it(scene):
        for turn in range(TRIES):
            folder = os.path.join(scene.folder, str(turn))
            pebble = servers.Pebble(folder, scene.stage.authority, env=SLOW)
            client = scene.client(pebble)
            process = start(client, NAMES)

            def asked_or_done():
                return process.poll() is not None or re.findall(r"Sleeping for (\d+)\S* ?s", pebble.log())
            sleeps = servers.until(asked_or_done, "the first validation")
            hold(sleeps is not True, f"ended by itself, exit status {process.returncode}: {said(client)}")
            if int(sleeps[0]) < ENOUGH_S:
                end(process, signal.SIGKILL)
                pebble.stop()
                continue
            servers.until(lambda: len([p for _, p in pebble.requests() if p.startswith("/authZ")]) >= 2 or
                          process.poll() is not None, "the client polling")
            end(process, number)
            scene.unharmed()
            goes_on(scene, pebble, client, NAMES, 1)
            pebble.stop()
            return
        raise AssertionError("Pebble never slept long enough")
    return scene_of_it


def when_asked(path, number):
    """Ended soon after Pebble sees a request. The order whose answer was lost, one that Pebble looked for while nobody
    answered, and one more when the first run was faster than the signal: never more than that."""
    def scene_of_it(scene):
        pebble = scene.pebble()
        client = scene.client(pebble)
        process = start(client, NAMES)
        servers.until(lambda: any(p.startswith(path) for _, p in pebble.requests()) or process.poll() is not None,
                      f"a request for {path}")
        process.send_signal(number)
        process.wait(timeout=10)
        fault = client.fault(NAMES, scene.stage.roots + pebble.roots())
        hold(not fault, f"in between: {fault}")
        goes_on(scene, pebble, client, NAMES, 3)
        pebble.stop()
    return scene_of_it


scenes.play([
    *[(f"{signal.Signals(n).name} while the CA validates, then again: one account, one order", while_validating(n))
      for n in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL)],
    *[(f"{signal.Signals(n).name} at {path}, then again: one account", when_asked(path, n))
      for n in (signal.SIGINT, signal.SIGKILL)
      for path in ("/sign-me-up", "/order-plz", "/authZ", "/finalize", "/certZ")],
])
