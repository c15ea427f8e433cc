#!/usr/bin/env python3
"""Visitors of a server who want to keep others out. crowd.py PORT COUNT PAUSE_S FIRST [deaf]: so many connections, each says FIRST at
once (escapes as in Python), then a byte each PAUSE_S, and is back at once when it was sent away. Ends with its standard input."""

import codecs
import os
import random
import select
import socket
import subprocess
import sys
import time


class Crowd:
    """The same as a child."""

    def __init__(self, port, count, pause_s, first="", deaf=False):
        self.process = subprocess.Popen([sys.executable, os.path.abspath(__file__), str(port), str(count), str(pause_s), first,
                                         *(["deaf"] if deaf else [])], stdin=subprocess.PIPE)

    def stop(self):
        self.process.stdin.close()
        self.process.wait()


class Visitor:
    def __init__(self, port, pause_s, first):
        self.port, self.pause_s, self.first = port, pause_s, first
        self.socket, self.said = None, False
        self.at = time.monotonic() + random.random() / 10  # when it does the next thing

    def go(self):
        if self.socket is None:
            self.socket, self.said = socket.socket(), False
            self.socket.setblocking(False)
            self.socket.connect_ex(("127.0.0.1", self.port))
            self.at = time.monotonic() + 0.002
            return
        try:
            self.socket.send(b"a" if self.said else self.first or b"")
            self.at = time.monotonic() + self.pause_s * (0.9 + random.random() / 5)
            self.said = True
        except BlockingIOError:  # not connected yet
            self.at = time.monotonic() + 0.02
        except OSError:  # refused, or sent away
            self.leave(0.01)

    def leave(self, away_s=0.0):
        self.socket.close()
        self.socket = None
        self.at = time.monotonic() + away_s

    def hear(self):
        try:
            if self.socket.recv(4096) != b"":
                return
        except BlockingIOError:
            return
        except OSError:
            pass
        self.leave()


def main(port, count, pause_s, first, deaf=False):
    visitors = [Visitor(int(port), float(pause_s), codecs.escape_decode(first.encode())[0]) for _ in range(int(count))]
    while True:
        for one in visitors:
            if time.monotonic() >= one.at:
                one.go()
        by_socket = {one.socket: one for one in visitors if one.socket is not None and not deaf}
        wait_s = max(0.0, min(one.at for one in visitors) - time.monotonic())
        ready, _, _ = select.select([sys.stdin, *by_socket], [], [], wait_s)
        if sys.stdin in ready:
            return
        for there in ready:
            by_socket[there].hear()


if __name__ == "__main__":
    main(*sys.argv[1:])
