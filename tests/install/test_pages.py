#!/usr/bin/env python3
"""Whatever a page says to type works as printed: its commands run in a fresh copy, its C compiles, its links lead somewhere.

A block of commands runs whole, from the top of a page to its end in one copy, with what it shows as output looked for in what
comes out. What cannot run here is in pages.list, with the reason; it is checked without being run: the shell reads it, make
knows the target, tests/run.py the group, the program the flag, the file is there."""

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path[:0] = [os.path.join(HERE, "..")]
import tap

LIST = os.path.join(HERE, "pages.list")
FIRST = re.compile(r"^(\$ |(sudo |nanoacme|make|tests/|build/|boards/\w+/qemu|python3 |cc |cp |cd |mkdir |qemu-|arm-none-eabi-)[\w.-]*)")
LIMIT_S = 800  # for one command; behind others it has to wait

# What a command with these words needs: where it is not, the rest of the page is skipped.
TOOLS = {"arm-none-eabi-gcc": "arm-none-eabi-gcc", "tests/deps.sh firmware": "build/src/bearssl", "make format": "clang-format-14"}

CORE = ["-Icore"]
LWIP = ["-Icore", "-Iport/lwip", "-Iport/flash", "-Itests/conformance/lwip", "-isystem", "build/src/lwip/src/include"]
# What a page says the reader has: page -> (what stands in front of its C, flags, what it needs). A page's blocks of C are one file,
# but for that of options, which is for lwIP.
C = {
    "README.md": ("""#include "acme_port.h"
#include "acme_setup.h"
extern const struct acme_net my_net;
extern const struct acme_sys my_sys;
extern const struct acme_store my_store;
extern const struct acme_listener my_listener;
void my_trace(void *ctx, const struct acme_event *event);
void my_log(int error, const char *detail);
bool my_tls_server_use(const char *chain, const char *key);
uint32_t now_ms(void);
int certificate_begin(void);
uint32_t certificate_step(void);
bool pair_load(void);
""", CORE, None),
    "port/README.md": ('#include "acme_flash.h"\n', CORE + ["-Iport/flash"], None),
    "port/stores/README.md": ("""#include "acme_files.h"
#include "acme_kv.h"
typedef int32_t lfs_soff_t, lfs_ssize_t; /* of lfs.h */
typedef uint32_t lfs_size_t;
typedef struct { int x; } lfs_t, lfs_file_t;
struct lfs_info { lfs_size_t size; };
enum { LFS_ERR_NOENT = -2, LFS_O_RDONLY = 1, LFS_O_WRONLY = 2, LFS_O_CREAT = 0x100, LFS_O_TRUNC = 0x400, LFS_SEEK_SET = 0 };
int lfs_stat(lfs_t *, const char *, struct lfs_info *);
int lfs_file_open(lfs_t *, lfs_file_t *, const char *, int);
lfs_soff_t lfs_file_seek(lfs_t *, lfs_file_t *, lfs_soff_t, int);
lfs_ssize_t lfs_file_read(lfs_t *, lfs_file_t *, void *, lfs_size_t);
lfs_ssize_t lfs_file_write(lfs_t *, lfs_file_t *, const void *, lfs_size_t);
int lfs_file_close(lfs_t *, lfs_file_t *);
int lfs_rename(lfs_t *, const char *, const char *);
int lfs_remove(lfs_t *, const char *);
typedef int esp_err_t; /* of nvs.h */
typedef uint32_t nvs_handle_t;
enum { ESP_OK = 0, ESP_ERR_NVS_NOT_FOUND = 0x1102 };
esp_err_t nvs_get_blob(nvs_handle_t, const char *, void *, size_t *);
esp_err_t nvs_set_blob(nvs_handle_t, const char *, const void *, size_t);
esp_err_t nvs_erase_key(nvs_handle_t, const char *);
esp_err_t nvs_commit(nvs_handle_t);
extern const struct acme_files my_files;
extern const struct acme_kv my_kv;
""", CORE + ["-Iport/stores"], None),
    "port/lwip/README.md": ("""#include "acme.h"
#include "acme_flash.h"
#include "acme_lwip.h"
#include "lwip/apps/sntp.h"
#include "protocol/challenge_http01.h"
extern struct acme_setup setup;
extern struct acme_client client;
bool my_rng_fill(void *buf, size_t len);
int my_flash_read(void *ctx, uint32_t at, void *buf, size_t len);
int my_flash_erase(void *ctx, uint32_t sector);
int my_flash_program(void *ctx, uint32_t at, const void *data, size_t len);
static const struct acme_sys my_sys;
static const struct acme_flash_device my_flash;
static const struct acme_solver my_solver;
void certificate_init(void);
void time_init(const ip_addr_t *server);
void time_check(void);
""", LWIP, "build/src/lwip"),
    "port/mbedtls/README.md": ("""#include "acme.h"
#include "acme_mbedtls.h"
#include <string.h>
extern struct acme_setup setup;
extern const struct acme_net my_net;
extern const struct acme_sys my_sys;
extern const char my_roots_pem[];
int connection_init(void);
""", CORE + ["-Iport/mbedtls", "-isystem", "build/src/mbedtls/include", '-DMBEDTLS_CONFIG_FILE="acme_mbedtls_config.h"'],
                               "build/src/mbedtls"),
    "port/sockets/README.md": ("""#include "acme.h"
#include "acme_sockets.h"
#include "protocol/challenge_http01.h"
#include <sys/random.h>
#include <time.h>
extern struct acme_setup setup;
uint32_t my_now_ms(void);
int my_random(void *ctx, void *buf, size_t len);
void sockets_init(void);
""", CORE + ["-Iport/sockets", "-D_POSIX_C_SOURCE=200809L"], None),
    "port/package/esp-idf/README.md": ("""#include "acme.h"
#include "acme_kv.h"
#include "acme_mbedtls.h"
#include "acme_sockets.h"
#include "protocol/challenge_http01.h"
#include "secure/key_p256.h"
#include <string.h>
#define portTICK_PERIOD_MS 10
uint32_t xTaskGetTickCount(void);
void vTaskDelay(uint32_t ticks);
int my_random(void *ctx, void *buf, size_t len);
int my_utc(void *ctx, int64_t *utc);
extern const struct acme_kv my_kv;
extern const char my_roots_pem[];
void certificate_task(void *arg);
""", CORE + ["-Iport/stores", "-Iport/sockets", "-D_POSIX_C_SOURCE=200809L", "-Iport/mbedtls", "-isystem", "build/src/mbedtls/include",
             '-DMBEDTLS_CONFIG_FILE="acme_mbedtls_config.h"'], "build/src/mbedtls"),
    "port/freertos/README.md": ("""#include "acme_freertos.h"
void my_tls_server_reload(void);
void my_log(int error);
void certificate_task(void);
""", CORE + ["-Iport/freertos", "-Itests/rtos"], None),
    "port/cmsis-rtos2/README.md": ("""#include "acme_cmsis.h"
#include "rtx_os.h"
void on_end(void *ctx, enum acme_progress how);
bool certificate_thread(void);
void my_wake(void);
""", CORE + ["-Iport/cmsis-rtos2", "-Itests/rtos"], None),
}
STRICT = "-std=c99 -pedantic -Wall -Wextra -Werror -Wconversion -Wshadow -Wmissing-prototypes -Wno-unused -Wno-missing-field-initializers"


