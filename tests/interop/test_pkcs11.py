#!/usr/bin/env python3
"""Keys in a PKCS #11 token, SoftHSM's: both are there, a certificate is issued and renewed, the hook runs beside it; no private key is
in the state folder, nor in the run's memory; a wrong PIN is told the token once."""

import os
import shutil
import stat
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..")]
import servers
import tap
from client import CONFIG, DUE_NOT, FAILED, NEW, USAGE, Client

MODULE = next((path for path in ("/usr/lib/softhsm/libsofthsm2.so", "/usr/lib64/softhsm/libsofthsm.so",
                                 "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so") if os.path.exists(path)), None)
NAME = "token.example.test"
KEYS = {"account": "a1", "tls": "b2", "other": "c3"}
PIN = "4711-zebra"

# The hook's: it looks through the memory of the run, its parent's parent, for each word of a file.
SCAN = """#!/usr/bin/python3
import os
def parent(pid):
    return int(open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()[1])
pid = parent(os.getppid())
words = [bytes.fromhex(line) for line in open("WORDS")]
found = [0] * len(words)
with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", 0) as memory:
    for line in maps:
        span, rights = line.split()[:2]
        low, high = (int(x, 16) for x in span.split("-"))
        if "w" not in rights or line.rstrip().endswith("[vvar]"):
            continue
        memory.seek(low)
        text = memory.read(high - low)
        found = [n + (word in text) for n, word in zip(found, words)]
open("FOUND", "w").write(f"{found} {os.environ['NANOACME_KEY']}")
"""


def private_bytes(path):
    """The scalar, and the point's first coordinate."""
    text = servers.openssl("ec", "-in", path, "-text", "-noout")
    priv = "".join(text.split("priv:")[1].split("pub:")[0].split()).replace(":", "")
    pub = "".join(text.split("pub:")[1].split("ASN1")[0].split()).replace(":", "")
    return bytes.fromhex(priv.zfill(64)[-64:]), bytes.fromhex(pub)[1:33]


class Token:
    def __init__(self, folder):
        self.folder = folder
        os.makedirs(os.path.join(folder, "tokens"))
        with open(os.path.join(folder, "conf"), "w") as f:
            f.write(f"directories.tokendir = {folder}/tokens\nobjectstore.backend = file\nlog.level = ERROR\n")
        os.environ["SOFTHSM2_CONF"] = os.path.join(folder, "conf")
        self.tool("--init-token", "--free", "--label", "gw", "--pin", PIN, "--so-pin", "12345678")
        self.secrets, self.points = [], []
        for label, ident in KEYS.items():
            path = os.path.join(folder, label + ".pem")
            servers.openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", path)
            self.tool("--import", path, "--token", "gw", "--label", label, "--id", ident, "--pin", PIN)
            secret, x = private_bytes(path)
            self.secrets.append(secret)
            self.points.append(x)
        path = os.path.join(folder, "large.pem")
        servers.openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384", "-out", path)
        self.tool("--import", path, "--token", "gw", "--label", "large", "--id", "d4", "--pin", PIN)
        self.pin = self.put("pin", PIN + "\n")
        self.counting = os.path.join(folder, "logins.so")
        subprocess.run(["cc", "-std=gnu11", "-O1", "-shared", "-fPIC", "-I", os.path.join(HERE, "../../port/posix"), "-o",
                        self.counting, os.path.join(HERE, "logins.c")], check=True)
        os.environ["LOGINS_MODULE"] = MODULE
        os.environ["LOGINS_FILE"] = os.path.join(folder, "logins")

    @staticmethod
    def tool(*arguments):
        subprocess.run(["softhsm2-util", *arguments], check=True, capture_output=True)

    def put(self, name, text, mode=0o600):
        path = os.path.join(self.folder, name)
        with open(path, "w") as f:
            f.write(text)
        os.chmod(path, mode)
        return path

    def uri(self, label, **how):
        parts = {"token": "gw", "object": label, "module": self.counting, "pin": self.pin, **how}
        return (f"pkcs11:token={parts['token']};object={parts['object']}?module-path={parts['module']}"
                + (f"&pin-source={parts['pin']}" if parts["pin"] else ""))

    def both(self, **how):
        return ["--account-key", self.uri("account", **how), "--key", self.uri("tls", **how)]

    def counted(self):
        """Logins and signatures since the last look."""
        try:
            with open(os.environ["LOGINS_FILE"]) as f:
                text = f.read()
            os.unlink(f.name)
        except FileNotFoundError:
            text = ""
        return text.count("L"), text.count("S")


def files_of(folder):
    return [os.path.join(at, name) for at, _, names in os.walk(folder) for name in names]


