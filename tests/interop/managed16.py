"""Boulder of December 2016 with the features it had switched off then: accounts are ended and get other keys. And
revocation, which was on. Words and codes are those of its source."""

import hashlib
import json

from boulder16 import Boulder, Refused, rebase64, unbase64


class Managed(Boulder):
    def __init__(self, folder, **how):
        self.revoked, self.ended, self.changes = [], set(), 0
        super().__init__(folder, **how)

    def route(self, method, path, body):
        if path == "/acme/revoke-cert" and method == "POST":
            return self.revoke(*self.read_jws(body, path))
        if path == "/acme/key-change" and method == "POST":
            return self.key_change(*self.read_jws(body, path))
        code, headers, content = super().route(method, path, body)
        if path == "/directory":
            content = json.dumps({**json.loads(content), "key-change": f"{self.url}/acme/key-change"}).encode()
        return code, headers, content

    def read_jws(self, body, path):
        thumbprint, payload = super().read_jws(body, path)
        if path != "/acme/new-reg" and thumbprint not in self.accounts:
            raise Refused(403, "unauthorized", "No registration exists matching provided key")
        if path != "/acme/new-reg" and thumbprint in self.ended:
            raise Refused(403, "unauthorized", 'Account is not valid, has status "deactivated"')
        return thumbprint, payload

    def new_reg(self, thumbprint, payload):
        if thumbprint not in self.accounts and payload.get("agreement", f"{self.url}/terms/v1") != f"{self.url}/terms/v1":
            raise Refused(400, "malformed", "Provided agreement URL does not match current agreement URL")
        return super().new_reg(thumbprint, payload)

    def reg(self, thumbprint, payload, number):
        if payload.get("status") != "deactivated" or self.find(self.accounts, number) != thumbprint:
            return super().reg(thumbprint, payload, number)
        self.ended.add(thumbprint)
        return self.say(200, {"id": int(number), "Status": "deactivated"})

    def revoke(self, _, payload):
        der = unbase64(payload["certificate"])
        if der not in self.certificates:
            raise Refused(404, "malformed", "No such certificate")
        if der in [gone for gone, _ in self.revoked]:
            raise Refused(409, "malformed", "Certificate already revoked")
        self.revoked.append((der, payload.get("reason")))
        return 200, [], b""

    def key_change(self, thumbprint, payload):
        """What its source looks at: the account, and that the key inside is the one that signs there."""
        head, inner = json.loads(unbase64(payload["protected"])), json.loads(unbase64(payload["payload"]))
        number = self.accounts.index(thumbprint)
        if inner["account"] != f"{self.url}/acme/reg/{number + 1}":
            raise Refused(400, "malformed", "Incorrect account URL provided in payload")
        if inner["newKey"] != head["jwk"]:
            raise Refused(400, "malformed", "New JWK in inner payload doesn't match key used to sign inner JWS")
        jwk = json.dumps({k: head["jwk"][k] for k in ("crv", "kty", "x", "y")}, separators=(",", ":"))
        self.accounts[number] = rebase64(hashlib.sha256(jwk.encode()).digest())
        self.agreed = {self.accounts[number] if key == thumbprint else key for key in self.agreed}
        self.changes += 1
        return self.say(200, {"id": number + 1, "Status": "valid"})