def pages():
    """README.md of every folder, and what .github says."""
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "*.md"], cwd=ROOT, capture_output=True, text=True).stdout
    return [p for p in listed.splitlines() if os.path.exists(os.path.join(ROOT, p))]


def blocks(text):
    """(language, lines) of every fenced block, and of every indented one whose first line is a command."""
    for language, body in re.findall(r"^```(\w*)\n(.*?)^```", text, re.S | re.M):
        yield language, body.splitlines()
    rest = re.sub(r"^```.*?^```", "", text, flags=re.S | re.M)
    for body in re.findall(r"(?:^    .*\n)+", rest, re.M):
        lines = [line[4:] for line in body.splitlines()]
        if FIRST.match(lines[0]):
            yield "sh", lines


class Command:
    def __init__(self, text):
        self.text, self.output = text, []

    def bare(self):
        """Without the words that explain it, behind two blanks or a #."""
        return re.split(r"\s{3,}(?![\\-])|\s+#\s", self.text)[0].strip()


def commands(lines):
    """Joined where a line ends in a backslash; what follows a line that begins with $ is its output."""
    found, open_line = [], False
    for line in lines:
        if open_line:
            found[-1].text += "\n" + line
        elif line.startswith("$ ") or not any(text.startswith("$ ") for text in lines):
            if line.startswith(" "):
                continue  # goes on with the explanation
            found.append(Command(line[2:] if line.startswith("$ ") else line))
        else:
            found[-1].output.append(line)
            continue
        open_line = line.endswith("\\")
    return [c for c in found if c.text.strip()]