def leaked(token, folder):
    """Files with a private key in them, as bytes or as text."""
    wrong = []
    for path in files_of(folder):
        if stat.S_ISREG(os.lstat(path).st_mode):
            with open(path, "rb") as f:
                text = f.read()
            if b"PRIVATE" in text or PIN.encode() in text or any(s in text or s.hex().encode() in text for s in token.secrets):
                wrong.append(path)
    return wrong


def in_use(client):
    return servers.openssl("x509", "-in", client.path(NAME, "fullchain.pem"), "-noout", "-pubkey")


def issue_and_renew(token, pebble, folder):
    client = Client(os.path.join(folder, "both"), pebble)
    words = token.put("words", "\n".join(x.hex() for x in token.secrets + [PIN.encode(), token.points[0]]) + "\n")
    hook = token.put("hook", SCAN.replace("WORDS", words).replace("FOUND", os.path.join(folder, "found")), 0o755)
    token.counted()
    run = client.issue(NAME, options=[*token.both(), "--deploy-hook", hook])
    key = servers.openssl("pkey", "-in", os.path.join(token.folder, "tls.pem"), "-pubout")
    tap.ok(run.code == NEW and in_use(client) == key, "issued for the token's key", run.tail())
    logins, signatures = token.counted()
    tap.ok(logins == 1 and signatures > 6, f"{logins} login, {signatures} signatures", run.tail())
    tap.ok("pkcs11:token=gw;object=tls" in run.out and not os.path.exists(client.path(NAME, "privkey.pem"))
           and not os.path.exists(os.path.join(client.state, "account.pem")), "there is no key file, and where it is is said", run.out)
    try:
        with open(os.path.join(folder, "found")) as f:
            found, uri = f.read().rsplit(" ", 1)
    except FileNotFoundError:
        found = uri = ""
    tap.ok(uri == token.uri("tls"), "the hook ran beside it, and was told where the key is", uri or run.tail())
    counts = [int(n) for n in found.strip("[]").split(",")] if found else []
    tap.ok(len(counts) == 5 and counts[4] > 0 and not any(counts[:4]),
           "in the run's memory are the public key and no private one, nor the PIN", found)
    before = os.readlink(os.path.join(client.state, NAME))
    client.ca_file = client.server.ca_file
    run = client.run("renew", NAME)
    tap.ok(run.code == DUE_NOT, "nothing is due", run.tail())
    run = client.run("renew", NAME, force=True)
    tap.ok(run.code == NEW and in_use(client) == key and os.readlink(os.path.join(client.state, NAME)) != before,
           "renewed as it was issued, for the same key", run.tail())
    tap.ok(not leaked(token, client.state), "no private key and no PIN is in the state folder", leaked(token, client.state))
    run = client.run("status", NAME)
    tap.ok(run.code == NEW and "    key      pkcs11:token=gw;object=tls?" in run.out, "status tells where the key is", run.tail())
    os.unlink(os.path.join(client.state, NAME))
    run = client.run("renew", NAME)
    tap.ok(run.code == DUE_NOT and "put in order" in run.err and os.path.islink(os.path.join(client.state, NAME)),
           "a lost link is put in order", run.tail())
    run = client.run("revoke", NAME, options=["--account-key", token.uri("account")])
    tap.ok(run.code == NEW, "revoked", run.tail())
    run = client.run("change-key", options=["--account-key", token.uri("account")])
    tap.ok(run.code == FAILED and not os.path.exists(os.path.join(client.state, "account.pem")), "its account key stays", run.tail())
    return client


def key_and_file(token, pebble, folder):
    """From a key in a file to one in a token and back: said, and done by --force."""
    client = Client(os.path.join(folder, "turn"), pebble)
    run = client.issue(NAME)
    tap.ok(run.code == NEW and os.path.exists(client.path(NAME, "privkey.pem")), "a key in a file", run.tail())
    uri = ["--key", token.uri("tls")]
    run = client.issue(NAME, options=uri)
    tap.ok(run.code == FAILED and "--force" in run.err and "pkcs11:" in run.err, "it is said that the pair is for another key", run.tail())
    run = client.issue(NAME, options=uri, force=True)
    tap.ok(run.code == NEW and not os.path.exists(client.path(NAME, "privkey.pem")), "then it is the token's", run.tail())


def in_trouble(token, pebble, folder):
    """The module is slow, falls, or loses its token in the middle: the run goes on meanwhile, or says so."""
    client = Client(os.path.join(folder, "trouble"), pebble)
    for do, code, words in [("crash", FAILED, "its module has crashed"), ("gone", FAILED, "there is no token \"gw\""),
                            ("slow", NEW, "")]:
        os.environ["LOGINS_DO"] = do
        run = client.issue(NAME, json=True, options=token.both())
        tap.ok(run.code == code and words in run.err, f"a module that is {do}", run.tail())
    longest = run.events()[-1]["stats"]["longest_tick_us"] if run.code == NEW else 0
    tap.ok(0 < longest < 250000, "300 ms a signature hold no tick up", f"{longest} us")
    del os.environ["LOGINS_DO"]


