"""A TCP relay on a free loopback port: counts connections and bytes, and can do harm to what passes."""

import contextlib
import socket
import threading
import time


class Relay:
    """Passes connections on to 127.0.0.1:target. Harm, each off by default:
    cut_down    ends a connection when so many bytes have come down
    cut_up      the same for bytes going up
    flip        turns a bit of the byte at this offset of the bytes coming down
    harmed      how many connections get these; None all
    delay_s     holds every piece back that long
    split       passes pieces of so many bytes, each in a segment of its own
    hold()      keeps all that comes until go_on()
    """

    def __init__(self, target, cut_down=None, cut_up=None, flip=None, harmed=None, delay_s=0, split=None):
        self.target, self.harmed = target, harmed
        self.cut = {"down": cut_down, "up": cut_up}
        self.flip, self.delay_s, self.split = flip, delay_s, split
        self.connections = self.up = self.down = 0
        self._lock = threading.Lock()
        self._open = threading.Event()
        self._open.set()
        self.hold, self.go_on = self._open.clear, self._open.set
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
                harm = self.harmed is None or self.connections <= self.harmed
            try:
                far = socket.create_connection(("127.0.0.1", self.target))
            except OSError:
                near.close()
                continue
            for s in (near, far):
                s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._pass, args=(near, far, "up", harm), daemon=True).start()
            threading.Thread(target=self._pass, args=(far, near, "down", harm), daemon=True).start()

    def _pass(self, source, sink, way, harm):
        passed = 0
        limit = self.cut[way] if harm else None
        flip = self.flip if harm and way == "down" else None
        try:
            while data := source.recv(16384):
                if flip is not None and passed <= flip < passed + len(data):
                    data = bytearray(data)
                    data[flip - passed] ^= 0x10
                if self.delay_s:
                    time.sleep(self.delay_s)  # lint: polls (the delay is the harm)
                self._open.wait()
                if limit is not None and passed + len(data) >= limit:
                    self._send(sink, data[:limit - passed], way)
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

    def _send(self, sink, data, way):
        with self._lock:
            setattr(self, way, getattr(self, way) + len(data))
        step = self.split or len(data) or 1
        for at in range(0, len(data), step):
            sink.sendall(data[at:at + step])
