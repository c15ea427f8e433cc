#!/usr/bin/env python3
"""What each CA here offers, and whether a certificate is had by it: one server a row, one feature a column, each cell a request of its
own. Prints the table. `test_matrix.py ROW` plays one row."""

import concurrent.futures
import json
import os
import re
import shutil
import ssl
import subprocess
import sys
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..")]
import servers
import tap
from client import DUE_NOT, FAILED, NEW, PROGRAM, Client

ZONE = "matrix.test"
HELP = subprocess.run([PROGRAM, "--help"], capture_output=True, text=True).stdout


class No(Exception):
    """The server does not offer it; its own words, or what its directory lacks."""


def reason(run):
    """The CA's own words, or ours."""
    theirs = re.findall(r"the CA says (.*)", run.out + run.err)
    ours = re.sub(r" \(.*\)|;.*", "", run.err.strip().split("nanoacme: ")[-1])
    return f"{ours}: {theirs[-1]}" if theirs else ours


class NotYet(Exception):
    """The program does not have it."""


class Row:
    """One server, and one client of it, whose account all cells share."""

    def __init__(self, name, folder, server, bind):
        self.server, self.bind = server, bind
        self.zone = re.sub(r"\W+", "-", name.lower()) + "." + ZONE
        self.client = Client(folder, server)
        self.by_tls = Client(folder, server, tls_port=server.tls_port)
        self.another = Client(os.path.join(folder, "another"), server)  # which has not seen the directory yet
        self.eab = []
        self.hook = os.path.join(folder, "hook")
        with open(self.hook, "w") as f:  # nsupdate is another one's RFC 2136
            f.write(f"""#!/bin/sh
case "$1 $2" in
"begin dns-01") what="add _acme-challenge.$3. 1 TXT $5" ;;
begin*) exit 1 ;;
*) what="delete _acme-challenge.$3. TXT $5" ;;
esac
printf 'server 127.0.0.1 {bind.port}\\nzone {ZONE}.\\nupdate %s\\nsend\\n' "$what" | nsupdate -k {bind.key}
""")
        os.chmod(self.hook, 0o755)
        if binding := getattr(server, "binding", None):
            path = os.path.join(folder, "eab")
            with open(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600), "w") as f:
                f.write(binding[1] + "\n")
            self.eab = ["--eab-kid", binding[0], "--eab-key-file", path]

    def name_for(self, word):
        return f"{word}.{self.zone}"

    def directory(self):
        context = ssl.create_default_context(cafile=self.server.ca_file)
        return json.loads(urllib.request.urlopen(self.server.directory, context=context).read())

    def issue(self, *names, client=None, options=(), roots=None):
        client = client or self.client
        run = client.issue(*names, options=options)
        if run.code != NEW:
            raise No(reason(run))
        if fault := client.fault(names, roots or self.server.roots()):
            raise servers.Failed(fault)
        return run

    def ends_in(self, name, seconds, client=None):
        path = (client or self.client).path(name, "fullchain.pem")
        return subprocess.run(["openssl", "x509", "-noout", "-checkend", str(seconds), "-in", path], capture_output=True).returncode == 1

    def done(self, verb, *names, **how):
        run = self.client.run(verb, *names, **how)
        if run.code != NEW:
            raise No(reason(run))


# --- the cells, in the order in which they are played: each returns, or says No


def external_account(row):
    """Without one, with one that the CA has not given, and with one."""
    if not row.directory().get("meta", {}).get("externalAccountRequired"):
        raise No("its directory asks for no external account")
    run = row.client.issue(row.name_for("unbound"))
    if run.code != FAILED or "--eab-kid" not in run.err:
        raise servers.Failed("without a binding: " + run.tail())
    run = row.client.issue(row.name_for("unbound"), options=["--eab-kid", "nobody", *row.eab[2:]])
    if run.code != FAILED or "refused the external account binding" not in run.err or "nobody" not in run.err:
        raise servers.Failed("with another's binding: " + run.tail())
    row.issue(row.name_for("bound"), options=row.eab)


