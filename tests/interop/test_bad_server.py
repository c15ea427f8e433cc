#!/usr/bin/env python3
"""Bad input from the network's side: each is refused with the place named, and the pair in use stays."""

import http.server
import os
import re
import socket
import sys
import threading

sys.path[:0] = [os.path.dirname(os.path.abspath(__file__)), os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")]
import scenes
import servers
from client import CONFIG, FAILED, NEW, USAGE
from impostor import Impostor
from scenes import NAMES, hold

HTML = "<!DOCTYPE html><html><head><title>Welcome</title></head><body>Log in to use this network</body></html>"


def go(scene, server=None, names=NAMES, **how):
    """One run that would renew, were all well."""
    return scene.client(server, **how).issue(*names, force=True)


def unknown_host(scene):
    scene.refused(go(scene, directory="https://nowhere.invalid:14000/dir"), FAILED, r"nowhere\.invalid", "not found")


def refused_port(scene):
    port = servers.free_port()
    scene.refused(go(scene, directory=f"https://localhost:{port}/dir"), FAILED, "refused", f"localhost:{port}")


def untrusted(scene):
    scene.refused(go(scene, ca_file=scene.authority().root), FAILED, "certificate", "trust", "localhost")


def another_certificate(what, *words, **how):
    def scene_of_it(scene):
        with Impostor(scene.authority(**how)) as server:
            server.pages["/dir"] = (200, {}, server.urls())
            run = go(scene, server)
            hold(not server.seen, f"{what} certificate, and still asked {server.seen}")
            scene.refused(run, FAILED, "certificate", "localhost", *words)
    return scene_of_it


def not_tls(scene):
    class Plain(http.server.BaseHTTPRequestHandler):
        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Plain) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        run = go(scene, directory=f"https://localhost:{server.server_port}/dir")
        server.shutdown()
    scene.refused(run, FAILED, "TLS", f"localhost:{server.server_port}")


def plain_directory(scene):
    directory = scene.stage.pebble.directory.replace("https://localhost", "http://ca.example.test")
    scene.refused(go(scene, directory=directory), (USAGE, CONFIG), "https", "directory")


def url_in_directory(member, url, *words):
    """A directory with one bad URL: nobody may be asked there."""
    def scene_of_it(scene):
        with Impostor(scene.stage.authority) as server, socket.create_server(("127.0.0.1", 0)) as other:
            other.settimeout(0)
            bad = url.format(ours=server.port, other=other.getsockname()[1])
            server.pages["/dir"] = (200, {}, server.urls(**{member: bad}))
            run = go(scene, server)
            hold(server.seen == [("GET", "/dir")], f"went on: {server.seen}")
            try:
                other.accept()
                hold(False, f"{bad} was connected to")
            except BlockingIOError:
                pass
            scene.refused(run, FAILED, *words)
    return scene_of_it


def directory_is(body, content_type="application/json"):
    def scene_of_it(scene):
        with Impostor(scene.stage.authority) as server:
            server.pages["/dir"] = (200, {"Content-Type": content_type}, body)
            run = go(scene, server)
            hold(all(r == ("GET", "/dir") for r in server.seen) and len(server.seen) <= 5, f"asked {server.seen}")
            scene.refused(run, FAILED, "directory", "JSON|no body")
    return scene_of_it


def directory_lacks(scene):
    with Impostor(scene.stage.authority) as server:
        urls = server.urls()
        del urls["newOrder"]
        server.pages["/dir"] = (200, {}, urls)
        scene.refused(go(scene, server), FAILED, "directory", "member")


def rejected_name(binary, *words):
    def scene_of_it(scene):
        if not os.access(binary, os.X_OK) and "/" in binary:
            raise scenes.Skip("no newest Pebble: it takes Go 1.24 to build")
        pebble = scene.pebble(binary=binary, config={"domainBlocklist": ["blocked.example.test"]})
        run = go(scene, pebble, ["blocked.example.test"])
        scene.refused(run, FAILED, "rejectedIdentifier", r"blocked\.example\.test", *words)
        hold(len(pebble.requests()) <= 6, f"{len(pebble.requests())} requests: not to be tried again")
        hold(pebble.orders() == 0, "an order all the same")
    return scene_of_it


def subproblems(scene):
    urn = "urn:ietf:params:acme:error:"
    parts = [{"type": urn + kind, "detail": f"{why} \u00fc\x1b[31m", "identifier": {"type": "dns", "value": name}}
             for kind, why, name in (("malformed", "underscores", NAMES[0]), ("rejectedIdentifier", "policy", NAMES[1]))]
    with Impostor(scene.stage.authority) as server:
        server.up_to_order((403, {"Content-Type": "application/problem+json"},
                            {"type": urn + "compound", "detail": "some names", "subproblems": parts}))
        run = go(scene, server)
        scene.refused(run, FAILED, "compound", "some names", "malformed", "underscores", "rejectedIdentifier", "policy",
                      *(name.replace(".", r"\.") for name in NAMES))
        hold("\x1b[31m" not in run.out + run.err, "a control sequence of the CA's reached the terminal")
        hold(server.seen.count(("POST", "/order")) == 1, f"tried again: {server.seen}")


