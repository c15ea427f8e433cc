#!/usr/bin/env python3
"""The projects of port/cmake/README.md, as they stand there: a firmware for Cortex-M3 with lwIP and BearSSL from source, linked; one with
an Mbed TLS of its own, without BearSSL; a program on this machine, run, over the POSIX port, and over sockets and stores without BearSSL; and
both again with what `make install` lays down; sockets that are lwIP's."""

import os
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.abspath(os.path.join(HERE, "..", ".."))
sys.path[:0] = [os.path.join(HERE, "..")]
import tap

LINES_MAX = 15
GATEWAY = """#include "acme.h"
#include "posix.h"
static struct acme_client client;
int main(void)
{
    static const struct acme_setup setup;
    struct acme_posix_net net;
    acme_posix_net_init(&net);
    return acme_init(&client, &setup) == ACME_E_NULL ? 0 : 1; /* and not ACME_E_SIZE */
}
"""
SOCKETS = """#include "acme_files.h"
#include "acme_flash.h"
#include "acme_kv.h"
#include "acme_sockets.h"
static uint32_t now_ms(void) { return 0; }
int main(void)
{
    static struct acme_sockets_net net;
    static struct acme_sockets_listener listener;
    static struct acme_kv_store store;
    static struct acme_kv kv;
    struct acme_sockets_found found;
    acme_sockets_net_init(&net, now_ms, acme_sockets_lookup, &found);
    if (acme_sockets_listener_init(&listener, "127.0.0.1", 0) != 0 || listener.listener.start(&listener) != 1 ||
        net.net.open(&net, "no address", 1) != ACME_E_HOST) {
        return 1;
    }
    listener.listener.stop(&listener);
    return acme_kv_init(&store, &kv) != 0; /* ACME_E_SIZE: another ACME_KV_VALUE */
}
"""
FIRMWARE = """#include "acme.h"
#include "acme_flash.h"
#include "acme_lwip.h"
#include "lwip/init.h"
#include "protocol/challenge_http01.h"
#include "secure/key_p256.h"
#if ACME_NAMES_MAX != 2
#error "the options do not come through"
#endif
static struct acme_client client;
static struct acme_lwip_net net;
static struct acme_lwip_listener listener;
static struct acme_flash_store store;
static struct acme_http01 http01;
static struct acme_tls tls;
static struct acme_key_p256 keys[2];
struct acme_setup setup = {.net = &net.net, .store = &store.store, .tls = &tls,
    .account_key = {&acme_key_p256_ops, &keys[0]}, .certificate_key = {&acme_key_p256_ops, &keys[1]}};
extern struct acme_flash_device device;
struct acme_flash_device device;
u32_t my_random(void) { return 4; } /* chosen by fair dice roll; nothing runs here */
u32_t sys_now(void) { return 0; }
int main(void)
{
    lwip_init();
    acme_lwip_net_init(&net);
    acme_lwip_listener_init(&listener, 80, ACME_HTTP01_SLOTS);
    acme_flash_init(&store, &device);
    acme_http01_init(&http01, &listener.listener);
    acme_init(&client, &setup);
    acme_start(&client, ACME_KEEP, sys_now());
    while (acme_tick(&client, sys_now()) != ACME_FAILED) {
    }
    return 0;
}
"""
LWIPOPTS = """#include <stdint.h>
#define NO_SYS 1
#define LWIP_SOCKET 0
#define LWIP_NETCONN 0
#define LWIP_DNS 1
#define SYS_LIGHTWEIGHT_PROT 0
uint32_t my_random(void);
#define LWIP_RAND() my_random()
#include "lwipopts_acme.h"
"""
# The same over the Mbed TLS it has: what stands on port/mbedtls's page, in the place of a struct acme_tls.
SET_UP = next(b for b in re.findall(r"```c\n(.*?)```", open(os.path.join(ROOT, "port/mbedtls/README.md"), encoding="utf-8").read(), re.S)
              if "acme_mbedtls_trust" in b)
CONNECTED = """#include <string.h>
#include "acme_mbedtls.h"
""" + FIRMWARE.replace(".net = &net.net, ", "").replace(".tls = &tls,", "").replace("static struct acme_tls tls;\n", "").replace(
    "struct acme_flash_device device;\nu32_t", """struct acme_flash_device device;
struct acme_sys my_sys;
const char my_roots_pem[] = "";
#define my_net net.net
""" + SET_UP + "u32_t").replace("    acme_init(", "    connection_init();\n    acme_init(")
# Libraries as they were compiled for the same processor, where that has been done: it is most of the work.
LAUNCHER = """#!/bin/sh
for word; do [ "$before" = -o ] && object=$word; before=$word; done
for made in "{root}/build/firmware/arm-none-eabi-gcc/bearssl/$(echo "$before" | sed -n 's|.*/bearssl/src/\\(.*\\)[.]c$|\\1.o|p')" \
	"{root}/build/mbedtls/board/library/$(echo "$before" | sed -n 's|.*/mbedtls/library/\\(.*\\)[.]c$|\\1.o|p')" \
	"{lwip}/$(echo "$object" | sed -n '/lwipcore.dir/p')"; do
	if [ -f "$made" ]; then exec cp "$made" "$object"; fi
done
exec "$@"
"""
CC_H = "#define LWIP_PLATFORM_ASSERT(text) for (;;)\n#define LWIP_PLATFORM_DIAG(x)\n"


