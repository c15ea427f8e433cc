#!/usr/bin/env python3
"""package.py root FOLDER: writes what wants to lie at the root of a package into the folder, a copy of this tree.
package.py debian FOLDER: writes debian/ into the folder.
package.py sbom: a bill of materials, CycloneDX 1.5 in JSON, on standard output: reproducible, with the moment of
SOURCE_DATE_EPOCH."""

import hashlib
import json
import os
import re
import subprocess
import sys
import time
import uuid

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
HERE = "port/package"
LIBRARY = ("ACME_CORE", "ACME_BEARSSL", "ACME_FLASH", "ACME_STORES")  # what PlatformIO compiles
# What an image is linked with, as tests/deps.sh brings it. Fixes: what is newer upstream, see core/secure/README.md.
PARTS = [
    {"name": "bearssl", "version": "0.6", "licence": "MIT", "url": "https://bearssl.org/bearssl-0.6.tar.gz", "scope": "required",
     "what": "TLS 1.2, X.509, P-256: linked", "note": "commits after 0.6 and what of them concerns this client: core/secure/README.md"},
    {"name": "jsmn", "version": "1.1.0", "licence": "MIT", "url": "https://github.com/zserge/jsmn", "scope": "required",
     "what": "JSON tokens: one header, compiled into wire/json.c", "note": "sees only texts whose grammar was checked before"},
    {"name": "lwip", "version": "2.1.3", "licence": "BSD-3-Clause", "url": "https://savannah.nongnu.org/projects/lwip/",
     "scope": "optional", "what": "TCP/IP of the example firmware; a product brings its own", "note": "port/lwip: 2.1 or later"}]


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as f:
        return f.read()


def version():
    return re.search(r'ACME_VERSION "(.*)"', read("core/acme_version.h"))[1]


def listed(*names):
    return [m[2] for m in re.finditer(r"^(\w+) \+= (\S+)$", read("core/Filelists.mk"), re.M) if m[1] in names]


def root_files():
    """What lies at a package's root, by name."""
    library = json.loads(read(f"{HERE}/platformio/library.json").replace("@VERSION@", version()))
    library["build"]["srcFilter"] = ["-<*>", *(f"+<{p}>" for p in listed(*LIBRARY))]
    return {
        "CMakeLists.txt": read(f"{HERE}/CMakeLists.txt"),
        "Kconfig": read(f"{HERE}/esp-idf/nanoacme/Kconfig").replace("../../Kconfig", f"{HERE}/Kconfig"),
        "idf_component.yml": read(f"{HERE}/esp-idf/nanoacme/idf_component.yml").replace("@VERSION@", version()),
        "library.json": json.dumps(library, indent=2) + "\n",
        "zephyr/module.yml": re.sub(r"# nanoacme as a module: .*\n", "", read(f"{HERE}/zephyr/zephyr/module.yml").replace(
            ": zephyr", f": {HERE}/zephyr/zephyr").replace("- sample", f"- {HERE}/zephyr/sample")),
        "sbom.cdx.json": sbom()}


def debian_files():
    """What lies in debian/, by name."""
    folder = os.path.join(ROOT, HERE, "debian")
    names = [os.path.relpath(os.path.join(at, n), folder) for at, _, there in os.walk(folder) for n in there]
    files = {name: read(f"{HERE}/debian/{name}") for name in names}
    owner, text = re.search(r"^Copyright \(c\) (.*)$", read("LICENSE"), re.M)[1], read("LICENSE").split("\n\n", 2)[2]
    files["copyright"] = files["copyright"].replace("@COPYRIGHT@", owner).replace(
        "@LICENCE@", "\n".join(" " + (line or ".") for line in text.rstrip().split("\n")))
    date = time.strftime("%a, %d %b %Y %H:%M:%S +0000", time.gmtime(moment()))
    maintainer = re.search(r"^Maintainer: (.*)$", files["control"], re.M)[1]
    files["changelog"] = f"nanoacme ({version()}) unstable; urgency=medium\n\n  * As it is upstream.\n\n -- {maintainer}  {date}\n"
    return files


def moment():
    """Seconds since 1970: SOURCE_DATE_EPOCH, or the last commit, or 2026-01-01."""
    told = os.environ.get("SOURCE_DATE_EPOCH") or subprocess.run(["git", "log", "-1", "--format=%ct"], cwd=ROOT, capture_output=True,
                                                                 text=True).stdout.strip()
    return int(told or 1767225600)


def sbom():
    files = listed("ACME_CORE", "ACME_BEARSSL", "ACME_FLASH", "ACME_STORES", "ACME_LWIP", "ACME_POSIX")
    digest = hashlib.sha256("".join(read(p) for p in files).encode()).hexdigest()
    ours = f"pkg:generic/nanoacme@{version()}"
    refs = {p["name"]: f"pkg:generic/{p['name']}@{p['version']}" for p in PARTS}
    bill = {
        "bomFormat": "CycloneDX", "specVersion": "1.5", "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, ours + digest)}",
        "version": 1,
        "metadata": {
            "timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(moment())),
            "component": {"type": "library", "bom-ref": ours, "name": "nanoacme", "version": version(), "purl": ours,
                          "licenses": [{"license": {"id": "MIT"}}],
                          "properties": [{"name": "nanoacme:sources:sha256", "value": digest}]}},
        "components": [
            {"type": "library", "bom-ref": refs[p["name"]], "name": p["name"], "version": p["version"], "scope": p["scope"],
             "purl": refs[p["name"]], "description": p["what"], "licenses": [{"license": {"id": p["licence"]}}],
             "externalReferences": [{"type": "distribution", "url": p["url"]}], "pedigree": {"notes": p["note"]}} for p in PARTS],
        "dependencies": [{"ref": ours, "dependsOn": sorted(refs.values())}, *({"ref": r, "dependsOn": []} for r in sorted(refs.values()))]}
    return json.dumps(bill, indent=2) + "\n"


def main():
    if sys.argv[1:] == ["sbom"]:
        sys.stdout.write(sbom())
    elif len(sys.argv) == 3 and sys.argv[1] in ("root", "debian"):
        for name, text in (root_files() if sys.argv[1] == "root" else debian_files()).items():
            path = os.path.join(sys.argv[2], "debian" if sys.argv[1] == "debian" else "", name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="utf-8") as f:
                f.write(text)
            if name == "rules":
                os.chmod(path, 0o755)
    else:
        raise SystemExit(__doc__)


if __name__ == "__main__":
    main()