def http_01(row):
    """And once more: not due; and once more all the same: a renewal."""
    name = row.name_for("http")
    row.issue(name)
    if life_s := getattr(row.server, "life_s", 0):
        for seconds, ends in ((life_s - 300, False), (life_s + 300, True)):
            if row.ends_in(name, seconds) != ends:
                raise servers.Failed("another life than was set")
    run = row.client.issue(name)
    if run.code != DUE_NOT:
        raise servers.Failed("due at once: " + run.tail())
    run = row.client.run("renew", name, force=True)
    if run.code != NEW:
        raise servers.Failed("renewal: " + run.tail())
    row.issue(row.name_for("second"), row.name_for("first"))
    row.account = row.client.run("account").out


def by_update(row):
    return ["--challenge", "dns-01", "--dns-server", f"127.0.0.1:{row.bind.port}", "--tsig-key", row.bind.key]


def dns_01_update(row):
    row.issue(row.name_for("update"), options=by_update(row))


def dns_01_hook(row):
    row.issue(row.name_for("hook"), options=["--challenge", "dns-01", "--hook", row.hook])


def tls_alpn_01(row):
    row.issue(row.name_for("tls"), client=row.by_tls)


def wildcard(row):
    """With the name above it, whose record stands at the same place."""
    row.issue("*." + row.name_for("wild"), row.name_for("wild"), options=by_update(row))


def address_4(row, address="127.0.0.1"):
    """By http-01; and beside a name by tls-alpn-01, where that is offered for addresses."""
    row.issue(address)
    if getattr(row.server, "addresses_by_tls", True):
        row.issue(row.name_for("beside"), address, client=row.by_tls)


def address_6(row):
    address_4(row, "::1")


def alternate_chain(row):
    """The one to the other root; where there is none, the CA's own is taken, and told so."""
    if "--preferred-chain" not in HELP:
        raise NotYet
    root, wished = None, "another root"
    if hasattr(row.server, "other_root"):
        root = row.server.other_root()
        wished = servers.openssl("x509", "-noout", "-subject", "-nameopt", "multiline", text=root).split("commonName")[1].strip(" =\n")
    run = row.issue(row.name_for("other"), options=["--preferred-chain", wished], roots=root)
    told = re.findall(r"^other chain +(.*)", run.out, re.M)
    if not root and len(told) == 1:  # no other was looked at
        raise No(told[0])


def profile(row):
    """Which profiles there are the directory tells; who remembers one that has none would have to ask for it again."""
    name = row.name_for("profile")
    row.issue(name, client=row.another, options=["--profile", "long", *row.eab])
    if row.ends_in(name, 89 * 86400, row.another):
        raise servers.Failed("not for ninety days")


def renewal_information(row):
    run = row.another.run("renew", row.name_for("profile"))
    if run.code == DUE_NOT and re.search("ARI window .* chosen ", run.out):
        return
    if "renewalInfo" in row.directory():
        raise servers.Failed(run.tail())
    raise No("its directory has no renewalInfo")


def revoke(row):
    row.done("revoke", row.name_for("http"))


def key_change(row):
    row.done("change-key")
    row.issue(row.name_for("changed"))  # with the new one


def deactivate(row):
    if row.client.run("account").out.split()[:2] != row.account.split()[:2]:
        raise servers.Failed("another account: " + row.account)
    row.done("deactivate", options=["--yes"])
    run = row.client.issue(row.name_for("late"), json=True)
    if run.code != FAILED or run.events()[-1]["error"] != "ACME_E_ACCOUNT":
        raise servers.Failed("it still issues: " + run.tail())


CELLS = {"EAB": external_account, "http-01": http_01, "dns-01, RFC 2136": dns_01_update, "dns-01, hook": dns_01_hook,
         "tls-alpn-01": tls_alpn_01, "wildcard": wildcard, "IPv4": address_4, "IPv6": address_6, "alternate chain": alternate_chain,
         "profile": profile, "ARI": renewal_information, "revoke": revoke, "key change": key_change, "deactivate": deactivate}

