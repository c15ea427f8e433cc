#!/usr/bin/env python3
"""An issuance ended in the middle (Ctrl-C, TERM, HUP, KILL) and then run again: the same account, the same order. At last renewals that
say what they replace, killed so many times (test_interrupt.py [TIMES]) as any byte passes, or soon after it."""
# alone: a run is ended, and another one started, before Pebble looks

import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time

sys.path[:0] = [os.path.dirname(os.path.abspath(__file__)), os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")]
import scenes
import servers
import tap
from client import FAILED, NEW
from relay import Relay
from scenes import NAMES, hold

SLOW = {"PEBBLE_VA_NOSLEEP": None, "PEBBLE_VA_SLEEPTIME": "8"}  # each validation sleeps 0..7 s, and says how long
ENOUGH_S = 3  # that we can end the run, and start another one that answers, before Pebble looks
TRIES = 12
REPLACES = "is a replacement of"  # Pebble's words
KILLS = int(sys.argv[1]) if len(sys.argv) > 1 else 20


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
    code = process.wait(timeout=60)
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


def end_validating(pebble, process, number):
    """A stopped run waits for the CA, whose validation would fail and count: but not when it is told twice. Service managers and terminals
    tell the whole group, so that parent and child tell it at one time."""
    process.send_signal(number)
    if number == signal.SIGHUP:
        began = time.monotonic()
        servers.until(lambda: time.monotonic() - began > 1.3, "a second signal that means it")
        hold(process.poll() is None, "it has not waited")
        end(process, number)
        return
    end(process, number)
    if number != signal.SIGKILL:
        hold("set VALID" in pebble.log() and "INVALID" not in pebble.log(), "it has not waited for the CA to have done")


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
            end_validating(pebble, process, number)
            scene.unharmed()
            try:
                goes_on(scene, pebble, client, NAMES, 1)
            except AssertionError:
                if "INVALID" not in pebble.log():
                    raise
                pebble.stop()  # this machine was too slow: Pebble looked while nobody answered, and another order has made a pair
                scene.begin()
                continue
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
        process.wait(timeout=60)
        fault = client.fault(NAMES, scene.stage.roots + pebble.roots())
        hold(not fault, f"in between: {fault}")
        goes_on(scene, pebble, client, NAMES, 3)
        pebble.stop()
    return scene_of_it


class Trap(Relay):
    """Sends KILL to a process when so many bytes have passed since it was set."""

    def set(self, process, after):
        with self._lock:
            self.sprung, self.limit, self.process = False, self.up + self.down + after, process

    def _send(self, sink, data, way):
        super()._send(sink, data, way)
        with self._lock:
            if self.process and not self.sprung and self.up + self.down >= self.limit:
                self.sprung = True
                self.process.kill()

    process = None


def many_times(kills):
    """Each kill may cost an order whose answer was lost, but no certificate: what was made for an order that is known is fetched by the
    next run."""
    def scene_of_it(scene):
        if not os.path.exists(servers.NEWEST_PEBBLE):
            raise scenes.Skip("no newest Pebble")
        pebble = scene.pebble(binary=servers.NEWEST_PEBBLE)
        relay = Trap(pebble.port)
        client = scene.client(pebble, directory=pebble.through(relay))

        def serial():
            return servers.openssl("x509", "-in", client.path(NAMES[0], "fullchain.pem"), "-noout", "-serial").strip()

        def whole(when):
            fault = client.fault(NAMES, roots)
            hold(not fault, f"{when}: {fault}")
            hold(pebble.accounts() == 1, f"{when}: {pebble.accounts()} accounts")
            used.add(serial())
        roots, used, dice = pebble.roots(), set(), random.Random(9773)
        for _ in range(2):  # from nothing, then a renewal, which tells how long one is
            before = relay.up + relay.down
            hold(client.issue(*NAMES, force=True).code == NEW, "no pair to begin with")
            used.add(serial())
        length = relay.up + relay.down - before
        killed = runs = 0
        while killed < kills and runs < 4 * kills:
            before, runs = relay.up + relay.down, runs + 1
            process = start(client, NAMES)
            after = dice.randrange(1, length)  # one that goes on may be done before
            if dice.random() < 0.8:  # as it talks
                relay.set(process, after)
            else:  # as it writes what these bytes have brought
                relay.set(None, 0)
                servers.until(lambda: process.poll() is not None or relay.up + relay.down - before >= after, "bytes", 60)
                process.kill()
            code = process.wait(timeout=60)
            killed += code == -signal.SIGKILL
            hold(code in (-signal.SIGKILL, NEW), f"run {runs}: exit status {code}: {said(client)}")
            whole(f"run {runs}")
        relay.set(None, 0)
        hold(client.issue(*NAMES, force=True).code == NEW, "what was begun")
        whole("between")
        backup = os.path.join(scene.folder, "backup")
        shutil.copytree(client.state, backup, symlinks=True)
        replaced = serial()
        hold(client.issue(*NAMES, force=True).code == NEW, "the last one")
        whole("at last")
        log = pebble.log()
        tap.note(f"{killed} of {runs} runs killed: {pebble.orders()} orders, {log.count(REPLACES)} of them with replaces; {pebble.issued()} "
                 f"certificates made, {len(used)} of them used")
        hold(pebble.issued() - len(used) <= 1, f"{pebble.issued()} certificates were made, {len(used)} used")
        hold(killed == kills and log.count(REPLACES) > 0, "kills, and orders that say what they replace")

        client.forget()  # and a state that comes from a backup: what it would replace has been replaced
        shutil.copytree(backup, client.state, symlinks=True)
        hold(serial() == replaced, "the backup has the pair before")
        mark = pebble.mark()
        run = client.issue(*NAMES, force=True)
        asked = [p for _, p in pebble.requests(mark) if p.startswith("/order-plz")]
        hold(run.code == NEW and len(asked) in (2, 6), f"refused and asked without: {asked} {run.tail()}")
        whole("from a backup")

        made = pebble.issued()  # and one that was made in the middle of an order, which is over since
        process = start(client, NAMES)
        servers.until(lambda: pebble.issued() > made or process.poll() is not None, "a certificate being made")
        process.kill()
        process.wait()
        shutil.rmtree(backup)
        shutil.copytree(client.state, backup, symlinks=True)
        for what in ("is finished", "is taken from a backup"):
            run = client.issue(*NAMES, force=True)
            hold(run.code == NEW and "to be renewed from" in run.out, f"an order that {what}: {run.out[-200:]}")
            whole(what)
            for file in os.listdir(backup):
                if file.endswith((".order", ".key")):
                    shutil.copy(os.path.join(backup, file), client.state)
        hold(pebble.issued() == made + 1, "that is one certificate")
        pebble.stop()
    return scene_of_it


scenes.play([
    (f"KILL in the middle of {KILLS} renewals: one account, pairs that fit, no certificate in vain", many_times(KILLS)),
    *[(f"{signal.Signals(n).name} while the CA validates, then again: one account, one order", while_validating(n))
      for n in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL)],
    *[(f"{signal.Signals(n).name} at {path}, then again: one account", when_asked(path, n))
      for n in (signal.SIGINT, signal.SIGKILL)
      for path in ("/sign-me-up", "/order-plz", "/authZ", "/finalize", "/certZ")],
])
