"""Boulder as it was in December 2016, as a client sees it: ACME v1 over plain http on this machine.

Codes, header lines and words are those of the real one. Nonces count, `resource` has to match, authorizations are
validated by really asking for the answer, some time after the challenge was answered; signatures are believed. openssl
signs the certificates.
"""

import base64
import hashlib
import http.client
import http.server
import json
import os
import re
import secrets
import ssl
import subprocess
import sys
import threading
import traceback

import servers

EXTENSIONS = ("basicConstraints = critical,CA:FALSE\nkeyUsage = critical,digitalSignature\nextendedKeyUsage = serverAuth\n"
              "subjectKeyIdentifier = hash\nauthorityKeyIdentifier = keyid\n")
CA = ["-subj", "/CN=Boulder 2016", "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign"]


def unbase64(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def rebase64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Refused(Exception):
    """A problem document instead of an answer."""

    def __init__(self, code, kind, detail):
        super().__init__(code, kind, detail)
        self.problem = {"type": f"urn:acme:error:{kind}", "detail": detail, "status": code}


def openssl(*arguments, given=None):
    done = subprocess.run(["openssl", *arguments], input=given, capture_output=True)
    if done.returncode != 0:
        raise servers.Failed(f"openssl {' '.join(arguments)}: {done.stderr.decode()}")
    return done.stdout


class Boulder:
    """`delay_s`: until a validation is over. `ready`: closed, validations wait. `http10`: bodies end with the connection.
    `requests`: (method, path, code) of all that was answered. `authority`: whose certificate it has, for https; `host`: its
    name in URLs."""

    def __init__(self, folder, delay_s=0, reuse=True, http10=False, authority=None, host="127.0.0.1"):
        os.makedirs(folder, exist_ok=True)
        self.folder, self.delay_s, self.reuse = folder, delay_s, reuse
        self.nonces, self.accounts, self.agreed, self.authz, self.certificates = set(), [], set(), [], []
        self.requests, self.validated, self.ready, self.lock = [], [], threading.Event(), threading.RLock()
        self.lose, self.lost = None, threading.Event()  # path of the next request that is carried out but not answered
        self.ready.set()
        self.ca_file, self.key = os.path.join(folder, "root.pem"), os.path.join(folder, "root.key")
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", self.key, "-out",
                self.ca_file, "-days", "30", *CA)
        self.http_port = servers.free_port()
        self.server = self.make_server(http10)
        if authority:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(authority.certificate, authority.key)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        self.url = f"{'https' if authority else 'http'}://{host}:{self.server.server_port}"
        self.directory = self.url + "/directory"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def make_server(self, http10):
        boulder = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.0" if http10 else "HTTP/1.1"

            def handle_one(self):
                boulder.answer(self)

            do_GET = do_HEAD = do_POST = handle_one  # noqa: N815 (names of the library)

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_):  # clients that are killed are what this is about
                if not isinstance(sys.exc_info()[1], OSError):
                    traceback.print_exc()

        return Server(("127.0.0.1", 0), Handler)

    def stop(self):
        self.server.shutdown()
        self.server.server_close()

    # --- one request

    def answer(self, request):
        path, method = request.path, request.command
        body = request.rfile.read(int(request.headers.get("Content-Length", 0)))
        with self.lock:
            try:
                code, headers, content = self.route(method, path, body)
            except Refused as refused:
                code, headers = refused.problem["status"], [("Content-Type", "application/problem+json")]
                content = json.dumps(refused.problem, indent=2).encode()
            self.requests.append((method, path, code))
            nonce = secrets.token_urlsafe(32)
            self.nonces.add(nonce)
            if path == self.lose:
                self.lose = None
                self.lost.set()
                request.close_connection = True
                return
        request.send_response(code)
        for name, value in [*headers, ("Replay-Nonce", nonce)]:
            request.send_header(name, value)
        if request.protocol_version == "HTTP/1.1" or method == "HEAD":
            request.send_header("Content-Length", str(len(content)))
        request.end_headers()
        if method != "HEAD":
            request.wfile.write(content)

    def route(self, method, path, body):
        posts = {"/acme/new-reg": self.new_reg, "/acme/new-authz": self.new_authz, "/acme/new-cert": self.new_cert}
        kind, number = (re.findall(r"^/acme/(reg|authz|challenge|cert)/(\d+)$", path) or [("", "0")])[0]
        if path == "/directory" and method != "POST":
            names = {n: f"{self.url}/acme/{n}" for n in ("new-authz", "new-cert", "new-reg", "revoke-cert")}
            return self.say(200, names)
        if path in posts or kind == "reg":
            if method != "POST":
                raise Refused(405, "malformed", "Method not allowed")
            thumbprint, payload = self.read_jws(body, path)
            if kind == "reg":
                return self.reg(thumbprint, payload, number)
            if path != "/acme/new-reg" and thumbprint not in self.agreed:
                raise Refused(403, "unauthorized", "Must agree to subscriber agreement before any further actions")
            return posts[path](thumbprint, payload)
        if kind == "challenge" and method == "POST":
            return self.challenge(*self.read_jws(body, path), self.find(self.authz, number))
        if kind == "challenge":
            return self.say_challenge(self.find(self.authz, number))
        if kind == "authz":
            return self.say_authz(self.find(self.authz, number), 200)
        if kind == "cert":
            return self.say_certificate(200, self.find(self.certificates, number), [("Link", '</acme/issuer-cert>;rel="up"')])
        if path == "/acme/issuer-cert":
            return self.say_certificate(200, openssl("x509", "-in", self.ca_file, "-outform", "DER"), [])
        raise Refused(404, "malformed", "Page not found")

    def find(self, things, number):
        if not 0 < int(number) <= len(things):
            raise Refused(404, "malformed", "Unable to find it")
        return things[int(number) - 1]

    def read_jws(self, body, path):
        """The account key's thumbprint, and the payload."""
        jws = json.loads(body)
        head, payload = json.loads(unbase64(jws["protected"])), json.loads(unbase64(jws["payload"]))
        if head.get("nonce") not in self.nonces:
            raise Refused(400, "badNonce", f"JWS has invalid anti-replay nonce {head.get('nonce')}")
        self.nonces.remove(head["nonce"])
        resource = path.split("/")[2]
        if payload.get("resource") != resource or "jwk" not in head or head["alg"] != "ES256":
            raise Refused(400, "malformed", f"JWS resource is not {resource}, or not signed as it should be")
        jwk = json.dumps({k: head["jwk"][k] for k in ("crv", "kty", "x", "y")}, separators=(",", ":"))
        return rebase64(hashlib.sha256(jwk.encode()).digest()), payload

    # --- answers

    def say(self, code, thing, *headers):
        return code, [("Content-Type", "application/json"), *headers], json.dumps(thing, indent=2).encode()

    def say_certificate(self, code, der, headers):
        return code, [("Content-Type", "application/pkix-cert"), *headers], der

    def say_reg(self, code, thumbprint, *headers):
        links = (f'<{self.url}/acme/new-authz>;rel="next"', f'<{self.url}/terms/v1>;rel="terms-of-service"')
        agreed = {"agreement": f"{self.url}/terms/v1"} if thumbprint in self.agreed else {}
        thing = {"id": self.accounts.index(thumbprint) + 1, "contact": [], **agreed, "Status": ""}
        return self.say(code, thing, *headers, *(("Link", link) for link in links))

    def http01(self, authz):
        error = {"error": {"type": "urn:acme:error:unauthorized", "detail": "Invalid response", "status": 403}}
        return {"type": "http-01", "status": authz["challenge"], **(error if authz["challenge"] == "invalid" else {}),
                "uri": f"{self.url}/acme/challenge/{authz['number']}", "token": authz["token"]}

    def say_challenge(self, authz):
        return self.say(202, self.http01(authz), ("Link", f'<{self.url}/acme/authz/{authz["number"]}>;rel="up"'),
                        ("Location", f"{self.url}/acme/challenge/{authz['number']}"))

    def say_authz(self, authz, code, *headers):
        other = {"type": "dns-01", "status": "pending", "uri": f"{self.url}/acme/challenge/0", "token": authz["token"]}
        thing = {"identifier": {"type": "dns", "value": authz["name"]}, "status": authz["status"],
                 "expires": "2036-01-01T00:00:00Z", "challenges": [other, self.http01(authz)], "combinations": [[0], [1]]}
        return self.say(code, thing, ("Link", f'<{self.url}/acme/new-cert>;rel="next"'), *headers)

    # --- what is asked for

    def new_reg(self, thumbprint, payload):
        if thumbprint in self.accounts:
            code, headers, body = self.say(409, Refused(409, "malformed", "Registration key is already in use").problem)
            at = f"{self.url}/acme/reg/{self.accounts.index(thumbprint) + 1}"
            return code, [("Content-Type", "application/problem+json"), ("Location", at)], body
        self.accounts.append(thumbprint)
        if payload.get("agreement") == f"{self.url}/terms/v1":
            self.agreed.add(thumbprint)
        return self.say_reg(201, thumbprint, ("Location", f"{self.url}/acme/reg/{len(self.accounts)}"))

    def reg(self, thumbprint, payload, number):
        if self.find(self.accounts, number) != thumbprint:
            raise Refused(403, "unauthorized", "Request signing key did not match registration key")
        if "agreement" in payload and payload["agreement"] != f"{self.url}/terms/v1":
            raise Refused(400, "malformed", "Provided agreement URL does not match current agreement URL")
        if "agreement" in payload:
            self.agreed.add(thumbprint)
        return self.say_reg(202, thumbprint)

    def new_authz(self, thumbprint, payload):
        name = payload["identifier"]["value"]
        valid = [a for a in self.authz if (a["owner"], a["name"], a["status"]) == (thumbprint, name, "valid")]
        if valid and self.reuse:
            authz = valid[-1]
        else:
            authz = {"number": len(self.authz) + 1, "name": name, "owner": thumbprint, "status": "pending",
                     "challenge": "pending", "token": secrets.token_urlsafe(32)}
            self.authz.append(authz)
        return self.say_authz(authz, 201, ("Location", f"{self.url}/acme/authz/{authz['number']}"))

    def challenge(self, thumbprint, payload, authz):
        if payload.get("keyAuthorization") != f"{authz['token']}.{thumbprint}" or authz["owner"] != thumbprint:
            raise Refused(400, "malformed", "Provided key authorization was incorrect")
        if authz["status"] == "invalid":
            raise Refused(400, "malformed", "Response does not complete challenge")
        if authz["status"] == "pending":
            threading.Timer(self.delay_s, self.validate, (authz, payload["keyAuthorization"])).start()
        return self.say_challenge(authz)

    def validate(self, authz, wanted):
        """Asks the client's listener, as the real one asks port 80 of the name."""
        self.ready.wait(60)
        try:
            line = http.client.HTTPConnection("127.0.0.1", self.http_port, timeout=5)
            line.request("GET", f"/.well-known/acme-challenge/{authz['token']}",
                         headers={"Host": authz["name"], "User-Agent": "boulder", "Connection": "close"})
            good = line.getresponse().read().decode().rstrip() == wanted
        except (OSError, http.client.HTTPException):
            good = False
        with self.lock:
            self.validated.append(good)
            if authz["status"] == "pending":
                authz["status"] = authz["challenge"] = "valid" if good else "invalid"

    def new_cert(self, thumbprint, payload):
        path = os.path.join(self.folder, f"request{len(self.certificates)}.der")
        with open(path, "wb") as f:
            f.write(unbase64(payload["csr"]))
        text = openssl("req", "-inform", "DER", "-in", path, "-noout", "-text", "-verify").decode()
        names = re.findall(r"DNS:([^,\s]+)", text)
        valid = {a["name"] for a in self.authz if a["status"] == "valid" and a["owner"] == thumbprint}
        missing = ", ".join(name for name in names if name not in valid)
        if missing:
            raise Refused(403, "unauthorized", "Error creating new cert :: Authorizations for these names not found or "
                                               f"expired: {missing}")
        with open(path + ".ext", "w") as f:
            f.write(f"{EXTENSIONS}subjectAltName = critical,{','.join('DNS:' + name for name in names)}\n")
        der = openssl("x509", "-req", "-inform", "DER", "-in", path, "-CA", self.ca_file, "-CAkey", self.key, "-days", "90",
                      "-extfile", path + ".ext", "-outform", "DER")
        self.certificates.append(der)
        at = [("Location", f"{self.url}/acme/cert/{len(self.certificates)}"), ("Link", f'<{self.url}/acme/issuer-cert>;rel="up"')]
        return self.say_certificate(201, der, at)
