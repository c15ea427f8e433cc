#!/usr/bin/env python3
"""An issuance ended in the middle (Ctrl-C, TERM, HUP, KILL) and then run again: the same account, the same order.
test_interrupt.py [KILLS]: so many kills of renewals that say which certificate they replace, at random moments; 20."""
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
from scenes import NAMES, hold

SLOW = {"PEBBLE_VA_NOSLEEP": None, "PEBBLE_VA_SLEEPTIME": "8"}  # each validation sleeps 0..7 s, and says how long
ENOUGH_S = 3  # that we can end the run, and start another one that answers, before Pebble looks
TRIES = 12
ONE = NAMES[:1]  # half the validations, half the time
KILLS = int(sys.argv[1]) if len(sys.argv) > 1 else 20


def log_of(client):
    return os.path.join(os.path.dirname(client.state), "log")


def said(client):
    with open(log_of(client), encoding="utf-8", errors="replace") as f:
        return " | ".join(f.read().splitlines()[-5:])


def start(client, names, verb="issue"):
    with open(log_of(client), "wb") as log:
        return subprocess.Popen([*servers.LEASH, *client.command(verb, *names, force=True)], stdin=subprocess.DEVNULL,
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


def serial(client):
    return servers.openssl("x509", "-in", client.path(ONE[0], "fullchain.pem"), "-noout", "-serial").strip()


def replaced_orders(pebble):
    """The certificates that orders say they replace, one an order."""
    return re.findall(r'ARI: order "\S+" is a replacement of "(\S+)"', pebble.log())


def whole(client, roots):
    fault = client.fault(ONE, roots)
    hold(not fault, fault)


def with_replaces(scene):
    """Killed again and again in renewals at a CA with renewal information: each run goes on where the one before was, and no
    certificate is made that is not used. A kill between newOrder and its record costs an order, as the CA may have answered."""
    if not os.access(servers.NEWEST_PEBBLE, os.X_OK):
        raise scenes.Skip("no newest Pebble: it takes Go 1.24 to build")
    pebble = scene.pebble(binary=servers.NEWEST_PEBBLE, env={"PEBBLE_VA_ALWAYS_VALID": "1"})  # nobody is there to answer
    client = scene.client(pebble)
    run = client.issue(*ONE, force=True)
    hold(run.code == NEW, run.tail())
    roots, account, seed = pebble.roots(), scenes.digest(scene.path("account.pem")), random.randrange(1 << 32)
    before = os.path.join(scene.folder, "before")
    shutil.copytree(client.state, before, symlinks=True)
    begun = time.monotonic()
    run = client.run("renew", *ONE, force=True)
    takes = time.monotonic() - begun
    hold(run.code == NEW and len(replaced_orders(pebble)) == 1, f"the order says what it replaces: {run.tail()}")
    chance, used, kills, lost = random.Random(seed), {serial(client)}, 0, 0
    made, orders = pebble.issued() - 1, pebble.orders() - 1
    while kills < KILLS:
        mark = pebble.mark()
        process = start(client, ONE, "renew")
        time.sleep(chance.uniform(0, takes))  # lint: polls
        kills += process.poll() is None
        process.kill()
        process.wait(timeout=10)
        asked = pebble.requests(mark)
        lost += bool(asked) and asked[-1][1] == "/order-plz"
        whole(client, roots)
        used.add(serial(client))
        hold(pebble.accounts() == 1 and scenes.digest(scene.path("account.pem")) == account, f"{pebble.accounts()} accounts, seed {seed}")
    run = client.run("renew", *ONE, force=True)
    hold(run.code == NEW, run.tail())
    whole(client, roots)
    used.add(serial(client))
    made, orders, said = pebble.issued() - made, pebble.orders() - orders, replaced_orders(pebble)
    figures = f"{kills} kills, seed {seed}: {made} certificates made, {len(used)} used, {orders} orders, {lost} of them cut off"
    tap.note(figures)
    hold(made == len(used), figures)
    hold(made <= orders <= made + lost and len(said) == orders, f"{figures}; {len(said)} say what they replace")

    shutil.rmtree(client.state)  # a backup put back: that certificate was replaced long ago
    shutil.copytree(before, client.state, symlinks=True)
    mark = pebble.mark()
    run = client.run("renew", *ONE, force=True, options=["-v"])
    hold(run.code == NEW and "alreadyReplaced" in run.out + run.err, run.tail())
    hold([p for _, p in pebble.requests(mark)].count("/order-plz") == 2 and len(replaced_orders(pebble)) == len(said),
         "asked once more, without it")
    hold(re.search(r"to be renewed from 20[\d-]+ [\d:]+$", run.out, re.M), f"what is told of it is not of the one before: {run.out}")
    whole(client, roots)
    pebble.stop()


scenes.play([
    (f"SIGKILL {KILLS} times in renewals that say what they replace: one account, no certificate for nothing", with_replaces),
    *[(f"{signal.Signals(n).name} while the CA validates, then again: one account, one order", while_validating(n))
      for n in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL)],
    *[(f"{signal.Signals(n).name} at {path}, then again: one account", when_asked(path, n))
      for n in (signal.SIGINT, signal.SIGKILL)
      for path in ("/sign-me-up", "/order-plz", "/authZ", "/finalize", "/certZ")],
])
