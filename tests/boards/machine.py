"""A board in the emulator: an image made for one CA, and a run of it."""

import os
import re
import signal
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "interop"), os.path.join(HERE, "..")]
import servers
import tap

ROOT = os.path.join(HERE, "..", "..")
BOARDS = sorted(b for b in os.listdir(os.path.join(ROOT, "boards")) if os.path.exists(os.path.join(ROOT, "boards", b, "qemu")))
KERNEL_BOARD = "mps2-an385"  # where the firmware is also a task of a kernel
GATEWAY = "10.0.2.2"  # the emulator's address for this machine
EXACT = ("-icount", "shift=0")  # an instruction is a nanosecond, so the board can count them
# What the CA's own server signs with: openssl's words for it.
KEYS = {"rsa": ("rsa:2048",), **{f"p{size}": ("ec", "-pkeyopt", f"ec_paramgen_curve:P-{size}") for size in (256, 384)}}


def image(board, folder, directory, roots, names, tls_name="localhost", make=(), zone=None):
    """Links firmware for a CA. `directory` is a URL as the board sees it; `zone` a servers.Zone it may write into."""
    os.makedirs(folder, exist_ok=True)
    site = os.path.join(folder, "site.c")
    with open(site, "w") as f:
        done = subprocess.run([os.path.join(ROOT, "boards/firmware/site.sh"), directory, tls_name, roots, *names],
                              stdout=f, stderr=subprocess.PIPE, text=True, cwd=ROOT, env={**os.environ, **(
                                  {"DNS_SERVER": GATEWAY, "DNS_PORT": str(zone.port), "TSIG_KEY": zone.key} if zone else {})})
    if done.returncode != 0:
        raise servers.Failed(f"site.sh: {done.stderr}")
    path = os.path.join(folder, "firmware")
    done = subprocess.run(["make", "-s", "firmware", f"BOARD={board}", f"SITE={site}", f"IMAGE={path}", *make], cwd=ROOT,
                          capture_output=True, text=True)
    if done.returncode != 0:
        raise servers.Failed(f"make firmware: {done.stderr[-600:]}")
    return path + ".elf"


class Machine(servers.Server):
    """One boot. The records stay in `folder` from boot to boot."""

    def __init__(self, board, elf, folder, http_port, options=(), env=None, https_port=None):
        os.makedirs(folder, exist_ok=True)
        self.https_port = https_port or servers.free_port()
        self.ended = None
        for _ in range(3):
            super().__init__([os.path.join(ROOT, "boards", board, "qemu"), elf, folder, str(http_port),
                              str(self.https_port), *options], os.path.join(folder, "uart.log"), env)
            if self._begins():
                break
            self.cut()  # once in some thousand boots the emulator itself hangs, before the board's first word

    def _begins(self):
        try:
            return servers.until(lambda: self.log() or self.process.poll() is not None, "the board's first word", 20)
        except servers.Failed:
            return False

    def wait_for(self, text, limit_s=60):
        """Waits for one of several texts (a regular expression) on the UART. Returns the match."""
        def ready():
            found = re.search(text, self.log())
            if not found and self.process.poll() is not None:
                raise servers.Failed(f"the board ended ({self.process.returncode}): {self.log()[-800:]}")
            return found
        return servers.until(ready, f"the board saying '{text}'; it said: {self.log()[-800:]}", limit_s)

    def issued(self):
        """Waits for the page. Returns what was said until then; without one the script has failed, and ends."""
        try:
            self.wait_for("page is on port 443")
        except servers.Failed as failure:
            tap.ok(False, "issued", failure)
            tap.end()
        return self.log()

    def wait_end(self, limit_s=30):
        servers.until(lambda: self.process.poll() is not None, "the board ending", limit_s)
        return self.process.returncode

    def figure(self, word):
        """The last one of that name. What a run cost is told behind its end, so it may have to be waited for."""
        self.wait_for(rf"\] {word} \d+\r?\n")
        return int(re.findall(rf"\] {word} (\d+)\r?\n", self.log())[-1])

    def as_told(self, option):
        """What is wrong with the row of boards/README.md for an image of this kind, which is of another site: "" nothing."""
        with open(os.path.join(ROOT, "boards", "README.md"), encoding="utf-8") as f:
            row = re.search(rf"^\| `{option}` \|.*\| (\d+) \| (\d+) \|$", f.read(), re.M)
        seen = self.figure("flash"), self.figure("ram") + self.figure("stack_size")
        told = tuple(map(int, row.groups())) if row else (0, 0)
        return "" if all(abs(t - s) <= s / 100 for t, s in zip(told, seen)) else f"it is {seen}, and told {told}"

    def fits(self, option, flash, ram):
        """Judges what an image of this kind needs: against the part, and against boards/README.md."""
        figures = {word: self.figure(word) for word in ("flash", "ram", "stack_size", "stack_peak", "requests")}
        tap.ok(figures["flash"] <= flash and figures["ram"] + figures["stack_size"] <= ram and figures["stack_peak"] < figures["stack_size"],
               f"in {flash} bytes of flash and {ram} of RAM", figures)
        wrong = self.as_told(option)
        tap.ok(not wrong, "as boards/README.md tells", wrong)
        tap.note(figures)

    def cut(self):
        """The power goes, without a word."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()


def fetch(machine, name, roots, path, most_s=20):
    """The page, through TLS that is verified against the root the CA issues under."""
    done = subprocess.run(["curl", "-sS", "--fail", "--max-time", str(most_s), "--cacert", roots, "--resolve",
                           f"{name}:{machine.https_port}:127.0.0.1", f"https://{name}:{machine.https_port}{path}"],
                          capture_output=True, text=True)
    return done.stdout if done.returncode == 0 else f"curl: {done.stderr}"
