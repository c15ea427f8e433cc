#!/usr/bin/env python3
"""What others' builds take in is core/Filelists.mk: the components of ESP-IDF and Zephyr (played by CMake with stand-ins for their
functions), Zephyr's sample, NuttX's application libraries (by make, likewise), PlatformIO's library.json, the tree and the tarball of `make
dist`, its bill of materials, the Debian packages."""

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
function(zephyr_library_link_libraries)
    message("links;${ARGN}")
endfunction()
function(idf_component_optional_requires how)
    message("links;${ARGN}")
endfunction()
"""
LISTS = {}
for name, path in re.findall(r"^(ACME_\w+) \+= (\S+)$", open(f"{ROOT}/core/Filelists.mk", encoding="utf-8").read(), re.M):
    LISTS.setdefault(name, []).append(path)
DEVICE = LISTS["ACME_CORE"] + LISTS["ACME_BEARSSL"] + LISTS["ACME_FLASH"] + LISTS["ACME_STORES"]
TLS = {"bearssl": ["ACME_BEARSSL"], "mbedtls": ["ACME_SECURE", "ACME_MBEDTLS"], "own": ["ACME_SECURE"]}


def play(path, settings=""):
    """What a CMakeLists.txt says to the stand-ins: lists by name."""
    with tempfile.NamedTemporaryFile("w", suffix=".cmake") as script:
        script.write(STAND_INS + settings + f'\ninclude("{path}")\n')
        script.flush()
        said = subprocess.run(["cmake", "-P", script.name], capture_output=True, text=True)
    return {line.split(";")[0]: line.split(";")[1:] for line in said.stderr.splitlines()}, said.returncode


def component(what, path, root, tls, settings="", more=(), links=None):
    usual = "\n".join(f"set(CONFIG_NANOACME_{name} {default})" for name, default in options() if default != "n")
    found, code = play(path, f"{settings}\n{usual}\nset(COMPONENT_LIB x)\nset(CONFIG_NANOACME_NAMES_MAX 3)\n"
                             f"set(CONFIG_NANOACME_TLS_{tls.upper()} y)")
    files = [os.path.relpath(os.path.realpath(p), os.path.realpath(root)) for p in found.get("files", [])]
    due = [p for name in ("ACME_CORE", *TLS[tls], "ACME_FLASH", "ACME_STORES") for p in LISTS[name]] + list(more)
    tap.ok(code == 0 and files == due, f"{what}: its files are the list", f"{set(files) ^ set(due)}")
    tap.ok(found.get("folders") and all(os.path.isdir(p) for p in found["folders"]), f"{what}: its folders are there")
    given = dict(d.split("=") for d in found.get("definitions", []))
    tap.ok(given.get("ACME_NAMES_MAX") == "3" and given.get("ACME_CFG_TRACE") == "1" and given.get("ACME_CFG_V1") == "0",
           f"{what}: its options reach the compiler", str(given)[:200])
    tap.ok((given.get("ACME_CFG_BEARSSL") == "0") == (tls != "bearssl") and found.get("links") == links,
           f"{what}: {tls} is what it is linked with", str(found.get("links")))
    return found


def compiled(what, found, folder):
    """As ESP-IDF compiles them: its dialect, its warnings, _GNU_SOURCE from outside. Its Mbed TLS has a generator of its own."""
    if not os.path.isdir("build/src/mbedtls"):
        return tap.skip(f"{what}: compiled", "no source of Mbed TLS: tests/deps.sh check")
    call = ["cc", "-std=gnu2x", "-D_GNU_SOURCE", "-DESP_PLATFORM", "-Wall", "-Wextra", "-Werror", "-Wno-unused-parameter", "-isystem",
            "build/src/mbedtls/include", '-DMBEDTLS_CONFIG_FILE="acme_mbedtls_config.h"', *(f"-D{d}" for d in found["definitions"]),
            *(f"-I{d}" for d in found["folders"])]
    done = subprocess.run([*call, "-fsyntax-only", *found["files"]], capture_output=True, text=True)
    tap.ok(done.returncode == 0, f"{what}: it compiles with ESP-IDF's flags", done.stderr[-400:])
    random = next(p for p in found["files"] if p.endswith("port/mbedtls/random.c"))
    subprocess.run([*call, "-c", "-o", f"{folder}/random.o", random], check=True)
    symbols = subprocess.run(["nm", f"{folder}/random.o"], capture_output=True, text=True, check=True).stdout
    tap.ok("acme_mbedtls_random_from" in symbols and "external_get_random" not in symbols, f"{what}: the generator is left to ESP-IDF")


def options():
    """Options of Kconfig with their defaults."""
    for name, body in re.findall(r"^config NANOACME_(\w+)\n((?:\t.*\n|\n)*)", open(f"{ROOT}/port/package/Kconfig", encoding="utf-8").read(), re.M):
        yield name, re.search(r"^\tdefault (\w+)", body, re.M)[1]


# Of NuttX's: what it does with the sources, here said.
APPLICATION = """COBJS = objects
all:
	@printf '%s\\n' $(foreach f,$(CSRCS),$(firstword $(wildcard $(addsuffix $f,$(subst :, ,$(VPATH))))))
	@printf 'flag %s\\n' $(CFLAGS)
	@printf 'app %s\\n' $(CONFIGURED_APPS)
