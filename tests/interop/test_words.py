#!/usr/bin/env python3
"""What people read when a server is not as it should be: the words that help, and none that send them elsewhere. Each scene is
one run, or two, against a server of its own; the sentences themselves are in tests/unit/test_words.c."""

import base64
import concurrent.futures
import http.server
import json
import os
import re
import sys
import threading
import traceback

sys.path[:0] = [os.path.dirname(os.path.abspath(__file__)), os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")]
import servers
import tap
from client import FAILED, USAGE, Client
from impostor import Impostor

NAME = "a.example.test"
URN = "urn:ietf:params:acme:error:"
PROBLEM = {"Content-Type": "application/problem+json"}
HOPELESS = "trying again without a change will not help"
UNPAUSE = "https://ca.test/sfe/v1/unpause?jwt=" + "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9." * 12
folder = servers.workdir()
authority = servers.Authority(os.path.join(folder, "authority"))


class Scene:
    def __init__(self, number):
        self.folder = os.path.join(folder, str(number))

    def client(self, server, **how):
        return Client(self.folder, server, **how)

    def said(self, run, says, never=(), code=FAILED):
        """For people: the last line has what it must have, and nothing has what it must not."""
        if run.code != code:
            raise AssertionError(f"exit {run.code}, wanted {code}: {run.tail()}")
        last = (run.err.strip().splitlines() or [""])[-1]
        for word in says:
            if not re.search(word, last):
                raise AssertionError(f"does not say '{word}': {last}")
        for word in (*never, "Sanitizer"):
            if word in run.err:
                raise AssertionError(f"says '{word}': {run.err}")


def with_pages(change, says, never=(), **how):
    """A CA that knows everybody, but for the pages that `change` puts in their place."""
    def play(scene):
        with Impostor(authority) as server:
            server.up_to_order((201, {"Location": server.url + "/order/1"},
                                {"status": "pending", "authorizations": [server.url + "/authz/1"],
                                 "finalize": server.url + "/finalize/1"}))
            server.pages["/order/1"] = server.pages["/order"]
            server.pages["/authz/1"] = (200, {}, authz(server))
            server.pages["/chall/1"] = (200, {}, {"status": "pending"})
            server.pages.update(change(server))
            run = scene.client(server).issue(NAME, **how)
            scene.said(run, [s.replace("PORT", str(server.port)) for s in says], never)
    return play


def authz(server, status="pending", **more):
    return {"status": status, "identifier": {"type": "dns", "value": NAME},
            "challenges": [{"type": "dns-01", "status": status, "url": server.url + "/chall/2", "token": "dG9rZW4", **more},
                           {"type": "http-01", "status": status, "url": server.url + "/chall/1", "token": "dG9rZW4"}]}


def refusal(code, kind, detail, path="/order"):
    return lambda _: {path: (code, PROBLEM, {"type": URN + kind, "detail": detail, "status": code})}


def directory_of(**changed):
    return lambda server: {"/dir": (200, {}, server.urls(**{k: v.replace("PORT", str(server.port))
                                                            for k, v in changed.items()}))}


def no_nonces(server):
    none = {"Replay-Nonce": ""}
    return {path: (page[0], {**page[1], **none}, page[2]) for path, page in server.pages.items()}


def paused(scene):
    with Impostor(authority) as server:
        words = f"Your account is temporarily prevented from requesting certificates. Please visit: {UNPAUSE}"
        server.up_to_order((429, PROBLEM, {"type": URN + "rateLimited", "detail": words, "status": 429}))
        client = scene.client(server)
        run = client.issue(NAME, json=True)
        end = run.events()[-1]
        assert run.code == FAILED and end["detail"] == words and words in end["message"], end
        assert "until somebody does what" in end["hint"] and end["retry_s"] == 86400, end
        asked = len(server.seen)
        run = client.issue(NAME)
        scene.said(run, ["waiting until", re.escape(UNPAUSE), "nobody was asked", "--force"], ["the CA asks to", "retry_s"])
        end = client.issue(NAME, json=True).events()[-1]
        assert end["detail"] == words and end["held_until"] > 0, end
        assert len(server.seen) == asked, "somebody was asked"
        run = client.run("status")
        assert "waiting  until" in run.out and UNPAUSE in run.out and "order" not in run.out, run.out
        status = client.run("status", json=True).events()[0]
        assert status["order_in_progress"] == 0 and status["detail"] == words and status["held_until"] > 0, status
        run = client.issue(NAME, force=True)
        assert len(server.seen) > asked and "waiting until" not in run.err, run.tail()
        scene.said(run, ["come back later", "paused"])
        # A run that meets another fault, and nobody's advice, leaves the wait, and so its words.
        client.ca_file = os.path.join(scene.folder, "other.pem")
        servers.openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", client.ca_file + ".key", "-out", client.ca_file,
                        "-subj", "/CN=another root")
        scene.said(client.issue(NAME, force=True), ["not trusted"])
        client.ca_file = server.ca_file
        scene.said(client.issue(NAME), ["waiting until", re.escape(UNPAUSE), "nobody was asked"])
        with open(os.path.join(client.state, f".{NAME}.told"), "w") as f:
            f.write("\0\xff garbage")
        scene.said(client.issue(NAME), ["waiting until", "nobody was asked"], ["garbage"])


