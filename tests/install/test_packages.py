#!/usr/bin/env python3
"""What others' builds take in is core/Filelists.mk: the components of ESP-IDF and Zephyr (played by CMake with stand-ins for their
functions), PlatformIO's library.json, the tree and the tarball of `make dist`, its bill of materials, the Debian packages."""

import glob
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.abspath(os.path.join(HERE, "..", ".."))
sys.path[:0] = [os.path.join(HERE, "..")]
import tap

STAND_INS = """function(idf_component_register)
    cmake_parse_arguments(X "" "" "SRCS;INCLUDE_DIRS;REQUIRES;PRIV_REQUIRES" ${ARGN})
    message("files;${X_SRCS}\\nfolders;${X_INCLUDE_DIRS}")
endfunction()
function(target_compile_definitions target how)
    message("definitions;${ARGN}")
endfunction()
function(zephyr_library_named name)
endfunction()
function(zephyr_library_sources)
    message("files;${ARGN}")
endfunction()
function(zephyr_include_directories)
    message("folders;${ARGN}")
endfunction()
function(zephyr_compile_definitions)
    message("definitions;${ARGN}")
endfunction()
"""
LISTS = {}
for name, path in re.findall(r"^(ACME_\w+) \+= (\S+)$", open(f"{ROOT}/core/Filelists.mk", encoding="utf-8").read(), re.M):
    LISTS.setdefault(name, []).append(path)
DEVICE = LISTS["ACME_CORE"] + LISTS["ACME_BEARSSL"] + LISTS["ACME_FLASH"] + LISTS["ACME_STORES"]


def play(path, settings=""):
    """What a CMakeLists.txt says to the stand-ins: lists by name."""
    with tempfile.NamedTemporaryFile("w", suffix=".cmake") as script:
        script.write(STAND_INS + settings + f'\ninclude("{path}")\n')
        script.flush()
        said = subprocess.run(["cmake", "-P", script.name], capture_output=True, text=True)
    return {line.split(";")[0]: line.split(";")[1:] for line in said.stderr.splitlines()}, said.returncode


def component(what, path, root, settings="", more=()):
    found, code = play(path, settings + "\nset(COMPONENT_LIB x)\nset(CONFIG_NANOACME_NAMES_MAX 3)\nset(CONFIG_NANOACME_CFG_TRACE y)")
    files = [os.path.relpath(os.path.realpath(p), os.path.realpath(root)) for p in found.get("files", [])]
    tap.ok(code == 0 and files == [*DEVICE, *more], f"{what}: its files are the list", f"{set(files) ^ {*DEVICE, *more}}")
    tap.ok(found.get("folders") and all(os.path.isdir(p) for p in found["folders"]), f"{what}: its folders are there")
    given = dict(d.split("=") for d in found.get("definitions", []))
    tap.ok(given.get("ACME_NAMES_MAX") == "3" and given.get("ACME_CFG_TRACE") == "1" and given.get("ACME_CFG_V1") == "0",
           f"{what}: its options reach the compiler", str(given)[:200])


def kconfig():
    """Options of Kconfig that acme_config.h does not have, or whose defaults differ."""
    config = open(f"{ROOT}/core/acme_config.h", encoding="utf-8").read()
    for name, body in re.findall(r"^config NANOACME_(\w+)\n((?:\t.*\n|\n)*)", open(f"{ROOT}/port/package/Kconfig", encoding="utf-8").read(), re.M):
        default = re.search(r"^\tdefault (\w+)", body, re.M)[1]
        default = {"y": "1", "n": "0"}.get(default, default)
        if not re.search(rf"^#define ACME_{name} {default}$", config, re.M):
            yield name


def platformio(tree):
    library = json.load(open(f"{tree}/library.json", encoding="utf-8"))
    taken = library["build"]["srcFilter"]
    tap.ok(taken == ["-<*>", *(f"+<{p}>" for p in DEVICE)], "PlatformIO: srcFilter is the list")
    packed = library["export"]["include"]
    tap.ok(all(any(p.startswith(top) for top in packed) for p in DEVICE) and not any(top.startswith(("tests", "boards")) for top in packed),
           "PlatformIO: all of it is packed, boards and tests are not")
    tap.ok(len(library["name"]) <= 50 and len(library["version"]) <= 20, "PlatformIO: name and version")


def bill(tree, version):
    made = json.load(open(f"{tree}/sbom.cdx.json", encoding="utf-8"))
    parts = {c["name"]: c["version"] for c in made["components"]}
    tap.ok(made["bomFormat"] == "CycloneDX" and made["specVersion"] == "1.5" and made["metadata"]["component"]["version"] == version and
           set(parts) == {"bearssl", "jsmn", "lwip"}, "a bill of materials, with what an image is linked with", str(parts))
    refs = {made["metadata"]["component"]["bom-ref"], *(c["bom-ref"] for c in made["components"])}
    tap.ok({r for d in made["dependencies"] for r in [d["ref"], *d["dependsOn"]]} == refs and
           re.fullmatch(r"urn:uuid:[0-9a-f-]{36}", made["serialNumber"]), "its references lead somewhere")
    for package, name in (("libbearssl-dev", "bearssl"), ("libjsmn-dev", "jsmn")):
        here = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", package], capture_output=True, text=True).stdout if shutil.which("dpkg-query") else ""
        if here:
            tap.ok(re.match(r"[\d.]+", here)[0] == parts[name], f"its {name} is the one here", here)