"""


def nuttx(root, folder, bearssl):
    """The libraries among NuttX's apps, played by make."""
    apps, source = f"{folder}/apps-{bearssl}", f"{folder}/bearssl"
    os.makedirs(f"{source}/src/mac", exist_ok=True)
    os.makedirs(apps)
    os.symlink(f"{root}/port/package/nuttx", f"{apps}/nanoacme")
    for path, text in ((f"{source}/src/mac/hmac.c", ""), (f"{apps}/Application.mk", APPLICATION),
                       (f"{apps}/Make.defs", "all:\nINCDIR_PREFIX = -I\nINCSYSDIR_PREFIX = -isystem\ninclude $(APPDIR)/nanoacme/Make.defs\n")):
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
    made = [subprocess.run(["make", "-s", "-C", f"{apps}/nanoacme{part}", f"APPDIR={apps}", "CONFIG_NANOACME=y", "CONFIG_NANOACME_NAMES_MAX=3",
                            "CONFIG_NANOACME_CFG_TRACE=y", 'CONFIG_NANOACME_BEARSSL="' + (source if bearssl else "") + '"'],
                           capture_output=True, text=True) for part in ("", "/bearssl")]
    said = [m.stdout.splitlines() for m in made]
    files = [os.path.relpath(os.path.realpath(p), os.path.realpath(root)) for p in said[0] if p.startswith("/")]
    due = [p for name in ("ACME_BEARSSL" if bearssl else "ACME_SECURE", "ACME_CORE", "ACME_SOCKETS", "ACME_STORES", "ACME_FLASH") for p in LISTS[name]]
    what = f"NuttX, {'BearSSL' if bearssl else 'own TLS'}"
    tap.ok(files == due, f"{what}: its files are the list, none hides another", f"{set(files) ^ set(due)} {made[0].stderr[-300:]}")
    flags = {line[5:] for line in said[0] if line.startswith("flag ")}
    tap.ok({"-DACME_NAMES_MAX=3", "-DACME_CFG_TRACE=1", "-DACME_CFG_V1=0", f"-DACME_CFG_BEARSSL={int(bearssl)}"} <= flags and
           all(os.path.isdir(f[2:]) for f in flags if f.startswith("-I")), f"{what}: options and folders reach the compiler", str(sorted(flags)))
    libraries = [line for line in said[0] if line.startswith("app ")]
    tap.ok(libraries == [f"app {apps}/nanoacme"] + [f"app {apps}/nanoacme/bearssl"] * bearssl and
           (said[1][0] == f"{source}/src/mac/hmac.c") == bearssl, f"{what}: BearSSL is a library of its own", f"{libraries} {said[1][:1]}")