def empty_state(scene):
    with Impostor(authority) as server:
        client = scene.client(server)
        for verb in (["change-key"], ["deactivate", "--yes"]):
            scene.said(client.run(*verb[:1], options=verb[1:]), ["no account key here", "nobody was asked"],
                       ["the CA knows", "directory"])
        scene.said(client.run("revoke", NAME), ["no account key here", "nobody was asked"], ["the CA knows"])
        assert not server.seen, server.seen


def portal(scene):
    class Portal(http.server.BaseHTTPRequestHandler):
        def do_GET(self):  # noqa: N802
            self.send_response(302)
            self.send_header("Location", "http://portal.test/")
            self.end_headers()

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Portal) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        server.ca_file, server.http_port = authority.root, servers.free_port()
        server.directory = f"https://localhost:{server.server_port}/dir"
        run = scene.client(server).issue(NAME)
        server.shutdown()
    scene.said(run, ["captive portal"], [HOPELESS])


class Chain:
    """A root, an intermediate with `extensions`, and a server certificate for localhost; `order` of what is sent."""

    def __init__(self, at, extensions="", order="leaf intermediate"):
        os.makedirs(at)
        ca = "basicConstraints=critical,CA:true\nkeyUsage=critical,keyCertSign\n"
        for name, text in (("ca", ca + extensions), ("leaf", "subjectAltName=DNS:localhost\n"), ("root", ca)):
            with open(os.path.join(at, name + ".ext"), "w") as f:
                f.write(text + "\n")
        ec = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
        servers.openssl("req", *ec, "-keyout", "root.key", "-out", "root.csr", "-subj", "/CN=root", cwd=at)
        servers.openssl("x509", "-req", "-in", "root.csr", "-signkey", "root.key", "-extfile", "root.ext", "-days", "30",
                        "-out", "root.pem", cwd=at)
        for name, ext, signer in (("intermediate", "ca", "root"), ("leaf", "leaf", "intermediate"),
                                  ("stranger", "ca", "root")):
            servers.openssl("req", *ec, "-keyout", name + ".key", "-out", name + ".csr", "-subj", "/CN=" + name, cwd=at)
            servers.openssl("x509", "-req", "-in", name + ".csr", "-CA", signer + ".pem", "-CAkey", signer + ".key",
                            "-CAcreateserial", "-extfile", ext + ".ext", "-days", "30", "-out", name + ".pem", cwd=at)
        self.root, self.certificate, self.key = (os.path.join(at, n) for n in ("root.pem", "sent.pem", "leaf.key"))
        self.intermediate = os.path.join(at, "intermediate.pem")
        with open(self.certificate, "w") as f:
            for name in order.split():
                f.write(open(os.path.join(at, name + ".pem")).read())