def project(folder, name, files):
    """Writes a project of the page with its own files. Returns how many lines of CMake it has."""
    text = open(os.path.join(ROOT, "port/cmake/README.md"), encoding="utf-8").read()
    lines = next(b for b in re.findall(r"```cmake\n(.*?)```", text, re.S) if f"project({name} " in b)
    for path, content in {**files, "CMakeLists.txt": lines}.items():
        os.makedirs(os.path.dirname(os.path.join(folder, path)), exist_ok=True)
        with open(os.path.join(folder, path), "w", encoding="utf-8") as f:
            f.write(content)
    return len(lines.splitlines())


def make(folder, *options):
    """Returns what went wrong."""
    for command in (["cmake", *(["-G", "Ninja"] if shutil.which("ninja") else []), "-B", "build", *options], ["cmake", "--build", "build", "-j2"]):
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
        if done.returncode != 0:
            tap.note((done.stdout + done.stderr)[-1500:])
            return f"{command[1]}: {done.returncode}"
    return ""


def firmware(folder, name, main, libraries, has, has_not=""):
    """Links a firmware of the page's; lwIP as another one of them has compiled it."""
    count = project(folder, name, {"main.c": main, "lwipopts.h": LWIPOPTS, "arch/cc.h": CC_H})
    for link, source in {"nanoacme": ".", **{n: f"build/src/{n}" for n in libraries}}.items():
        os.symlink(os.path.join(ROOT, source), os.path.join(folder, link))
    text = open(os.path.join(ROOT, "port/cmake/README.md"), encoding="utf-8").read()
    options = re.search(r"cmake -B build (.*) && cmake", text, re.S)[1].replace("\\\n", " ").split()
    options = [o for o in options if not o.startswith("-DJSMN")] + ["-DJSMN_DIR=" + os.environ.get("JSMN_DIR", "/usr/include")]
    if "mbedtls" in libraries:
        options += re.search(r"with `(-D.*?)`, options of Mbed TLS", text)[1].split()
    launcher = os.path.join(folder, "launcher")
    with open(launcher, "w", encoding="utf-8") as f:
        f.write(LAUNCHER.format(root=ROOT, lwip=os.path.join(folder, "..", "product", "build")))
    os.chmod(launcher, 0o755)
    wrong = make(folder, *options, f"-DCMAKE_C_COMPILER_LAUNCHER={launcher}")
    tap.ok(not wrong, f"the page's firmware for Cortex-M3, with {' and '.join(libraries)} from source, is linked", wrong)
    tap.ok(count <= LINES_MAX, f"by {LINES_MAX} lines of the user's", str(count))
    if not wrong:
        names = subprocess.run(["arm-none-eabi-nm", os.path.join(folder, "build", name)], capture_output=True, text=True).stdout
        lacking = [n for n in has if f" {n}\n" not in names]
        tap.ok(not lacking, "client, TLS and lwIP are in it", " ".join(lacking))
        tap.ok(not has_not or not re.search(has_not, names), "and nothing of another TLS")


def gateway(folder, edit, what, *options, program=GATEWAY):
    project(folder, "gateway", {"main.c": program})
    path = os.path.join(folder, "CMakeLists.txt")
    text = edit(open(path, encoding="utf-8").read())
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    wrong = make(folder, *options)
    if not wrong:
        wrong = str(subprocess.run([os.path.join(folder, "build", "gateway")]).returncode or "")
    tap.ok(not wrong, what, wrong)


def found(text):
    return re.sub(r"include\(Fetch.*?MakeAvailable\(nanoacme\)", "find_package(nanoacme 0.1 REQUIRED)", text, flags=re.S)


def without(text):
    """The page's program without POSIX and BearSSL, by what the page says of it."""
    page = open("port/cmake/README.md", encoding="utf-8").read()
    targets = re.search(r"`(nanoacme::sockets nanoacme::stores)`", page)[1]
    before = re.search(r"`(set\(NANOACME_TLS own\))` before", page)[1]
    return text.replace("FetchContent_MakeAvailable", before + "\nFetchContent_MakeAvailable").replace("nanoacme::posix", targets)


