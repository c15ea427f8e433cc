#!/usr/bin/env python3
"""Files of trust anchors, as the program and nanoacme-anchors take them: how many are read, what is said of the others.
No server is needed: a run whose file is good ends at a state directory that is none."""

import os
import re
import subprocess
import sys
import tempfile

sys.path[:0] = [os.path.dirname(os.path.abspath(__file__)), os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")]
import tap

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
EC = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
P521 = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-521"]
CA, FAILED, USAGE = ["basicConstraints=critical,CA:TRUE"], 1, 64
NOBODY = "https://localhost:1/dir"


def make(folder, name, key, *extensions):
    """Returns the PEM of a certificate; OpenSSL's own default is a CA."""
    out = os.path.join(folder, name)
    ext = [word for e in extensions for word in ("-addext", e)]
    subprocess.run(["openssl", "req", "-x509", "-nodes", *key, "-keyout", out + ".key", "-out", out + ".pem", "-subj",
                    f"/CN={name}", "-days", "30", *ext], check=True, capture_output=True)
    with open(out + ".pem") as f:
        return f.read()


def program(path, *flags):
    done = subprocess.run(["build/nanoacme", "--directory", NOBODY, "--ca-file", path, "--state", "/dev/null",
                           "--accept-terms", *flags, "issue", "a.example"], capture_output=True, text=True, timeout=60)
    return done.returncode, done.stderr


def table(path):
    with open(path, "rb") as f:
        done = subprocess.run(["build/nanoacme-anchors", "roots"], stdin=f, capture_output=True, text=True)
    count = re.search(r"roots_anchors, (\d+), ", done.stdout)
    return done.returncode, done.stderr, int(count.group(1)) if count else 0, done.stdout


def case(folder, what, contents, read, *words, left=False):
    """`read` anchors come of it, and both say so, and `words`."""
    path = os.path.join(folder, "roots.pem")
    with open(path, "wb") as f:
        f.write(contents if isinstance(contents, bytes) else contents.encode())
    words = (*words, f"{read} read") if read else words
    code, says, count, _ = table(path)
    good = code == (0 if read else 1) and count == read and all(w in says for w in words)
    for flags in ((), ("-v",)):
        code, said = program(path, *flags)
        good = good and code == (FAILED if read else USAGE)
        if not read or left or flags:
            good = good and all(w in said for w in words) and path in said
        else:
            good = good and "ca_file" not in said
        says += said
    if not tap.ok(good, what):
        tap.note(says)


def without_end(folder):
    """What is no file of a sensible size ends the run as well, for a timer would never start the next one."""
    fifo = os.path.join(folder, "fifo")
    os.mkfifo(fifo)
    for path, words in ((fifo, "no certificate in PEM form found"), ("/dev/zero", "too large"), ("/dev/urandom", "too large")):
        code, says = program(path)
        tap.ok(code == USAGE and words in says.lower().replace("pem", "PEM"), f"{path} as --ca-file", says)
    done = subprocess.run(["build/nanoacme", "-c", fifo, "issue"], capture_output=True, text=True, timeout=60)
    tap.ok(done.returncode == USAGE and "needs at least one NAME" in done.stderr, "a FIFO as config file", done.stderr)
    done = subprocess.run(["bash", "-c", f"build/nanoacme --ca-file <(sleep 0.2; cat {folder}/one.pem {folder}/two.pem) -v "
                           f"--directory {NOBODY} --state /dev/null issue a.example"], capture_output=True, text=True, timeout=60)
    tap.ok("2 read" in done.stderr, "a pipe that takes its time", done.stderr)


def constrained(folder, pem):
    """The table of a root with name constraints: it compiles, and names the function that applies them."""
    path = os.path.join(folder, "constrained.pem")
    with open(path, "w") as f:
        f.write(pem)
    text = table(path)[3]
    with open(path + ".c", "w") as f:
        f.write(text)
    done = subprocess.run(["gcc", "-std=c99", "-pedantic", "-Wall", "-Wextra", "-Werror", "-Wconversion", "-Icore", "-c",
                           path + ".c", "-o", path + ".o"], capture_output=True, text=True)
    if not tap.ok(done.returncode == 0 and "acme_constraints_permit" in text and "ACME_ANCHOR_CONSTRAINED" in text,
                  "a table with name constraints compiles, and has what applies them"):
        tap.note(done.stderr + text)


def main():
    os.chdir(ROOT)
    subprocess.run(["make", "-s", "build/nanoacme", "build/nanoacme-anchors"], check=True)
    with tempfile.TemporaryDirectory() as folder:
        one, two = make(folder, "one", EC), make(folder, "two", EC)
        big = make(folder, "big", P521)
        edwards = make(folder, "edwards", ["-newkey", "ed25519"])
        # An RSA key of 8192 bits takes OpenSSL long to make, as one of 5120 does not.
        rsa5120 = make(folder, "rsa5120", ["-newkey", "rsa:5120"])
        mail = make(folder, "mail", EC, "extendedKeyUsage=emailProtection")
        lists = make(folder, "lists", EC, "keyUsage=critical,cRLSign")
        critical = make(folder, "critical", EC, "1.2.3.4=critical,DER:0500")
        lab = make(folder, "lab", EC, "nameConstraints=critical,permitted;DNS:lab.example")
        der = subprocess.run(["openssl", "x509", "-outform", "DER"], input=one.encode(), capture_output=True, check=True).stdout
        p12 = subprocess.run(["openssl", "pkcs12", "-export", "-nokeys", "-passout", "pass:", "-in", folder + "/one.pem"],
                             capture_output=True, check=True).stdout
        trusted = subprocess.run(["openssl", "x509", "-trustout"], input=one.encode(), capture_output=True,
                                 check=True).stdout.decode()
        p7b = subprocess.run(["openssl", "crl2pkcs7", "-nocrl", "-certfile", folder + "/one.pem"], capture_output=True,
                             check=True).stdout.decode()
        damaged = two.replace("M", "!", 1)
        key = "for the kind or size of the key"

        case(folder, "two roots", one + two, 2, "2 certificates found")
        case(folder, "CRLF", (one + two).replace("\n", "\r\n"), 2)
        case(folder, "a blank behind the dashes", (one + two).replace("-----\n", "----- \n"), 2)
        case(folder, "a byte order mark", b"\xef\xbb\xbf" + (one + two).encode(), 2)
        case(folder, "END and BEGIN on one line", (one + two).replace("-----\n-----", "----------"), 2)
        case(folder, "one with LF, one with CRLF", one + two.replace("\n", "\r\n"), 2)
        case(folder, "indented", "".join("    " + line + "\n" for line in (one + two).splitlines()), 2)
        case(folder, "text and other blocks around", "roots\n" + one + open(folder + "/one.key").read() + two + "end", 2)
        case(folder, "RSA-5120 before", rsa5120 + one, 1, "2 certificates found", "left out: 1 " + key, left=True)
        case(folder, "RSA-5120 behind", one + rsa5120, 1, "left out: 1 " + key, left=True)
        case(folder, "P-521 and Ed25519 between", one + big + edwards + two, 2, "left out: 2 " + key, left=True)
        case(folder, "P-521 alone", big, 0, "1 certificate found, 0 read", "left out: 1 " + key)
        case(folder, "one damaged", one + damaged + one, 2, "left out: 1 damaged", left=True)
        case(folder, "damaged alone", damaged, 0, "left out: 1 damaged")
        case(folder, "END missing", one.replace("-----END CERTIFICATE-----\n", "") + two, 1, "left out: 1 damaged", left=True)
        case(folder, "cut off", one + two[:-40], 0, "ends within a certificate")
        case(folder, "TRUSTED CERTIFICATE", trusted + two, 1, "left out: 1 as TRUSTED CERTIFICATE", left=True)
        case(folder, "PKCS #7 in PEM", p7b, 0, "PKCS #7")
        case(folder, "for mail only", mail + two, 1, "left out: 1 not for certificates of TLS servers", left=True)
        case(folder, "for lists only", lists, 0, "left out: 1 not for certificates of TLS servers")
        case(folder, "unknown critical extension", critical + two, 1, "left out: 1 with a critical extension", left=True)
        case(folder, "several reasons", critical + big + two + damaged, 1, "4 certificates found", key, "1 damaged",
             "1 with a critical extension", left=True)
        for what, contents in (("DER", der), ("PKCS #12", p12), ("UTF-16", one.encode("utf-16")), ("empty", b""),
                               ("HTML", b"<html>404</html>")):
            case(folder, what, contents, 0, "no certificate in PEM form found")
        case(folder, "constrained", lab, 1)
        constrained(folder, lab + two)
        without_end(folder)
    return tap.end()


main()