def exceptions():
    rows = [line.strip().split(" | ") for line in open(LIST, encoding="utf-8") if line.strip() and not line.startswith("#")]
    return {(page, command): why for page, command, why in rows}


def unknown(command, clone):
    """What is wrong with a command that is not run; empty: nothing."""
    text = command.bare()
    if subprocess.run(["bash", "-n", "-c", text], capture_output=True).returncode != 0 and "[" not in text:
        return "the shell does not read it"
    words = [w for w in re.split(r"[\s\[\]]+", re.sub(r"^(sudo |[A-Z_]+=\S+ )", "", text)) if w]
    if words[0] == "make":
        done = subprocess.run(["make", "-n", *[re.sub("^SITE=.*", "SITE=README.md", w) for w in words[1:] if "=..." not in w]], cwd=clone, capture_output=True, text=True)
        return done.stderr[-200:] if done.returncode != 0 and "needs the sources" not in done.stderr else ""
    if words[0] == "nanoacme":
        said = subprocess.run(["build/nanoacme", "--help"], cwd=clone, capture_output=True, text=True).stdout
        return " ".join(w for w in words if w.startswith("--") and not re.search(rf"{w}\b", said) or w == "issue" and w not in said)
    if words[:2] == ["python3", "tests/run.py"]:
        said = subprocess.run(words[:2] + ["--help"], cwd=clone, capture_output=True, text=True).stdout
        return " ".join(w for w in words[2:] if not re.search(rf"^  {w} ", said, re.M))
    if words[0].startswith("build/"):  # its source; dots: any of them
        made = subprocess.run(["git", "ls-files", "*" + words[0].split("/")[-1].replace("...", "*") + ".c"], cwd=ROOT, capture_output=True, text=True)
        return "" if made.stdout else "nothing makes it"
    if words[0].startswith("boards/"):
        return "" if os.path.exists(os.path.join(ROOT, words[0].replace("BOARD", "lm3s6965evb"))) else "no such file"
    return "" if shutil.which(words[0]) or words[0].startswith(("arm-none-eabi-", "qemu-")) else "no such program"


def shows(command, output):
    """Whether the output shown on the page is in what came out; dots stand for anything."""
    pieces = [p.strip() for line in command.output for p in line.split("...") if p.strip()]
    return [p for p in pieces if p not in output]