def deb(folder):
    done = subprocess.run(["make", "-s", "deb", f"DIST={folder}"], capture_output=True, text=True)
    made = sorted(os.path.basename(p).split("_")[0] for p in glob.glob(f"{folder}/deb/*.deb") if "dbgsym" not in p)
    if not tap.ok(done.returncode == 0 and made == ["libnanoacme-dev", "nanoacme"], "make deb makes two packages", done.stderr[-400:]):
        return
    said = subprocess.run(["lintian", "--allow-root", "--fail-on", "warning,error", *glob.glob(f"{folder}/deb/*.changes")], capture_output=True, text=True)
    tap.ok(said.returncode == 0, "lintian has neither errors nor warnings", said.stdout[-400:])
    package = glob.glob(f"{folder}/deb/nanoacme_*.deb")[0]
    subprocess.run(["dpkg-deb", "-R", package, f"{folder}/image"], check=True)
    unit = open(f"{folder}/image/lib/systemd/system/nanoacme.service", encoding="utf-8").read()
    tap.ok(unit.count("Condition") == 3 and "=|/etc/nanoacme.conf" in unit and "ExecStart=/usr/bin/nanoacme" in unit,
           "the service is idle until there is something to do")
    after = open(f"{folder}/image/DEBIAN/postinst", encoding="utf-8").read()
    tap.ok("enable 'nanoacme.timer'" in after and "nanoacme-daemon.service' >/dev/null && " not in after and "enable 'nanoacme.service'" not in after,
           "the timer alone is enabled")
    tap.ok(not any("/var/lib" in open(p, encoding="utf-8").read() for p in glob.glob(f"{folder}/image/DEBIAN/p*rm")), "purge leaves the keys")


def main():
    os.chdir(ROOT)
    for variable in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL"):
        os.environ.pop(variable, None)
    version = re.search(r'ACME_VERSION "(.*)"', open("core/acme_version.h", encoding="utf-8").read())[1]
    odd = list(kconfig())
    tap.ok(not odd, "Kconfig: every option is one of acme_config.h, with its default", " ".join(odd))
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(["make", "-s", "dist", f"DIST={folder}/1"], capture_output=True, text=True)
        tap.ok(done.returncode == 0, "make dist", done.stderr[-400:])
        subprocess.run(["make", "-s", "dist", f"DIST={folder}/2"], capture_output=True)
        tree, ball = f"{folder}/1/nanoacme-{version}", f"{folder}/1/nanoacme-{version}.tar.gz"
        tap.ok(open(ball, "rb").read() == open(ball.replace("/1/", "/2/"), "rb").read(), "twice the same bytes")
        names = [m.name.split("/", 1)[-1] for m in tarfile.open(ball).getmembers() if not m.isdir()]
        every = {p for files in LISTS.values() for p in files}
        tap.ok(every <= set(names) and not [n for n in names if n.startswith("build/") or "__pycache__" in n], "every file of the lists is in it")
        tap.ok({"CMakeLists.txt", "Kconfig", "idf_component.yml", "library.json", "zephyr/module.yml", "sbom.cdx.json", "Makefile", "LICENSE"} <=
               set(names), "and what packagers look for at the root")
        if shutil.which("cmake"):
            idf = "port/package/esp-idf/nanoacme/CMakeLists.txt"
            lwip = "set(CONFIG_NANOACME_LWIP y)"
            component("ESP-IDF, from this tree", f"{ROOT}/{idf}", ROOT)
            component("ESP-IDF with lwIP, from a package", f"{tree}/CMakeLists.txt", tree, "set(IDF_TARGET esp32)\n" + lwip, LISTS["ACME_LWIP"])
            component("Zephyr, from this tree", f"{ROOT}/port/package/zephyr/zephyr/CMakeLists.txt", ROOT, "set(CONFIG_NANOACME y)")
            where = re.search(r"cmake: (\S+)", open(f"{tree}/zephyr/module.yml", encoding="utf-8").read())[1]
            component("Zephyr, from a package", f"{tree}/{where}/CMakeLists.txt", tree, "set(CONFIG_NANOACME y)")
        else:
            tap.skip("components of ESP-IDF and Zephyr", "no cmake: tests/deps.sh check")
        for kconfig_file in (f"{ROOT}/port/package/esp-idf/nanoacme/Kconfig", f"{tree}/Kconfig", f"{tree}/port/package/zephyr/zephyr/Kconfig"):
            source = re.search(r'rsource "(.*)"', open(kconfig_file, encoding="utf-8").read())[1]
            tap.ok(os.path.isfile(os.path.join(os.path.dirname(kconfig_file), source)), f"{os.path.relpath(kconfig_file, folder)[-40:]} leads to the options")
        manifest = open(f"{tree}/idf_component.yml", encoding="utf-8").read()
        tap.ok(f'version: "{version}"' in manifest and "license: MIT" in manifest and "@" not in manifest, "ESP-IDF: the manifest has the version")
        platformio(tree)
        bill(tree, version)
        if shutil.which("dh") and shutil.which("lintian") and os.path.exists("/usr/include/bearssl.h"):
            deb(f"{folder}/deb")
        else:
            tap.skip("Debian packages", "no debhelper, or no lintian")


main()
tap.end()