def lwip_sockets(folder):
    """nanoacme::sockets over lwIP's, compiled for this machine."""
    os.makedirs(folder)
    with open(os.path.join(folder, "lwipopts.h"), "w", encoding="utf-8") as f:
        f.write("#include <stdint.h>\n#define LWIP_COMPAT_SOCKETS 0\n#define LWIP_POSIX_SOCKETS_IO_NAMES 0\n#define LWIP_TIMEVAL_PRIVATE 0\n")
    with open(os.path.join(folder, "CMakeLists.txt"), "w", encoding="utf-8") as f:
        f.write(f"""cmake_minimum_required(VERSION 3.19)
project(stack C)
add_library(lwipcore INTERFACE)
set(CMAKE_OPTIMIZE_DEPENDENCIES ON) # the objects of this target, and of no other
set(LWIP_INCLUDE_DIRS ${{CMAKE_SOURCE_DIR}} {ROOT}/tests/boards/kernel {ROOT}/tests/conformance/lwip {ROOT}/build/src/lwip/src/include)
set(NANOACME_SOCKETS lwip)
set(NANOACME_TLS own)
add_subdirectory({ROOT}/port/cmake nanoacme)
add_custom_target(it ALL DEPENDS nanoacme_sockets)
""")
    wrong = make(folder)
    names = subprocess.run(f"nm {folder}/build/nanoacme/libnanoacme_sockets.a", shell=True, capture_output=True, text=True).stdout
    tap.ok(not wrong and "U lwip_connect" in names and "U connect" not in names, "NANOACME_SOCKETS=lwip: the sockets are lwIP's", wrong)


def main():
    os.chdir(ROOT)
    for variable in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL"):
        os.environ.pop(variable, None)
    if not shutil.which("cmake"):
        tap.skip("projects with CMake", "no cmake: tests/deps.sh check")
        return
    with tempfile.TemporaryDirectory() as folder:
        fetched = os.path.join(folder, "fetched")
        os.makedirs(fetched)
        os.symlink(ROOT, os.path.join(fetched, "nanoacme"))
        bearssl = ["-DBEARSSL_DIR=" + os.environ["BEARSSL_DIR"]] if "BEARSSL_DIR" in os.environ else []
        jsmn = ["-DJSMN_DIR=" + os.environ["JSMN_DIR"]] if "JSMN_DIR" in os.environ else []
        gateway(fetched, lambda t: t, "the page's program on this machine, by FetchContent from a folder, runs", *bearssl, *jsmn)
        light = os.path.join(folder, "light")
        os.makedirs(light)
        os.symlink(ROOT, os.path.join(light, "nanoacme"))
        gateway(light, without, "one over sockets and stores, with a TLS of its own, runs where there is no BearSSL", *jsmn,
                "-DBEARSSL_DIR=/nowhere", program=SOCKETS)
        prefix = os.path.join(folder, "prefix")
        done = subprocess.run(["make", "-s", "install", f"PREFIX={prefix}"], capture_output=True, text=True)
        installed = os.path.join(folder, "installed")
        os.makedirs(installed)
        gateway(installed, found, "and by find_package, after make install", f"-DCMAKE_PREFIX_PATH={prefix}")
        gateway(installed, lambda t: without(found(t)), "with sockets and stores, too", f"-DCMAKE_PREFIX_PATH={prefix}", program=SOCKETS)
        tap.note(done.stderr[-300:])
        if os.path.isdir("build/src/lwip"):
            lwip_sockets(os.path.join(folder, "stack"))
        else:
            tap.skip("lwIP's sockets", "no sources: tests/deps.sh firmware")
        if shutil.which("arm-none-eabi-gcc") and os.path.isdir("build/src/lwip") and os.path.isdir("build/src/bearssl"):
            firmware(os.path.join(folder, "product"), "product", FIRMWARE, ["lwip", "bearssl"],
                     ["acme_tick", "br_x509_minimal_init", "tcp_connect"], " mbedtls_")
        else:
            tap.skip("a firmware with CMake", "no Arm compiler, or no sources: tests/deps.sh firmware")
        if shutil.which("arm-none-eabi-gcc") and os.path.isdir("build/src/lwip") and os.path.isdir("build/src/mbedtls"):
            subprocess.run(["make", "-s", "-j2", "mbedtls-board-library"], capture_output=True)
            firmware(os.path.join(folder, "connected"), "connected", CONNECTED, ["lwip", "mbedtls"],
                     ["acme_tick", "mbedtls_ssl_handshake_step", "tcp_connect"], r" (br_|acme_tls_)")
        else:
            tap.skip("a firmware with CMake and Mbed TLS", "no Arm compiler, or no sources: tests/deps.sh check")


main()
tap.end()