def try_page(page, clone, listed, used):
    """Runs the page's commands in order. Returns how many ran, how many were checked only, and what was wrong."""
    shell, ran, checked, wrong, lacking = os.path.join(clone, "bin"), 0, 0, [], None
    folder, env = clone, dict(os.environ, PATH=f"{shell}:{os.environ['PATH']}", DESTDIR=os.path.join(clone, "image"), CFLAGS="-O0")
    for variable in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL"):
        env.pop(variable, None)
    for language, lines in blocks(open(os.path.join(ROOT, page), encoding="utf-8").read()):
        if language == "sh":
            folder = clone  # a block begins at the top of the tree
        elif language or not FIRST.match(lines[0]):
            continue
        for command in commands(lines):
            entry = next((e for e in listed if e[0] == page and command.text.startswith(e[1])), None)
            lacking = next((need for word, need in TOOLS.items() if word in command.text and not shutil.which(need)
                            and not os.path.exists(os.path.join(ROOT, need))), lacking)
            if entry:
                used.add(entry)
                checked += 1
                if fault := unknown(command, clone):
                    wrong.append(f"{command.bare()}: {fault}")
            elif not lacking:
                ran += 1
                done = subprocess.run(["bash", "-c", f"{command.text}\necho \"@$?\"; pwd"], cwd=folder, env=env, capture_output=True,
                                      text=True, timeout=LIMIT_S, stdin=subprocess.DEVNULL)
                output, _, tail = done.stdout.rpartition("@")
                status, folder = tail.split("\n")[:2] if tail else ("?", folder)
                missing = shows(command, output + done.stderr)
                if missing or status != "0" and not command.output:
                    wrong.append(f"{command.text}: {status}, {missing}: {(output + done.stderr)[-300:]}")
    return ran, checked, wrong, lacking


def fresh(folder):
    """A copy of what is tracked, as it stands, with the libraries' sources when they are here, and a sudo that is none."""
    clone, shims = os.path.join(folder, "clone"), os.path.join(folder, "clone", "bin")
    os.makedirs(shims)
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT, capture_output=True).stdout.split(b"\0")
    there = b"\0".join(p for p in listed if p and os.path.exists(os.path.join(ROOT, p.decode())))
    subprocess.run("tar --null --files-from=- -c | tar -x -C " + shlex.quote(clone), shell=True, cwd=ROOT, input=there, check=True)
    if os.path.isdir(os.path.join(ROOT, "build/src")):
        os.makedirs(os.path.join(clone, "build"))
        os.symlink(os.path.join(ROOT, "build/src"), os.path.join(clone, "build/src"))
    with open(os.path.join(shims, "sudo"), "w") as f:
        f.write('#!/bin/sh\nexec "$@"\n')
    os.chmod(os.path.join(shims, "sudo"), 0o755)
    return clone


def compile_page(page, folder):
    """The page's C, in one file behind what the reader has."""
    front, flags, needs = C[page]
    code = "".join("\n".join(lines) + "\n" for language, lines in blocks(open(os.path.join(ROOT, page), encoding="utf-8").read())
                   if language == "c" and not any("lwipopts_acme.h" in line for line in lines))
    if needs and not os.path.isdir(os.path.join(ROOT, needs)):
        return None
    stacks = ["-isystem", os.environ["BEARSSL_DIR"] + "/inc"] if "BEARSSL_DIR" in os.environ else []
    done = subprocess.run(["gcc", *STRICT.split(), *flags, *stacks, "-fsyntax-only", "-x", "c", "-"], input=front + code, text=True, cwd=ROOT,
                          capture_output=True)
    return done.stderr[-600:] if done.returncode != 0 else ""


def compile_options(folder):
    """The lwipopts.h that port/freertos shows, and port/lwip with it."""
    if not os.path.isdir(os.path.join(ROOT, "build/src/lwip")):
        return None
    text = open(os.path.join(ROOT, "port/freertos/README.md"), encoding="utf-8").read()
    options = next("\n".join(lines) for language, lines in blocks(text) if any("lwipopts_acme.h" in line for line in lines))
    with open(os.path.join(folder, "lwipopts.h"), "w") as f:
        f.write("#include <stdint.h>\n" + options + "\n")
    flags = ["-std=gnu11", "-Wall", "-Wextra", "-Werror", "-Icore", "-Iport/lwip", f"-I{folder}", "-Itests/boards/kernel",
             "-Itests/conformance/lwip", "-isystem", "build/src/lwip/src/include"]
    sources = [os.path.join("port/lwip", n) for n in sorted(os.listdir(os.path.join(ROOT, "port/lwip"))) if n.endswith(".c")]
    done = subprocess.run(["gcc", *flags, "-fsyntax-only", *sources], cwd=ROOT, capture_output=True, text=True)
    return done.stderr[-600:] if done.returncode != 0 else ""