def wrong_answer(scene):
    """Something else answers on the validation port."""
    class Other(http.server.BaseHTTPRequestHandler):
        def do_GET(self):  # noqa: N802
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"router login")

        def log_message(self, *_):
            pass

    pebble = scene.pebble()
    with http.server.ThreadingHTTPServer(("127.0.0.1", pebble.http_port), Other) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        pebble.http_port = servers.free_port()
        run = go(scene, pebble)
        server.shutdown()
    judged_invalid(scene, pebble, run, "unauthorized", "router login|did not match", "another server answered")
    hold("port 80 closed" not in run.err and "HTTP status" not in run.err, f"the wrong cause: {run.tail()}")


def nobody_answers(scene):
    pebble = scene.pebble()
    pebble.http_port = servers.free_port()
    judged_invalid(scene, pebble, go(scene, pebble), "connection|unauthorized", "refused|fetching")


def one_of_many_fails(scene):
    """Nobody answers, and the CA takes its time: what is still open of the order is deactivated, and the words are the failure's."""
    pebble = scene.pebble(env={"PEBBLE_VA_NOSLEEP": None, "PEBBLE_VA_SLEEPTIME": "5"})
    pebble.http_port = servers.free_port()
    names = NAMES + [f"{n}.kept.example.test" for n in range(6)]
    run = scene.client(pebble).issue(*names, force=True)
    hold("deactivat" not in run.out, run.out)
    for _ in range(4):
        run = scene.client(pebble).issue(*names, force=True, options=["--deactivate-authz"])
        scene.refused(run, FAILED, r"example\.test", "connection", "refused")
        hold("gives no reason" not in run.err, run.tail())
        if re.search(r"deactivation +\S+ deactivated", run.out):  # else all had failed before they were looked at
            return
    hold(False, f"none deactivated: {run.out}")


def judged_invalid(scene, pebble, run, *words):
    scene.refused(run, FAILED, r"kept\.example\.test", *words)
    asked = pebble.requests()
    hold(len(asked) <= 14, f"{len(asked)} requests")
    hold(len([1 for _, path in asked if path.startswith("/chalZ")]) <= len(NAMES), "a challenge was tried again")
    hold(pebble.orders() == 1, f"{pebble.orders()} orders")


def port_taken(scene):
    pebble = scene.pebble()
    with socket.create_server(("", pebble.http_port)):
        run = go(scene, pebble)
    scene.refused(run, FAILED, str(pebble.http_port), "listen")
    client = scene.client(pebble)
    hold(client.issue(*NAMES, force=True).code == NEW, "does not recover when the port is free again")
    hold(pebble.orders() == 1 and pebble.accounts() == 1, f"{pebble.orders()} orders, {pebble.accounts()} accounts")


scenes.play([
    ("one of eight names fails, the others are deactivated", one_of_many_fails),
    ("unknown host", unknown_host),
    ("refused port", refused_port),
    ("a CA server nobody vouches for", untrusted),
    ("an expired server certificate", another_certificate("expired", "expired|valid", days=-1)),
    ("a server certificate for another name", another_certificate("foreign", "name", names=("DNS:other.example",))),
    ("a server that does not speak TLS", not_tls),
    ("a plain-http directory URL", plain_directory),
    ("a plain-http URL in the directory", url_in_directory("newOrder", "http://localhost:{ours}/order", "https")),
    ("another host in the directory", url_in_directory("newAccount", "https://foreign.example:{ours}/a", "host")),
    ("another port in the directory", url_in_directory("newNonce", "https://localhost:{other}/nonce", "host")),
    ("user information in a URL", url_in_directory("newNonce", "https://localhost:{ours}@127.0.0.1:{other}/", "URL")),
    ("a directory that is HTML", directory_is(HTML, "text/html")),
    ("a directory cut short", directory_is('{"newNonce": "https://localhost/nonce", "newAcc')),
    ("a directory that is empty", directory_is("")),
    ("a directory without newOrder", directory_lacks),
    ("a name the CA rejects", rejected_name("pebble")),
    ("a name the newest Pebble rejects, with its subproblem", rejected_name(servers.NEWEST_PEBBLE, "forbidden domain")),
    ("subproblems, each with its name, control characters made harmless", subproblems),
    ("something else answers the challenge", wrong_answer),
    ("nobody answers the challenge", nobody_answers),
    ("the validation port is taken", port_taken),
])