def wrong_pin(token, pebble, folder):
    client = Client(os.path.join(folder, "pin"), pebble)
    pin = token.put("wrong", "0000\n")
    token.counted()
    run = client.issue(NAME, options=token.both(pin=pin))
    tap.ok(run.code == USAGE and "the PIN is wrong" in run.err, "a wrong PIN", run.tail())
    runs = [client.issue(NAME, options=[*token.both(pin=pin), "-q"]) for _ in range(4)]
    tap.ok(all(r.code == USAGE and "not tried again" in r.err for r in runs) and token.counted() == (1, 0),
           "five runs tell it to the token once", runs[-1].tail())
    run = client.run("check", NAME, options=token.both(pin=pin))
    tap.ok("keys       FAILED" in run.out and token.counted() == (0, 0), "check does not either", run.out)
    token.put("wrong", PIN)
    run = client.issue(NAME, options=token.both(pin=pin))
    tap.ok(run.code == NEW, "another one in the file is tried", run.tail())


def refused(token, folder):
    """What a person has to change is said before anything is asked."""
    class Nobody:
        directory, ca_file, http_port = "https://localhost:1/dir", servers.Authority(os.path.join(folder, "ca")).root, servers.free_port()
    client = Client(os.path.join(folder, "nobody"), Nobody)
    odd = token.put("odd.so", "no module")
    for what, uri, words, code in [
            ("no module there", token.uri("tls", module="/none.so"), "no such file", USAGE),
            ("a file that is no module", token.uri("tls", module=odd), "module-path", USAGE),
            ("a library that is no module", token.uri("tls", module=token.libc()), "C_GetFunctionList", USAGE),
            ("no such token", token.uri("tls", token="none"), "there is no token \"none\"", FAILED),
            ("no such key", token.uri("none"), "no private key", USAGE),
            ("P-384", token.uri("large"), "not P-256", USAGE),
            ("no PIN", token.uri("tls", pin=None), "pin-source", USAGE),
            ("no PIN file", token.uri("tls", pin="/none"), "No such file", USAGE),
            ("a PIN that others may read", token.uri("tls", pin=token.put("seen", PIN, 0o644)), "chmod 600", USAGE),
            ("a PIN in the URI", token.uri("tls", pin=None) + "&pin-value=" + PIN, "put it into a file", USAGE),
            ("no URI", "/etc/key.pem", "begins with pkcs11:", USAGE)]:
        run = client.issue(NAME, options=["--key", uri])
        tap.ok(run.code == code and words in run.err and PIN not in run.err, what, run.tail())
    run = client.issue(NAME, options=["--key", token.uri("tls"), "--account-key", token.uri("tls")])
    tap.ok(run.code == USAGE and "must differ" in run.err, "one key for both", run.tail())
    config = token.put("config", f"key = {token.uri('none')}\n")
    run = client.issue(NAME, options=["-c", config])
    tap.ok(run.code == CONFIG and "no private key" in run.err, "in a config file", run.tail())


def libc():
    with open("/proc/self/maps") as maps:
        return next(line.split()[-1] for line in maps if "libc.so" in line or "libc-" in line)


Token.libc = staticmethod(libc)


def without_root(token, pebble, folder):
    """Root gives itself up: the process that signs has root's rights, and what lies in that user's folder names no module for root."""
    if os.geteuid() != 0:
        tap.skip("a user of its own", "it takes root")
        return
    os.chmod(folder, 0o711)
    client = Client(os.path.join(folder, "user"), pebble)
    os.makedirs(client.state)
    shutil.chown(client.state, "nobody")
    options = [*token.both(module=MODULE), "--user", "nobody"]
    run = client.issue(NAME, options=options)
    tap.ok(run.code == NEW and run.err.count("renew needs it again") == 2, "as another user", run.tail())
    run = client.run("renew", NAME, force=True)
    tap.ok(run.code == CONFIG and "root runs nothing that is named there" in run.err, "root takes no module from that user", run.tail())
    run = client.run("renew", NAME, force=True, options=options)
    tap.ok(run.code == NEW and not leaked(token, client.state), "by flags it does", run.tail())


def main():
    if MODULE is None:
        tap.skip("keys in a token", "SoftHSM is not installed")
        return
    folder = servers.workdir()
    token = Token(os.path.join(folder, "token"))
    refused(token, folder)
    pebble = servers.Pebble(os.path.join(folder, "pebble"), servers.Authority(os.path.join(folder, "authority")))
    issue_and_renew(token, pebble, folder)
    key_and_file(token, pebble, folder)
    in_trouble(token, pebble, folder)
    wrong_pin(token, pebble, folder)
    without_root(token, pebble, folder)
    pebble.stop()


main()
tap.end()