# --- the rows

LONG = {"profiles": {"long": {"description": "ninety days", "validityPeriod": 90 * 86400}}}
ACCOUNT = {"device": "bWF0cml4LW1hdHJpeC1tYXRyaXgtbWF0cml4LW1hdHJpeCE"}
KEYS = {"externalAccountBindingRequired": True, "externalAccountMACKeys": ACCOUNT}


def pebble(folder, bind, binary, **config):
    server = servers.Pebble(folder, servers.Authority(folder, key=servers.P256), binary=binary,
                            config=config, resolver=bind, env={"PEBBLE_ALTERNATE_ROOTS": "1"})
    server.other_root = lambda: "-----BEGIN" + server.roots(2).split("-----BEGIN")[2]
    server.binding = [*ACCOUNT.items()][0] if "externalAccountMACKeys" in config else None
    return server


def step_ca(folder, bind, life_s=86400, **more):
    server = servers.StepCA(folder, more, resolver=bind)
    server.life_s = life_s
    return server


NEWEST, STEP_CA = servers.NEWEST_PEBBLE, servers.STEP_CA
NO_EAB = "asks for no external account"
NO_ARI = "no renewalInfo"
NO_PROFILE = "does not offer this certificate profile"
ONE_CHAIN = "the CA offers no chain as it is wished for"
NO_STEP = {"alternate chain": ONE_CHAIN, "profile": NO_PROFILE, "ARI": NO_ARI, "key change": "not implemented"}
# name: (what must be there, whether it needs ports 80 and 443, how it is started, what it does not offer: words of how it says no)
ROWS = {
    "Pebble 2.4": ("pebble", False, lambda f, b: pebble(f, b, "pebble"), {"EAB": NO_EAB, "profile": NO_PROFILE, "ARI": NO_ARI}),
    "newest Pebble": (NEWEST, False, lambda f, b: pebble(f, b, NEWEST, **LONG), {"EAB": NO_EAB}),
    "newest Pebble, EAB": (NEWEST, False, lambda f, b: pebble(f, b, NEWEST, **LONG, **KEYS), {}),
    "Caddy 2.6": ("caddy", True, lambda f, b: servers.Caddy(f), {**NO_STEP, "EAB": NO_EAB}),
    "step-ca": (STEP_CA, False, step_ca, {**NO_STEP, "EAB": NO_EAB}),
    "step-ca, EAB": (servers.STEP_EAB, False, lambda f, b: step_ca(f, b, requireEAB=True), NO_STEP),
    "step-ca, short": (STEP_CA, False, lambda f, b: step_ca(f, b, 600, claims={"defaultTLSCertDuration": "10m"}), {**NO_STEP, "EAB": NO_EAB}),
    "OpenBao": (servers.OPENBAO, True, servers.OpenBao,
                {"alternate chain": ONE_CHAIN, "profile": NO_PROFILE, "ARI": NO_ARI, "key change": "404"}),
}


def play(name, folder, bind):
    """{feature: (verdict, words)}: "yes"; "-" and the words of who does not offer it; "FAILED" and why; "not yet"."""
    try:
        row = Row(name, os.path.join(folder, "client"), ROWS[name][2](folder, bind), bind)
    except servers.Failed as failure:
        return {what: ("FAILED", str(failure)) for what in CELLS}
    found = {}
    for what, cell in CELLS.items():
        try:
            cell(row)
            found[what] = "yes", ""
        except No as no:
            found[what] = "-", str(no)
        except NotYet:
            found[what] = "not yet", "the program has no such option"
        except (servers.Failed, OSError) as failure:
            found[what] = "FAILED", str(failure)
    servers.Server.stop(row.server)  # not the name server, which is everybody's
    return found


