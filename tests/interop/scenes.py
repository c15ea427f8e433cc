"""Scenes of bad input: each plays on a copy of a state with a good pair, which must outlive it unharmed."""

import concurrent.futures
import hashlib
import os
import re
import shutil
import traceback

import servers
import tap
from client import NEW, Client

NAMES = ["kept.example.test", "www.kept.example.test"]
KEPT = ["account.pem", f"{NAMES[0]}/privkey.pem", f"{NAMES[0]}/fullchain.pem"]


class Skip(Exception):
    """A scene this machine cannot play."""


def digest(path):
    try:
        with open(path, "rb") as f:
            return hashlib.sha256(f.read()).hexdigest()
    except OSError as failure:
        return str(failure)


def hold(condition, why):
    """What a scene says of itself; the first that is not so ends it."""
    if not condition:
        raise AssertionError(why)


class Stage:
    """One calm Pebble, and a state with a pair it issued, for all scenes of a script."""

    def __init__(self):
        self.folder = servers.workdir()
        self.authority = servers.Authority(os.path.join(self.folder, "authority"))
        self.pebble = servers.Pebble(os.path.join(self.folder, "pebble"), self.authority)
        self.roots = self.pebble.roots()
        first = Client(os.path.join(self.folder, "first"), self.pebble)
        run = first.issue(*NAMES)
        if run.code != NEW:
            raise servers.Failed(f"no pair to begin with: {run.tail()}")
        self.state = first.state


class Scene:
    def __init__(self, stage, number):
        self.stage = stage
        self.folder = os.path.join(stage.folder, f"scene{number}")
        self.begin()

    def begin(self):
        """The state folder is what it was in the beginning."""
        shutil.rmtree(self.path(""), ignore_errors=True)
        shutil.copytree(self.stage.state, self.path(""), symlinks=True)
        self.kept = {name: digest(self.path(name)) for name in KEPT}

    def path(self, name):
        return os.path.join(self.folder, "state", name)

    def client(self, server=None, **how):
        return Client(self.folder, server or self.stage.pebble, **how)

    def authority(self, **how):
        return servers.Authority(os.path.join(self.folder, "authority"), **how)

    def pebble(self, **how):
        return servers.Pebble(os.path.join(self.folder, "pebble"), self.stage.authority, **how)

    def unharmed(self):
        for name, was in self.kept.items():
            hold(digest(self.path(name)) == was, f"{name} changed")
        fault = self.client().fault(NAMES, self.stage.roots)
        hold(not fault, f"the pair: {fault}")

    def refused(self, run, codes, *words):
        """The run ended with one of `codes`, said all `words` (regular expressions), and took nothing away."""
        codes = (codes,) if isinstance(codes, int) else codes
        hold(run.code in codes, f"exit {run.code}, wanted {codes}: {run.tail()}")
        for word in words:
            hold(re.search(word, run.out + run.err, re.I), f"does not say '{word}': {run.tail()}")
        hold("Sanitizer" not in run.err, run.err[:2000])
        self.unharmed()


def play(scenes):
    """`scenes` are (what, function of a Scene). One result each."""
    stage = Stage()

    def one(numbered):
        number, (_, function) = numbered
        try:
            function(Scene(stage, number))
        except Skip as skip:
            return "skip", str(skip)
        except AssertionError as wrong:
            return False, str(wrong)
        except Exception:  # a broken scene is a failed one
            return False, " ".join(traceback.format_exc().split())[-600:]
        return True, ""

    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        for (what, _), (good, why) in zip(scenes, pool.map(one, enumerate(scenes))):
            if good == "skip":
                tap.skip(what, why)
            else:
                tap.ok(good, what, why.replace("\n", " "))
    tap.end()