def kconfig():
    """Options of Kconfig that acme_config.h does not have, or whose defaults differ."""
    config = open(f"{ROOT}/core/acme_config.h", encoding="utf-8").read()
    for name, default in options():
        default = {"y": "1", "n": "0"}.get(default, default)
        if not re.search(rf"^#define ACME_{name} {default}$", config, re.M):
            yield name


def sample(tree):
    """Zephyr's sample: what it names is there. It is compiled by tests/conformance/test_sockets.sh."""
    at = f"{tree}/" + re.search(r"samples:\n  - (\S+)", open(f"{tree}/zephyr/module.yml", encoding="utf-8").read())[1]
    lists, own, project = (open(f"{at}/{n}", encoding="utf-8").read() for n in ("CMakeLists.txt", "Kconfig", "prj.conf"))
    sources = re.search(r"target_sources\(app PRIVATE (.*)\)", lists)[1].split()
    tap.ok(set(sources) == {os.path.relpath(p, at) for p in glob.glob(f"{at}/src/*.c")} and
           os.path.isfile(f"{at}/{re.search('EXTRA_MODULES .*SOURCE_DIR}/([.]+)', lists)[1]}/zephyr/module.yml"), "Zephyr's sample: its files, and the module")
    text = lists + "".join(open(p, encoding="utf-8").read() for p in glob.glob(f"{at}/src/*"))
    tap.ok(set(re.findall(r"CONFIG_(SAMPLE_\w+)", text)) == set(re.findall(r"^config (\w+)", own, re.M)) and
           os.path.isfile(os.path.join(at, re.search(r'config SAMPLE_ROOTS\n.*\n\tdefault "(.*)"', own)[1])), "its options are those it uses")
    options = "".join(open(f"{tree}/port/package/{p}", encoding="utf-8").read() for p in ("Kconfig", "zephyr/zephyr/Kconfig"))
    tap.ok(set(re.findall(r"^CONFIG_(NANOACME\w*)=", project, re.M)) <= set(re.findall(r"^\w*config (NANOACME\w*)", options, re.M)),
           "and its settings are options of the module")
    more = re.search(r'USER_CONFIG_FILE="(.*)"', project)[1]
    tap.ok(os.path.isfile(f"{at}/src/{more}") and len(open(f"{at}/src/main.c", encoding="utf-8").readlines()) <= 150, "it stays short")


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
    share = f"{folder}/image/usr/share"
    tap.ok(os.path.exists(f"{share}/bash-completion/completions/nanoacme") and len(os.listdir(f"{share}/doc/nanoacme/examples")) == 4,
           "with completion for bash, and config examples")
    after = open(f"{folder}/image/DEBIAN/postinst", encoding="utf-8").read()
    tap.ok("enable 'nanoacme.timer'" in after and "nanoacme-daemon.service' >/dev/null && " not in after and "enable 'nanoacme.service'" not in after,
           "the timer alone is enabled")
    tap.ok(not any("/var/lib" in open(p, encoding="utf-8").read() for p in glob.glob(f"{folder}/image/DEBIAN/p*rm")), "purge leaves the keys")
    install(package, f"{folder}/root")


