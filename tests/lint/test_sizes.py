#!/usr/bin/env python3
"""One struct, two sizes: a program compiled with other limits than the library hears it from every function that prepares a struct
whose size they decide. All headers are looked at, and all limits of core/acme_config.h are changed in turn."""

import glob
import os
import re
import subprocess
import sys
import tempfile

sys.path[:0] = [os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")]
import tap

STACKS = ["-isystem", os.environ["BEARSSL_DIR"] + "/inc"] if "BEARSSL_DIR" in os.environ else []
LWIP = os.environ.get("LWIP_DIR", "build/src/lwip") + "/src"
FOLDERS = ["-Icore", "-Iport/posix", "-Iport/sockets", "-Iport/flash", "-Iport/lwip", "-Itests/conformance/lwip", "-isystem", LWIP + "/include"]
HEADERS = sorted(glob.glob("core/*.h") + glob.glob("core/*/*.h")) + ["port/posix/posix.h", "port/sockets/acme_sockets.h", "port/flash/acme_flash.h"]
SOURCES = glob.glob("port/flash/*.c") + glob.glob("port/sockets/*.c")
if os.path.isdir(LWIP):
    HEADERS += ["port/lwip/acme_lwip.h", "port/lwip/acme_clock.h"]
    SOURCES += glob.glob("port/lwip/*.c")
INSIDE = {"acme_chain", "acme_http_reader", "acme_channel"}  # parts of struct acme_client, whose size is compared
ALSO = ("-fshort-enums", "-DLWIP_IPV6=0")  # the ABI of one compiler and not of another; what lwIP's types depend on


def changed():
    """Every option with another value than the library's."""
    text = open("core/acme_config.h", encoding="utf-8").read()
    host = dict(re.findall(r"-D(\w+)=(\d+)", re.search(r"^HOST_OPTIONS = (.*)", open("Makefile").read(), re.M).group(1)))
    for name, value in re.findall(r"^#ifndef (ACME_\w+)\n#define \1 (\d+)$", text, re.M):
        value = int(host.get(name, value))
        other = 1 - value if name.startswith("ACME_CFG") or value < 2 else value + 8
        if name == "ACME_TLSALPN01_SLOTS":  # not more than of http-01
            other = value - 1
        yield f"-D{name}={other}"
    yield from ALSO


def host_options(other="-"):
    text = re.search(r"^HOST_OPTIONS = (.*)", open("Makefile", encoding="utf-8").read(), re.M).group(1).split()
    return [o for o in text if o.split("=")[0] != other.split("=")[0]] + ([other] if other != "-" else [])


def compiler(*arguments):
    done = subprocess.run(["gcc", "-D_GNU_SOURCE", "-w", *FOLDERS, *STACKS, *arguments], capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(done.stderr[-600:])


def run(folder, lines, options, link=()):
    source, program = os.path.join(folder, "p.c"), os.path.join(folder, "p")
    with open(source, "w") as f:
        f.write("#include <stdio.h>\n" + "".join(f'#include "{re.sub("^(core|port/[a-z]+)/", "", h)}"\n' for h in HEADERS))
        f.write("int main(void)\n{\n" + "\n".join(lines) + "\nreturn 0;\n}\n")
    compiler(*options, source, *link, "-o", program)
    return subprocess.run([program], capture_output=True, text=True).stdout.split()


def main(folder):
    makers = {}
    for header in HEADERS:
        text = re.sub(r"/\*.*?\*/", "", open(header, encoding="utf-8").read(), flags=re.S)
        for name, struct, rest in re.findall(r"^\w+ (\w+_init(?:_sized)?)\(struct (\w+) \*([^;]*)\);", text, re.M):
            makers[name] = struct, len(rest.split(",")) - 1
    tap.ok(len(makers) >= 10, "functions that prepare a struct are found", str(makers))
    names = sorted({struct for struct, _ in makers.values()})
    sizes = [f'printf("%zu\\n", sizeof(struct {name}));' for name in names]
    usual = run(folder, sizes, host_options())

    objects = []
    for source in SOURCES:
        objects.append(os.path.join(folder, os.path.basename(source) + ".o"))
        compiler(*host_options(), "-c", source, "-o", objects[-1])
    subprocess.run(["make", "-s", "build/libnanoacme.a", "build/libnanoacme-posix.a"], check=True, capture_output=True)
    link = [*objects, "build/libnanoacme-posix.a", "build/libnanoacme.a", "-lbearssl", "-no-pie", "-Wl,--unresolved-symbols=ignore-all"]
    met, unchecked, deaf = set(), set(), []
    for option in changed():
        there = run(folder, sizes, host_options(option))
        differ = {name for name, a, b in zip(names, usual, there) if a != b} - INSIDE
        asked = sorted((maker, arguments) for maker, (struct, arguments) in makers.items() if struct in differ)
        unchecked |= {maker for maker, _ in asked if not maker.endswith("_sized")}
        asked = [(maker, arguments) for maker, arguments in asked if maker.endswith("_sized")]
        # The plain name is the macro that a program uses; its struct is filled with a pattern, which must stay.
        calls = [f'{{ static unsigned char room[65536]; for (unsigned i = 0; i < sizeof room; i++) room[i] = 0x5a;\n'
                 f'int got = {maker[:-6]}((void *)room{", 1" * (arguments - 1)});\n'
                 f'for (unsigned i = 0; i < sizeof room; i++) if (room[i] != 0x5a) got = 1;\n'
                 f'printf("%d\\n", got); }}' for maker, arguments in asked]
        answers = run(folder, calls, host_options(option), link) if asked else []
        met |= {maker for maker, _ in asked}
        deaf += [f"{maker} with {option}: {answer}" for (maker, _), answer in zip(asked, answers) if answer != "-1"]
        deaf += [f"a program with {option} ended early"] if len(answers) != len(asked) else []
    tap.ok(not unchecked, "who prepares a struct of changing size has a _sized form", ", ".join(sorted(unchecked)))
    tap.ok(not deaf, "each answers ACME_E_SIZE to a program with another limit, and touches nothing", "; ".join(deaf))
    never = {maker for maker in makers if maker.endswith("_sized")} - met
    tap.ok(not never, f"each was tried: {', '.join(sorted(met))}", "not tried: " + ", ".join(sorted(never)))


with tempfile.TemporaryDirectory() as work:
    main(work)
tap.end()
