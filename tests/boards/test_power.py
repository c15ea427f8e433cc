#!/usr/bin/env python3
"""The power of riscv32-virt goes in the middle of what it writes to its NOR flash: test_power.py [TIMES].

The emulator writes each word it programs, and each sector it erases, to a file. The kernel tells of every write, so one is chosen by
chance, and the emulator is killed behind it, or in one of the next. Then the memory is read by port/flash on this machine, and the
board boots again. A device lives through ten cuts, from its first boot on. When it has a certificate it gets an image that wants
another name, so that the next one is due; its clock goes on as far as the back-off asks.
"""

import ctypes
import os
import random
import select
import shutil
import struct
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

sys.path[:0] = [os.path.dirname(os.path.abspath(__file__))]
from machine import GATEWAY, HERE, ROOT, Machine, image
import servers
import tap

BOARD, NAMES = "riscv32-virt", ("one.example.test", "two.example.test")
SECTORS, SECTOR, UNIT = 4, 0x40000, 4  # boards/riscv32-virt/board.c
CUTS = int(sys.argv[1]) if len(sys.argv) > 1 else 20
A_LIFE = 10
BACK_OFF = (0, 120, 720, 7200, 27 * 3600)  # by the cuts in a row, with a tenth more for chance
GOOD = ("a new certificate", "nothing to do")  # the cut came behind the certificate
DONE = (*GOOD, "next attempt", "cannot begin", "failed at")
ACCOUNT_KEY, KEY, CHAIN = "0", "4", "5"  # enum acme_record


def is_good(said):
    return any(word in said for word in GOOD)


class Writes:
    """Counts writes to a file as they happen, by inotify(7)."""

    def __init__(self, path):
        libc = ctypes.CDLL(None, use_errno=True)
        self.fd = libc.inotify_init1(os.O_CLOEXEC | os.O_NONBLOCK)
        if self.fd < 0 or libc.inotify_add_watch(self.fd, path.encode(), 2) < 0:  # IN_MODIFY
            raise servers.Failed(f"inotify: {os.strerror(ctypes.get_errno())}")
        self.count = 0

    def wait(self, limit_s):
        if select.select([self.fd], [], [], limit_s)[0]:
            self.count += len(os.read(self.fd, struct.calcsize("iIII") * 64)) // struct.calcsize("iIII")

    def close(self):
        os.close(self.fd)