def chain_is(says, never=(), **how):
    def play(scene):
        with Impostor(Chain(os.path.join(scene.folder, "chain"), **how)) as server:
            scene.said(scene.client(server).issue(NAME), says, never)
    return play


def constraints(scene):
    """And the way out that is told works."""
    chain = Chain(os.path.join(scene.folder, "chain"), "nameConstraints=critical,permitted;DNS:localhost")
    with Impostor(chain) as server:
        server.pages["/dir"] = (404, {}, "")
        scene.said(scene.client(server).issue(NAME), ["name or policy constraints", "--ca-file"], ["not a CA"])
        assert not server.seen, server.seen
        scene.said(scene.client(server, ca_file=chain.intermediate).issue(NAME), ["directory's URL"])
        assert server.seen, "the way out does not work"


def client_certificate(scene):
    with Impostor(authority, wants_client=True) as server:
        scene.said(scene.client(server).issue(NAME), ["client certificate", "alert"], ["TLS 1.3 only"])


def address(scene):
    other = servers.Authority(os.path.join(scene.folder, "other"), names=("DNS:localhost", "DNS:127.0.0.1"))
    with Impostor(other) as server:
        directory = f"https://127.0.0.1:{server.port}/dir"
        scene.said(scene.client(server, directory=directory, ca_file=other.root).issue(NAME), ["for another name", "tls_name"])
        directory = f"https://[::ffff:127.0.0.1]:{server.port}/dir"
        scene.said(scene.client(server, directory=directory, ca_file=other.root).issue(NAME), ["give tls_name"], code=USAGE)


def names_elsewhere(extension, words):
    """The CA certifies our key, for other names than asked."""
    def play(scene):
        os.makedirs(scene.folder)

        def order(status):
            return {"status": status, "authorizations": [server.url + "/authz/1"], "finalize": server.url + "/finalize/1",
                    "certificate": server.url + "/cert/1"}

        def finalize(handler):
            def decode(text):
                return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
            request = json.loads(decode(json.loads(handler.body)["payload"]))
            with open(os.path.join(scene.folder, "csr.der"), "wb") as f:
                f.write(decode(request["csr"]))
            with open(os.path.join(scene.folder, "ext"), "w") as f:
                f.write(extension + "\n")
            pem = servers.openssl("x509", "-req", "-inform", "DER", "-in", "csr.der", "-CA", authority.root, "-CAkey",
                                  os.path.join(os.path.dirname(authority.root), "root.key"), "-CAcreateserial", "-CAserial",
                                  "serial", "-days", "30", "-extfile", "ext", cwd=scene.folder)
            server.pages["/cert/1"] = (200, {"Content-Type": "application/pem-certificate-chain"}, pem)
            return 200, {}, order("valid")

        with Impostor(authority) as server:
            server.up_to_order((201, {"Location": server.url + "/order/1"}, order("ready")))
            server.pages["/finalize/1"] = finalize
            scene.said(scene.client(server).issue(NAME), ["for other names", words], ["hostile"])
    return play


def terms(server):
    return {"/dir": (200, {}, server.urls(meta={"termsOfService": "https://ca.test/terms"}))}


def terms_not_accepted(scene):
    with Impostor(authority) as server:
        server.pages = terms(server)
        client = scene.client(server)
        command = [word for word in client.command("issue", NAME) if word != "--accept-terms"]
        client.command = lambda *_, **__: command
        run = client.issue(NAME)
        scene.said(run, ["https://ca.test/terms; after reading them: --accept-terms"])
        assert not re.search("account +done|directory +done", run.out), run.out


