#!/usr/bin/env python3
"""The verb `check`: what is well and what is not, told before a certificate is asked for; in a network where port 80 is free."""

import os
import subprocess
import sys
import threading

sys.path[:0] = [os.path.dirname(os.path.abspath(__file__)), os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")]
import http.server
import servers
import tap
from client import CONFIG, FAILED, NEW, USAGE, Client

NAME = "gateway.example.test"

if reason := servers.enter_namespace([NAME]):
    tap.skip("check", reason)
    tap.end()

folder = servers.workdir()
os.chmod(folder, 0o755)
authority = servers.Authority(os.path.join(folder, "authority"))
pebble = servers.Pebble(os.path.join(folder, "pebble"), authority, env={"PEBBLE_VA_ALWAYS_VALID": "1"})
pebble.http_port = 80
client = Client(folder, pebble)


def told(what, run, code, *lines):
    """The run ended with `code` and has each of `lines` as the beginning of a line, blanks aside."""
    have = [" ".join(line.split()) for line in (run.out + run.err).splitlines()]
    lacks = [line for line in lines if not any(h.startswith(line) for h in have)]
    tap.ok(run.code == code and not lacks, what, f"lacks {lacks}: {run.tail()} {have}")


class Other(http.server.BaseHTTPRequestHandler):
    moved = None

    def do_GET(self):
        self.send_response(302 if self.moved else 200)
        if self.moved:
            self.send_header("Location", self.moved)
        self.end_headers()
        if not self.moved:
            self.wfile.write(b"hello")

    def log_message(self, *_):
        pass


def somebody(handler):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 80), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


run = client.run("check", NAME)
told("all is well", run, NEW, "config ok", "tls ok localhost", "directory ok", "clock ok", f"port 80 ok {NAME}: reached at 127.0.0.1",
     "state ok")
tap.ok(not os.path.exists(client.state) and not pebble.orders() and not pebble.accounts(), "and nothing was made or asked for")
run = client.run("check", NAME, json=True)
events = run.events()
tap.ok(run.code == NEW and all(e["ok"] for e in events[:-1]) and events[-1]["event"] == "end", "--json", run.out)
run = client.run("check", NAME, options=["-q"])
tap.ok(run.code == NEW and not run.out and not run.err, "-q", run.tail())
by_tls = Client(folder, pebble, tls_port=443)
told("by TLS", by_tls.run("check", NAME), NEW, f"port 443 ok {NAME}: reached at 127.0.0.1")
behind = Client(folder, pebble, tls_port=servers.free_port())
told("nobody passes port 443 on", behind.run("check", NAME), FAILED, f"port 443 FAILED {NAME}: 127.0.0.1: ")
other = servers.Caddy(os.path.join(folder, "other"), port=443)
told("somebody else has port 443", by_tls.run("check", NAME), FAILED, "port 443 FAILED cannot listen on port 443")
told("and answers", behind.run("check", NAME), FAILED, f"port 443 FAILED {NAME}: at 127.0.0.1 somebody else answers (a TLS alert)")
other.stop()
told("a name that leads nowhere", client.run("check", "nowhere.example.test"), FAILED, "port 80 FAILED nowhere.example.test", "directory ok")
told("a name that is none", client.run("check", "a_b"), USAGE, "config FAILED")
told("no name at all", client.run("check"), USAGE, "nanoacme: check needs")
wrong = Client(folder, pebble, directory=f"https://localhost:{servers.free_port()}/dir")
told("nobody at the CA's port", wrong.run("check", NAME), FAILED, "directory FAILED", "port 80 ok", "clock ok not compared")
wrong = Client(folder, pebble, directory=pebble.directory + "x")
told("no directory", wrong.run("check", NAME), FAILED, "tls ok", "directory FAILED", "clock ok")
wrong = Client(folder, pebble, ca_file=servers.Authority(os.path.join(folder, "foreign")).root)
told("roots of another CA", wrong.run("check", NAME), FAILED, "tls FAILED", "directory FAILED")
told("a CA file that is not there", Client(folder, pebble, ca_file="/nowhere").run("check", NAME), USAGE, "config FAILED")
told("a state directory that cannot be made", client.run("check", NAME, options=["--user", "nobody"]), FAILED,
     "state FAILED") if os.geteuid() == 0 and not os.environ.get("container") else None
told("a user that there is not", client.run("check", NAME, options=["--user", "nosuch"]), FAILED, "user FAILED")

shim = os.path.join(folder, "clock.so")
for apart, words in ((3600, "clock FAILED 360"), (-3600, "tls FAILED localhost: the CA server's certificate is not valid yet; clock behind"), (60, "clock ok")):
    subprocess.run(["cc", "-std=gnu11", f"-DAHEAD_S={apart}L", "-shared", "-fPIC", "-o", shim,
                    os.path.join(os.path.dirname(os.path.abspath(__file__)), "clock_ahead.c")], check=True)
    told(f"a clock {apart} s ahead", client.run("check", NAME, prefix=["env", f"LD_PRELOAD={shim}"]), NEW if apart == 60 else FAILED,
         words)
other = somebody(Other)
told("the port is taken", client.run("check", NAME), FAILED, "port 80 FAILED cannot listen on port 80")
web = os.path.join(folder, "web")
os.mkdir(web)
flags = [f for f in client.command("check", NAME) if f not in ("--http-port", "80")]
plain = flags[:-2]


def by_webroot():
    done = subprocess.run([*plain, "--webroot", web, "check", NAME], capture_output=True, text=True, timeout=60)
    done.code, done.out, done.err = done.returncode, done.stdout, done.stderr
    done.tail = lambda: f"exit {done.code}"
    return done


told("somebody else answers", by_webroot(), FAILED, f"port 80 FAILED {NAME}: at 127.0.0.1 somebody else answers (HTTP/1.0 200")
Other.moved = "https://gateway.example.test/"
told("a redirect", by_webroot(), NEW, f"port 80 ok {NAME}: 127.0.0.1 leads on to https://gateway.example.test/")
other.shutdown()
other.server_close()


class Web(http.server.SimpleHTTPRequestHandler):
    def __init__(self, *how):
        super().__init__(*how, directory=web)

    def log_message(self, *_):
        pass


other = somebody(Web)
told("a webroot", by_webroot(), NEW, f"port 80 ok {NAME}: reached at 127.0.0.1")
left = [n for _, _, names in os.walk(web) for n in names]
tap.ok(not left, "of which nothing stays", left)
other.shutdown()
other.server_close()

run = client.issue(NAME)
told("with what is kept", client.run("check"), NEW, NAME, f"port 80 ok {NAME}")
with open(os.path.join(client.state, f".{NAME}.conf"), "a") as f:
    f.write("nonsense = 1\n")
told("what is kept is damaged", client.run("check", NAME), CONFIG, "config FAILED")
tap.end()