class Device:
    def __init__(self, world, number):
        self.world, self.folder = world, os.path.join(world.folder, f"device{number}")
        # It believes every answer to a challenge, whenever the power goes.
        self.pebble = servers.Pebble(os.path.join(self.folder, "pebble"), world.authority, env={"PEBBLE_VA_ALWAYS_VALID": "1"})
        self.images = [image(BOARD, os.path.join(self.folder, name), f"https://{GATEWAY}:{self.pebble.port}/dir", world.authority.root,
                             [name]) for name in NAMES]
        self.memory = os.path.join(self.folder, "records.img")
        with open(self.memory, "wb") as f:
            f.write(b"\xff" * (32 << 20))
        self.boots, self.ahead_s, self.in_a_row, self.known, self.used = 0, 0, 0, None, set()

    def boot(self, cut_at=None, limit_s=90):
        """Until a certificate is new, or the write that is chosen. Returns how many there were, and what the board said, None: cut."""
        self.ahead_s += BACK_OFF[min(self.in_a_row, 4)]
        now = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(time.time() + self.ahead_s))
        self.boots += 1
        writes = Writes(self.memory)
        machine = Machine(BOARD, self.images[0], self.folder, self.pebble.http_port, ("-rtc", f"base={now}"))
        end = time.monotonic() + limit_s
        try:
            while True:
                writes.wait(0.05)
                if cut_at is not None and writes.count >= cut_at:
                    return writes.count, None
                if any(word in machine.log() for word in DONE):
                    return writes.count, machine.log()
                if time.monotonic() > end or machine.process.poll() is not None:
                    raise servers.Failed(f"no certificate in {limit_s} s: {machine.log()[-600:]}")
        finally:
            machine.cut()
            writes.close()

    def holds(self):
        """What the memory holds now is whole: the account's key, once there is one, never another; a pair, once there is one."""
        place = os.path.join(self.folder, "read")
        shutil.rmtree(place, ignore_errors=True)
        os.makedirs(place)
        done = subprocess.run([self.world.reader, self.memory, str(SECTORS), str(SECTOR), str(UNIT), place], capture_output=True, text=True)
        if done.returncode != 0:
            return f"the store: {done.stdout}"
        found = {}
        for name in os.listdir(place):
            with open(os.path.join(place, name)) as f:
                found[name] = f.read()
        if self.known and found.get(ACCOUNT_KEY) != self.known:
            return "the account's key is another one"
        self.known = found.get(ACCOUNT_KEY)
        if self.used and KEY not in found or (KEY in found) != (CHAIN in found):
            return "there is no pair"
        if CHAIN in found:
            chain, key = os.path.join(place, CHAIN), os.path.join(place, KEY)
            if servers.openssl("x509", "-in", chain, "-noout", "-pubkey") != servers.openssl("pkey", "-in", key, "-pubout"):
                return "the key does not belong to the certificate"
            self.used.add(servers.openssl("x509", "-in", chain, "-noout", "-serial"))
        return "" if self.pebble.accounts() <= 1 else f"{self.pebble.accounts()} accounts"

    def live(self, cuts, dice):
        """Returns (cuts, what is wrong)."""
        done = 0
        for _ in range(4 * cuts):
            if done == cuts:
                break
            _, said = self.boot(dice.randrange(1, self.world.writes))
            done += said is None
            wrong = self.holds()
            if wrong or (said and not is_good(said)):
                return done, wrong or said[-600:]
            self.in_a_row = self.in_a_row + 1 if said is None else 0
            if said:
                self.images.reverse()
        _, said = self.boot()
        wrong = self.holds()
        orders, made = self.pebble.orders(), self.pebble.issued()
        self.pebble.stop()
        tap.note(f"{self.boots} boots, {done} cuts: {orders} orders, {made} certificates, {len(self.used)} of them used")
        if not wrong and not is_good(said):
            wrong = said[-600:]
        return done, wrong or (f"{made - len(self.used)} certificates were made and never used" if made > len(self.used) else "")


class World:
    def __init__(self):
        self.folder = servers.workdir()
        self.authority = servers.Authority(os.path.join(self.folder, "ca"), key=servers.P256, days=90)
        self.reader = os.path.join(self.folder, "records")
        flash = [os.path.join(ROOT, "port", "flash", f) for f in ("flash_store.c", "flash_place.c")]
        subprocess.run(["cc", "-std=gnu11", "-O2", f"-I{ROOT}/core", f"-I{ROOT}/port/flash", os.path.join(HERE, "records.c"), *flash,
                        "-o", self.reader], check=True)


def main():
    world = World()
    first = Device(world, 0)
    world.writes, said = first.boot()
    wrong = first.holds()
    tap.ok("a new certificate" in said and not wrong, f"a first certificate, with {world.writes} writes", wrong or said[-600:])
    first.pebble.stop()
    lives = [min(A_LIFE, CUTS - at) for at in range(0, CUTS, A_LIFE)]

    def live(number):
        return Device(world, 1 + number).live(lives[number], random.Random(number))
    with ThreadPoolExecutor(2) as pool:
        for number, (cuts, wrong) in enumerate(pool.map(live, range(len(lives)))):
            tap.ok(cuts == lives[number] and not wrong, f"device {number + 1}: power cut {cuts} times: the pair is whole, one account, a "
                   "certificate in the end", wrong)


servers.play(main, "power cuts")
