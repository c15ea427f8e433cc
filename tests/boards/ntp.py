"""A time server that can be silent, and that can lie."""

import socket
import struct
import threading

import servers

EPOCH = 2208988800  # 1970 as NTP counts


class TimeServer:
    """Answers with what `time` gives; None: keeps the questions until it is set."""

    def __init__(self, time=None):
        self.port = servers.free_port()
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", self.port))
        self.asked, self._time, self._held = 0, time, []
        threading.Thread(target=self._serve, daemon=True).start()

    def tell(self, time):
        self._time = time
        while self._held:
            self._answer(*self._held.pop())

    def _serve(self):
        while True:
            question, address = self.socket.recvfrom(200)
            self.asked += 1
            if self._time is None:
                self._held.append((question, address))
            else:
                self._answer(question, address)

    def _answer(self, question, address):
        now = struct.pack("!II", int(self._time()) + EPOCH & 0xffffffff, 0)
        # version 4, server, stratum 2; our time three times, the question's stamp as the origin
        self.socket.sendto(struct.pack("!BBbb", 0x24, 2, 6, -20) + bytes(12) + now + question[40:48] + now + now, address)
