"""A TCP relay on a free loopback port: counts connections and bytes, and can do harm to what passes."""

import contextlib
import socket
import threading
import time


class Relay:
    """Passes connections on to 127.0.0.1:target. Harm, each off by default:
    cut_after   ends a connection when so many bytes have come down
    cut_up      the same for bytes going up
    cuts        how many connections are cut that way; None all
    delay_s     holds every piece back that long
    split       passes pieces of so many bytes, each in a segment of its own
    flip        turns a bit of the byte at this offset of the bytes coming down
    """

    def __init__(self, target, cut_after=None, cut_up=None, cuts=None, delay_s=0, split=None, flip=None):
        self.target = target
        self.cut_after, self.cut_up, self.cuts = cut_after, cut_up, cuts
        self.delay_s, self.split, self.flip = delay_s, split, flip
        self.connections = self.up = self.down = 0
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self):
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                self.connections += 1
            try:
                far = socket.create_connection(("127.0.0.1", self.target))
            except OSError:
                near.close()
                continue
            for s in (near, far):
                s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._pass, args=(near, far, "up"), daemon=True).start()
            threading.Thread(target=self._pass, args=(far, near, "down"), daemon=True).start()

    def _limit(self, way):
        limit = self.cut_after if way == "down" else self.cut_up
        with self._lock:
            return limit if self.cuts is None or self.cuts > 0 else None

    def _pass(self, source, sink, way):
        passed = 0
        try:
            while data := source.recv(16384):
                if way == "down" and self.flip is not None and passed <= self.flip < passed + len(data):
                    data = bytearray(data)
                    data[self.flip - passed] ^= 0x10
                if self.delay_s:
                    time.sleep(self.delay_s)  # lint: polls (the delay is the harm)
                limit = self._limit(way)
                if limit is not None and passed + len(data) >= limit:
                    self._send(sink, data[:limit - passed], way)
                    with self._lock:
                        if self.cuts is not None:
                            self.cuts -= 1
                    break
                self._send(sink, data, way)
                passed += len(data)
            else:  # an orderly end in one direction leaves the other open
                sink.shutdown(socket.SHUT_WR)
                return
        except OSError:
            pass
        for s in (source, sink):
            with contextlib.suppress(OSError):
                s.shutdown(socket.SHUT_RDWR)
            s.close()

    def _send(self, sink, data, way):
        with self._lock:
            setattr(self, way, getattr(self, way) + len(data))
        step = self.split or len(data) or 1
        for at in range(0, len(data), step):
            sink.sendall(data[at:at + step])
