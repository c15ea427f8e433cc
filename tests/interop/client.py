"""Runs the nanoacme program, and judges what it leaves behind with openssl."""

import ipaddress
import json
import os
import shutil
import subprocess

import servers

PROGRAM = os.path.abspath(os.environ.get("NANOACME", os.path.join(servers.BUILD, "nanoacme")))
NEW, DUE_NOT, FAILED, USAGE, CONFIG = 0, 2, 1, 64, 78  # exit codes: new certificate, nothing due, ...


def plain(name):
    """A name as it is asked for, of what openssl makes of it."""
    kind, value = name.split(":", 1)
    return str(ipaddress.ip_address(value)) if kind == "IP Address" else value


class Run:
    """What one run gave."""

    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err

    def events(self):
        """The objects of --json, one a line."""
        return [json.loads(line) for line in self.out.splitlines() if line.startswith("{")]

    def tail(self):
        return f"exit {self.code}: " + " | ".join((self.out + self.err).strip().splitlines()[-3:])


class Client:
    """One state folder with one CA."""

    def __init__(self, folder, server, directory=None, ca_file=None, tls_port=None, program=PROGRAM):
        """`tls_port`: it is validated by TLS there, and not by HTTP."""
        self.program = program
        self.state = os.path.join(folder, "state")
        os.makedirs(folder, exist_ok=True)
        self.server = server
        self.directory = directory or server.directory
        self.ca_file = ca_file or server.ca_file
        self.tls_port = tls_port

    def command(self, verb, *names, force=False, json=False, options=()):
        return [self.program, "--directory", self.directory, "--ca-file", self.ca_file, "--state", self.state,
                *(["--tls-port", str(self.tls_port)] if self.tls_port else ["--http-port", str(self.server.http_port)]),
                "--accept-terms", *(["--force"] if force else []),
                *(["--json"] if json else []), *options, verb, *names]

    def run(self, verb, *names, limit_s=120, prefix=(), **how):
        """`prefix` is a program to run ours under."""
        command = [*servers.LEASH, *prefix, *self.command(verb, *names, **how)]
        try:
            done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=limit_s,
                                  errors="replace")
        except subprocess.TimeoutExpired as late:
            return Run(-1, (late.stdout or b"").decode(), f"not done after {limit_s} s")
        return Run(done.returncode, done.stdout, done.stderr)

    def issue(self, *names, **how):
        return self.run("issue", *names, **how)

    def forget(self):
        shutil.rmtree(self.state, ignore_errors=True)

    def path(self, name, what):
        return os.path.join(self.state, name.replace(":", "_"), what)

    def fault(self, names, roots, purpose="sslserver"):
        """What is wrong with the pair in use for `names` (the first is the folder): "" when all is well."""
        chain, key = (self.path(names[0].replace("*", "_"), what) for what in ("fullchain.pem", "privkey.pem"))
        trust = os.path.join(os.path.dirname(self.state), "trust.pem")
        with open(trust, "w") as f:
            f.write(roots)
        try:
            servers.openssl("verify", "-purpose", purpose, "-x509_strict", "-CAfile", trust, "-untrusted", chain, chain)
            if servers.openssl("x509", "-in", chain, "-noout", "-pubkey") != servers.openssl("pkey", "-in", key, "-pubout"):
                return "the key does not belong to the certificate"
            text = servers.openssl("x509", "-in", chain, "-noout", "-ext", "subjectAltName")
            have = sorted(plain(part.strip()) for part in text.split("\n", 1)[1].split(",") if part.strip())
            if have != sorted(names):
                return f"names are {have}"
            if os.stat(key).st_mode & 0o77:
                return "others may read the key"
        except (OSError, servers.Failed) as failure:
            return str(failure)
        return ""