def targets():
    """What make would have to know, of everything between backticks, and does not."""
    known = set(re.findall(r"^([\w -]+?):(?!=)", "\n".join(open(os.path.join(ROOT, f), encoding="utf-8").read() for f in
                [*subprocess.run(["git", "ls-files", "*.mk", "Makefile"], cwd=ROOT, capture_output=True, text=True).stdout.split()]), re.M))
    known = {word for line in known for word in line.split()}
    for page in pages():
        for code in re.findall(r"`(?:sudo )?make ([^`]+)`", open(os.path.join(ROOT, page), encoding="utf-8").read()):
            for word in code.split():
                if re.fullmatch(r"[a-z][a-z-]*", word) and word not in known:
                    yield f"{page}: make {word}"


def anchor(heading):
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


def links():
    """Files and headings that pages lead to and that are not there."""
    for page in pages():
        text = open(os.path.join(ROOT, page), encoding="utf-8").read()
        for target in re.findall(r"\]\((?!https?:)([^)\s]+)\)", text):
            path, _, part = target.partition("#")
            there = os.path.normpath(os.path.join(ROOT, os.path.dirname(page), path)) if path else os.path.join(ROOT, page)
            if not os.path.exists(there):
                yield f"{page}: {target}"
            elif part and part not in [anchor(h) for h in re.findall(r"^#+ (.*)$", open(there, encoding="utf-8").read(), re.M)]:
                yield f"{page}: {target}"


def flags_of_bearssl():
    """The page's options for BearSSL are those the boards are built with."""
    page = open(os.path.join(ROOT, "port/README.md"), encoding="utf-8").read()
    board = open(os.path.join(ROOT, "boards/firmware/board.mk"), encoding="utf-8").read()
    return set(re.findall(r"-DBR_\w+=\d", board)) ^ set(re.findall(r"-DBR_\w+=\d", page))


def report(what, wrong):
    if wrong is None:
        tap.skip(what, "no lwIP sources: tests/deps.sh firmware")
    else:
        tap.note(wrong if isinstance(wrong, str) else "\n".join(wrong))
        tap.ok(not wrong, what)


def main():
    os.chdir(ROOT)
    if not pages():
        tap.skip("the pages", "not a git checkout")
        tap.end()
    listed, used = exceptions(), set()
    with tempfile.TemporaryDirectory() as folder:
        clone = fresh(folder)
        for page in sorted(pages(), key=lambda p: (p != "README.md", p)):  # README.md builds the program
            ran, checked, wrong, lacking = try_page(page, clone, listed, used)
            if ran + checked or wrong:
                report(f"{page}: {ran} commands run as printed, {checked} are right as far as can be told without", wrong)
            if lacking:
                tap.skip(f"{page}: the rest of its commands", f"no {lacking}: tests/deps.sh check")
        stale = [f"{page}: {command}" for page, command in listed if (page, command) not in used]
        report("every exception of pages.list is needed", stale)
        with_c = {page for page in pages() if any(language == "c" for language, _ in
                                                  blocks(open(page, encoding="utf-8").read()))}
        report("every page with C is compiled here", sorted(with_c ^ set(C)))
        for page in sorted(C):
            report(f"{page}: its C compiles", compile_page(page, folder))
        report("port/freertos/README.md: its lwipopts.h will do", compile_options(folder))
    report("make knows every target that pages name", list(targets()))
    report("links lead to files and headings", list(links()))
    report("BearSSL's options on the page are those of the boards", sorted(flags_of_bearssl()))

    # The checks themselves.
    block = commands(["$ true  ", "yes", "$ false", "no ... more"])
    tap.ok([c.text.strip() for c in block] == ["true", "false"] and shows(block[1], "no and more") == [] and shows(block[1], "no"),
           "would see output that does not come")
    tap.ok(unknown(Command("make nonsense   explains"), ROOT) and unknown(Command("python3 tests/run.py nonsense"), ROOT) and
           unknown(Command("tests/none.sh"), ROOT) and not unknown(Command("make fuzz SECONDS=600"), ROOT), "would see a wrong command")
    tap.end()


main()