def install(package, root):
    """The package comes and goes in a system of its own: nothing of this one is touched, and no service is started."""
    if os.path.isdir("/run/systemd/system"):  # its scripts look there, whatever the root
        tap.skip("the package comes and goes", "systemd runs here, and would be asked")
        return
    dpkg = ["dpkg", f"--root={root}", "--force-not-root", "--force-script-chrootless", "--force-depends", "--force-unsafe-io",
            "--log=/dev/null"]
    os.makedirs(f"{root}/var/lib/dpkg/updates")
    open(f"{root}/var/lib/dpkg/status", "w").close()
    done = subprocess.run([*dpkg, "-i", package], capture_output=True, text=True)
    units = sorted(os.path.basename(p) for p in glob.glob(f"{root}/etc/systemd/system/*.wants/*"))
    tap.ok(done.returncode == 0 and os.access(f"{root}/usr/bin/nanoacme", os.X_OK) and units == ["nanoacme.timer"],
           "it is installed, its timer enabled and nothing else", (done.returncode, units, done.stderr[-300:]))
    tap.ok(not os.path.exists(f"{root}/etc/nanoacme.conf"), "without a configuration, so that the service has nothing to do")
    key = f"{root}/var/lib/nanoacme/gateway.example/privkey.pem"
    os.makedirs(os.path.dirname(key), exist_ok=True)
    open(key, "w").close()
    done = subprocess.run([*dpkg, "-P", "nanoacme"], capture_output=True, text=True)
    left = [p for p in glob.glob(f"{root}/**/*nanoacme*", recursive=True) if not p.startswith(f"{root}/var/lib/nanoacme")]
    tap.ok(done.returncode == 0 and not left and os.path.exists(key), "purged, nothing of it is left but the keys",
           (done.returncode, left[:5], done.stderr[-300:]))


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
        tap.ok({"CMakeLists.txt", "Kconfig", "idf_component.yml", "library.json", "zephyr/module.yml", "port/package/zephyr/sample/sample.yaml", "sbom.cdx.json", "Makefile", "LICENSE"} <=
               set(names), "and what packagers look for at the root")
        if shutil.which("cmake"):
            idf = "port/package/esp-idf/nanoacme/CMakeLists.txt"
            lwip = "set(CONFIG_NANOACME_LWIP y)"
            found = component("ESP-IDF, from this tree", f"{ROOT}/{idf}", ROOT, "mbedtls", "set(CONFIG_NANOACME_SOCKETS y)", LISTS["ACME_SOCKETS"])
            compiled("ESP-IDF, from this tree", found, folder)
            component("ESP-IDF with lwIP, from a package", f"{tree}/CMakeLists.txt", tree, "bearssl", "set(IDF_TARGET esp32)\n" + lwip,
                      LISTS["ACME_LWIP"], ["bearssl"])
            zephyr = "set(CONFIG_NANOACME y)\n"
            component("Zephyr, from this tree", f"{ROOT}/port/package/zephyr/zephyr/CMakeLists.txt", ROOT, "own", zephyr)
            where = re.search(r"cmake: (\S+)", open(f"{tree}/zephyr/module.yml", encoding="utf-8").read())[1]
            component("Zephyr with sockets, from a package", f"{tree}/{where}/CMakeLists.txt", tree, "mbedtls",
                      zephyr + "set(CONFIG_NANOACME_SOCKETS y)", LISTS["ACME_SOCKETS"], ["mbedTLS"])
            component("Zephyr, with BearSSL", f"{ROOT}/port/package/zephyr/zephyr/CMakeLists.txt", ROOT, "bearssl", zephyr)
        else:
            tap.skip("components of ESP-IDF and Zephyr", "no cmake: tests/deps.sh check")
        nuttx(ROOT, folder, True)
        nuttx(tree, folder, False)
        for kconfig_file in (f"{ROOT}/port/package/nuttx/Kconfig", f"{ROOT}/port/package/esp-idf/nanoacme/Kconfig", f"{tree}/Kconfig", f"{tree}/port/package/zephyr/zephyr/Kconfig"):
            source = re.search(r'rsource "(.*)"', open(kconfig_file, encoding="utf-8").read())[1]
            tap.ok(os.path.isfile(os.path.join(os.path.dirname(kconfig_file), source)), f"{os.path.relpath(kconfig_file, folder)[-40:]} leads to the options")
        manifest = open(f"{tree}/idf_component.yml", encoding="utf-8").read()
        tap.ok(f'version: "{version}"' in manifest and "license: MIT" in manifest and "@" not in manifest, "ESP-IDF: the manifest has the version")
        platformio(tree)
        sample(tree)
        bill(tree, version)
        if shutil.which("dh") and shutil.which("lintian") and os.path.exists("/usr/include/bearssl.h"):
            deb(f"{folder}/deb")
        else:
            tap.skip("Debian packages", "no debhelper, or no lintian")


main()
tap.end()