def play_apart(name):
    """In namespaces of its own, where ports 80 and 443 are free and BIND is the system's resolver. Returns a text: why not."""
    done = subprocess.run([*servers.LEASH, sys.executable, os.path.abspath(__file__), name], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True)
    try:
        return json.loads(done.stdout.splitlines()[-1])
    except (IndexError, ValueError):
        return {what: ("FAILED", (done.stderr + done.stdout)[-300:]) for what in CELLS}


def one(name):
    """What play_apart() starts. Prints what that returns."""
    if why := servers.enter_namespace([]):
        print(json.dumps(why))
        return
    folder = servers.workdir()
    with open(os.path.join(folder, "resolv.conf"), "w") as f:
        f.write("nameserver 127.0.0.1\n")
    servers.put_over(f.name, "/etc/resolv.conf")
    print(json.dumps(play(name, os.path.join(folder, "row"), servers.Zone(os.path.join(folder, "bind"), ZONE, port=53))))


def seen(what):
    """On which of them: the words of README's table."""
    without = [name for name in ROWS if what in ROWS[name][3]]
    return "; ".join(name for name in ROWS if name not in without) if without else "all"


def readme():
    with open(os.path.join(HERE, "..", "..", "README.md"), encoding="utf-8") as f:
        table = f.read().split("<!-- seen:begin -->")[1].split("<!-- seen:end -->")[0]
    told = {cells[1].strip(): cells[-2].strip() for cells in (line.split("|") for line in table.splitlines() if line.startswith("|"))}
    wrong = [f"{what}: {seen(what)}" for what in CELLS if told.get(what) != seen(what) and (what in told or what != "alternate chain")]
    tap.ok(not wrong, "README tells on which servers each was seen", " | ".join(wrong))


def judge(name, found):
    missing = ROWS[name][3]
    for what, (verdict, words) in found.items():
        if verdict == "not yet":
            tap.skip(f"{name}: {what}", words)
        elif what in missing:
            tap.ok(verdict == "-" and missing[what] in words, f"{name}: {what} is not offered, and told so", f"{verdict} {words}")
        else:
            tap.ok(verdict == "yes", f"{name}: {what}", f"{verdict} {words}")


def show(found):
    """The table, and below it what is not offered, with the words of who does not: lines that are always printed."""
    lines = [["", *CELLS]]
    for name in ROWS:
        row = found.get(name)
        lines.append([name, *(row[what][0] if isinstance(row, dict) else "skipped" for what in CELLS)])
    widths = [max(map(len, column)) for column in zip(*lines)]
    for line in lines:
        tap.table("  ".join(f"{word:{width}}" for word, width in zip(line, widths)).rstrip())
    reasons = {}
    for name, row in found.items():
        for what, (verdict, words) in row.items() if isinstance(row, dict) else []:
            if verdict == "-":
                reasons.setdefault((what, words), []).append(name)
    for (what, words), names in reasons.items():
        tap.table(f"- {what}: {'; '.join(names)}: {words}")


def main():
    readme()
    found, folder = {}, servers.workdir()
    if os.path.exists("/usr/sbin/named") and shutil.which("nsupdate"):
        bind = servers.Zone(os.path.join(folder, "bind"), ZONE)
        with concurrent.futures.ThreadPoolExecutor(len(ROWS)) as pool:
            for number, (name, (program, apart, *_)) in enumerate(ROWS.items()):
                if shutil.which(program):
                    found[name] = pool.submit(*((play_apart, name) if apart else (play, name, os.path.join(folder, str(number)), bind)))
        found = {name: future.result() for name, future in found.items()}
    for name in ROWS:
        row = found.get(name, "it is not there (tests/deps.sh check), or BIND 9 is not")
        tap.skip(name, row) if isinstance(row, str) else judge(name, row)
    show(found)
    tap.end()


if __name__ == "__main__":
    one(sys.argv[1]) if len(sys.argv) > 1 else main()