SCENES = [
    ("URLs that lead to another port", with_pages(directory_of(newOrder="https://localhost:9/o"),
                                                  ["newOrder is \"https://localhost", "--more-host localhost:9"],
                                                  ["more_hosts"])),
    ("URLs without TLS", with_pages(directory_of(newAccount="http://localhost:PORT/account"),
                                    ["newAccount is \"http://localhost:PORT/account\"", "proxy"])),
    ("no Location", with_pages(lambda s: {"/account": (200, {}, {"status": "valid"})}, ["the Location header", "proxy"],
                               ["not an ACME server"])),
    ("no nonces", with_pages(no_nonces, ["no Replay-Nonce header", "allowed_response_headers"], ["out of step", HOPELESS])),
    ("a server that is sealed", with_pages(lambda s: {"/dir": (503, {"Content-Type": "text/html"}, "<p>")},
                                           ["down or busy", "HTTP status 503"], ["not an ACME", HOPELESS])),
    ("a server with trouble of its own", with_pages(refusal(500, "serverInternal", "down"), ["trouble of its own", "status 500"],
                                                    [HOPELESS, "HTTP status"])),
    ("only other challenges", with_pages(
        lambda s: {"/authz/1": (200, {}, {"status": "pending", "identifier": {"type": "dns", "value": NAME}, "challenges": [
            {"type": t, "url": s.url + "/c", "token": "t"} for t in ("dns-01", "tls-alpn-01")]})},
        ["it offers dns-01, tls-alpn-01; only http-01"], ["wildcard"])),
    ("a name against its rules", with_pages(refusal(400, "rejectedIdentifier", "policy"), ["rule against this name", HOPELESS],
                                            ["HTTP status"])),
    ("an account that has ended", with_pages(refusal(403, "unauthorized", "Account is not valid, has status \"deactivated\""),
                                             ["deactivated"], ["port 80"])),
    ("no contact", with_pages(refusal(400, "malformed", "Contact information is missing", "/account"), ["--contact mailto:"],
                              [HOPELESS])),
    ("a challenge refused with the reason", with_pages(refusal(400, "connection", "Connection refused", "/chall/1"),
                                                       ["could not validate", "port 80 closed"], [HOPELESS])),
    ("the reason at another challenge", with_pages(
        lambda s: {"/authz/1": (200, {}, authz(s, "invalid", error={"type": URN + "dns", "detail": "no TXT", "status": 400}))},
        ["could not validate", "cannot be looked up", ", status 400"], ["port 80", "HTTP status"])),
    ("a pause, and the runs after it", paused),
    ("no key, so nobody is asked", empty_state),
    ("terms that are not accepted", terms_not_accepted),
    ("a portal that speaks plain http", portal),
    ("a server with an address only", address),
    ("the intermediate is not sent", chain_is(["does not send its intermediate"], order="leaf")),
    ("a chain out of order", chain_is(["out of order"], ["not a CA"], order="leaf root intermediate")),
    ("a stranger in the chain", chain_is(["does not belong there"], ["not a CA"], order="leaf stranger intermediate")),
    ("the certificate sent twice", chain_is(["twice"], ["not a CA"], order="leaf leaf intermediate")),
    ("a certificate with a common name only", names_elsewhere("keyUsage=digitalSignature", "no subjectAltName")),
    ("a certificate for others", names_elsewhere("subjectAltName=DNS:b.example,DNS:c.example", "it is for b.example, c.example")),
    ("constraints", constraints),
    ("a client certificate is wanted", client_certificate),
]


def one(numbered):
    number, (_, play) = numbered
    try:
        play(Scene(number))
    except AssertionError as wrong:
        return False, str(wrong)
    except Exception:  # a broken scene is a failed one
        return False, " ".join(traceback.format_exc().split())[-600:]
    return True, ""


with concurrent.futures.ThreadPoolExecutor(8) as pool:  # most of them wait for a second try
    for (what, _), (good, why) in zip(SCENES, pool.map(one, enumerate(SCENES))):
        tap.ok(good, what, why.replace("\n", " "))
tap.end()
