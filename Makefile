# nanoacme: `make help` lists what can be made. Everything made is below $(B).

B ?= build
CC ?= cc
CFLAGS ?= -O2 -g
PREFIX ?= /usr/local
VERSION = $(shell sed -n 's/^.*ACME_VERSION "\(.*\)"$$/\1/p' core/acme_version.h)
PYTHON ?= python3
# Make's own rules would be tried for each of a thousand files.
MAKEFLAGS += --no-builtin-rules
# V=1 shows the whole commands; `make -s` shows nothing.
Q = $(if $(V),,@)
SAY = $(if $(findstring s,$(firstword -$(MAKEFLAGS))),:,echo)

# BearSSL and jsmn: Debian's packages, or trees of your own. BEARSSL_DIR holds inc/ and build/libbearssl.a, JSMN_DIR
# holds jsmn.h. They are system headers to the compiler: our warning flags are for our code.
ifdef BEARSSL_DIR
STACKS += -isystem $(BEARSSL_DIR)/inc
LDLIBS += $(BEARSSL_DIR)/build/libbearssl.a
else
LDLIBS += -lbearssl
endif
# Modules of PKCS #11, where the C library does not have it in itself.
LDLIBS += -ldl
ifdef JSMN_DIR
STACKS += -isystem $(JSMN_DIR)
endif

WARNINGS = -std=c99 -pedantic -Wall -Wextra -Werror -Wconversion -Wsign-conversion -Wshadow -Wformat=2 -Wvla \
	-Wstrict-prototypes -Wmissing-prototypes -Wundef -Wcast-qual -Wpointer-arith
# What is for a CA of 2016 and for plain http is in the program and its tests; firmware has none of it.
HOST_OPTIONS = -DACME_CFG_V1=1 -DACME_CFG_PLAIN_HTTP=1 -DACME_CFG_MANAGE=1 -DACME_CFG_SIGNED_ANCHORS=1 -DACME_CFG_CHOICE=1 -DACME_CFG_ADDRESSES=1 -DACME_CFG_EAB=1 -DACME_CFG_DNS_DRAFTS=1 -DACME_CFG_REUSE_KEY=1 -DACME_CFG_DEACTIVATE_AUTHZ=1 -DACME_CFG_ALTERNATE=1 -DACME_CFG_CSR=1 -DACME_TLSALPN01_SLOTS=4
COMPILE = $(CC) -Icore $(STACKS) $(HOST_OPTIONS) $(CPPFLAGS) $(CFLAGS) -MMD -MP
POSIX = -D_POSIX_C_SOURCE=200809L

include core/Filelists.mk
CORE = $(ACME_CORE) $(ACME_BEARSSL)
PORT = $(ACME_POSIX)
UNLISTED := $(filter-out $(CORE) $(ACME_POSIX) $(ACME_FLASH) $(ACME_STORES) $(ACME_LWIP),$(wildcard core/*.c core/*/*.c port/posix/posix_*.c port/flash/*.c port/stores/*.c port/lwip/*.c))
ifneq ($(UNLISTED),)
$(error core/Filelists.mk lacks $(UNLISTED))
endif
PROGRAM = $(filter-out $(PORT),$(wildcard port/posix/*.c))
HEADERS = $(wildcard core/*.h core/*/*.h) $(wildcard port/posix/posix*.h) port/sockets/acme_sockets.h
# A whole device has a channel of its own, in clear, and a shelf has short names: linked only where they are named.
DEVICE = tests/fake/device.c
SHELF = tests/unit/shelf.c
TORTURE = $(wildcard tests/fault/*.c)
# Tests in C: one program for each test_*.c; what lies beside them, and the scripted CA, is shared.
TESTS_C = $(foreach room,unit dialogue regress cells tls,$(wildcard tests/$(room)/*.c))
UNITS_C = $(foreach c,$(TESTS_C),$(if $(filter test_%,$(notdir $c)),$c))
UNITS = $(UNITS_C:%.c=$(B)/%)
HELPERS = $(filter-out $(UNITS_C) $(SHELF),$(TESTS_C)) $(filter-out $(DEVICE),$(wildcard tests/fake/*.c)) $(ACME_FLASH) $(ACME_STORES) port/lwip/clock.c
objects = $(patsubst %.c,$(B)/obj/%.o,$(1))

all: $(B)/nanoacme $(B)/libnanoacme.a $(B)/libnanoacme-posix.a

$(B)/libnanoacme.a: $(call objects,$(CORE))
$(B)/libnanoacme-posix.a: $(call objects,$(PORT))
$(B)/libhelpers.a: $(call objects,$(HELPERS))
%.a:
	@mkdir -p $(@D)
	@rm -f $@
	@$(SAY) '  ar  $@'
	$(Q)ar rcs $@ $^

$(B)/nanoacme: $(call objects,$(PROGRAM)) $(B)/libnanoacme-posix.a $(B)/libnanoacme.a
$(B)/nanoacme-anchors: $(call objects,$(wildcard port/posix/tools/*.c) port/posix/roots.c) $(B)/libnanoacme.a
$(B)/nanoacme $(B)/nanoacme-anchors:
	@$(SAY) '  ld  $@'
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(B)/obj/core/%.o: core/%.c | headers
	@mkdir -p $(@D)
	@$(SAY) '  cc  $<'
	$(Q)$(COMPILE) $(WARNINGS) -c -o $@ $<

$(B)/obj/port/%.o: port/%.c | headers
	@mkdir -p $(@D)
	@$(SAY) '  cc  $<'
	$(Q)$(COMPILE) $(POSIX) -Iport/posix -Iport/sockets -Iport/flash $(WARNINGS) -c -o $@ $<

# Tests may use more of the host than C99 gives; cmocka's macros do not survive the conversion warnings; and a test, or a
# seam that one plays, seldom needs all that it is called with. TEST_CFLAGS: what CFLAGS has for the tested code alone is undone.
TEST_FLAGS = $(filter-out -std=c99 -pedantic -Wconversion -Wsign-conversion,$(WARNINGS)) -Wno-unused-parameter -std=gnu11 -Itests -Iport/posix -Iport/sockets -Iport/flash -Iport/stores -Iport/lwip
$(B)/obj/tests/%.o: tests/%.c | headers
	@mkdir -p $(@D)
	@$(SAY) '  cc  $<'
	$(Q)$(COMPILE) $(TEST_FLAGS) $(TEST_CFLAGS) -c -o $@ $<

$(B)/tests/%: $(B)/obj/tests/%.o $(B)/libhelpers.a $(B)/libnanoacme-posix.a $(B)/libnanoacme.a
	@mkdir -p $(@D)
	@$(SAY) '  ld  $@'
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $(filter %.o,$^) $(filter %.a,$^) -lcmocka -ljansson -lssl -lcrypto $(LDLIBS)

# Its own assertions, not cmocka's: tests/fault/judge.h.
$(B)/torture: $(call objects,$(TORTURE) $(DEVICE)) $(B)/libhelpers.a $(B)/libnanoacme.a
	@$(SAY) '  ld  $@'
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -lcrypto $(LDLIBS)

# Years of one device, and a fleet, in virtual time: tests/soak.
WORLD = $(call objects,tests/soak/world.c tests/soak/plot.c $(DEVICE) tests/fault/judge.c tests/fault/fastkey.c)
$(B)/soak $(B)/fleet: $(B)/%: $(B)/obj/tests/soak/%.o $(WORLD) $(B)/libhelpers.a $(B)/libnanoacme.a
	@$(SAY) '  ld  $@'
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -lcrypto -lm $(LDLIBS)

soak: $(B)/soak
	$(B)/soak 10 $(B)/soak.svg
fleet: $(B)/fleet
	$(B)/fleet 1000 $(B)/fleet.svg

# Every way the world can fail, one at a time: tests/fault.
torture: $(B)/torture
	$(B)/torture

$(B)/tests/unit/test_acme_edges $(B)/tests/unit/test_states: $(call objects,$(DEVICE))
$(B)/tests/dialogue/test_dialogue $(B)/tests/dialogue/test_replay: $(call objects,tests/fault/fastkey.c)
$(B)/tests/unit/test_acme $(B)/tests/unit/test_choice $(B)/tests/unit/test_manage $(B)/tests/unit/test_side_by_side $(B)/tests/unit/test_slow_key $(B)/tests/unit/test_keep $(B)/tests/unit/test_flash_run $(B)/tests/unit/test_keep_fleet: $(call objects,$(DEVICE) tests/fault/fastkey.c)
$(B)/tests/unit/test_stores $(B)/tests/unit/test_flash_store: $(call objects,$(SHELF))
$(B)/tests/unit/test_secure_net: $(call objects,port/secure/channel.c)
$(B)/tests/unit/test_anchor_table: $(call objects,port/posix/tools/table.c)
$(B)/tests/unit/test_nameserver $(B)/tests/unit/test_words $(B)/tests/unit/test_signer $(B)/tests/unit/test_kept $(B)/tests/unit/test_csr_file: $(call objects,$(filter-out port/posix/main.c,$(PROGRAM)))
$(B)/tests/unit/test_hook $(B)/tests/unit/test_challenge_hook: $(call objects,port/posix/child.c)
$(B)/tests/unit/test_token: $(call objects,port/posix/token.c port/posix/key_uri.c port/posix/config.c)
$(B)/tests/unit/test_eab: $(call objects,port/posix/eab.c port/posix/config.c)
$(B)/tests/cells/test_race: $(call objects,$(DEVICE) tests/fault/fastkey.c)
$(B)/tests/cells/test_race: LDFLAGS += -Wl,--wrap=acme_row_of

# FILE=recording.jsonl ...: plays further recordings of a server of 2016 (tests/dialogue/boulder-2016).
replay:
	@$(MAKE) -s B=build/asan CFLAGS='-O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer' \
		build/asan/tests/dialogue/test_replay
	build/asan/tests/dialogue/test_replay $(FILE)

# The fuzzing harnesses, for tests/fuzz/fuzz.py: it makes them with clang's libFuzzer and sanitizers, in a B of their own.
FUZZERS = $(patsubst tests/%.c,$(B)/%,$(wildcard tests/fuzz/fuzz_*.c))
fuzzers: $(FUZZERS)
$(B)/fuzz/fuzz_%: $(B)/obj/tests/fuzz/fuzz_%.o $(B)/libnanoacme.a
	@mkdir -p $(@D)
	@$(SAY) '  ld  $@'
	$(Q)$(CC) $(CFLAGS) -fsanitize=fuzzer $(LDFLAGS) -o $@ $(filter %.o,$^) $(filter %.a,$^) $(FUZZ_LIBS) $(LDLIBS)
FUZZ_WHOLE = $(B)/fuzz/fuzz_conversation
$(FUZZ_WHOLE): $(call objects,$(DEVICE) tests/fuzz/server.c tests/fault/judge.c tests/fault/fastkey.c) $(B)/libhelpers.a
$(FUZZ_WHOLE): FUZZ_LIBS = -lcrypto

# The test programs. tests/run.py makes and runs them with sanitizers, in a B of their own.
units: $(UNITS)

# One clear line instead of a compiler's when a dependency is missing.
headers:
	@printf '#include <bearssl.h>\n#include <jsmn.h>\n' | $(CC) $(STACKS) $(CPPFLAGS) -E - >/dev/null 2>&1 || \
	{ echo "nanoacme needs bearssl.h and jsmn.h: run 'make deps', or set BEARSSL_DIR and JSMN_DIR" >&2; exit 1; }

# What each board needs: boards/README.md.
include $(wildcard boards/*/board.mk tests/target/target.mk tests/mbedtls/mbedtls.mk)

deps:
	tests/deps.sh build

# BOARD=posix: the program on this machine. KEEP=1 keeps what is served up until Ctrl-C.
demo:
	tests/deps.sh demo
	$(MAKE) all
	$(if $(filter-out posix,$(BOARD)),$(MAKE) -j2 -s firmware-parts)
	BOARD=$(BOARD) tests/demo/run

run:
	$(MAKE) demo KEEP=1

# The quick tier: no sanitizers, one compiler.
unit:
	tests/deps.sh unit
	$(PYTHON) tests/run.py quick

test tests: unit
	@echo 'That was the quick tier; `make check` runs everything.'

check:
	tests/deps.sh check
	$(PYTHON) tests/run.py

# The layout that lint asks for.
format:
	tests/deps.sh unit
	find core port tests boards -name '*.[ch]' -exec clang-format-14 -i {} +

# SECONDS=60 for each harness, or RUNS=10000000; ONLY=fuzz_json: one of them.
fuzz:
	$(PYTHON) tests/fuzz/fuzz.py $(if $(RUNS),--runs $(RUNS),--seconds $(or $(SECONDS),60)) $(if $(ONLY),--only $(ONLY))

lint coverage: deps_of = unit
size: deps_of = firmware
bench: deps_of = check
lint size bench coverage:
	tests/deps.sh $(deps_of)
	$(PYTHON) tests/run.py --show $@

# Do the tests notice a change of the core? SAMPLE=400|all SEED=1 ONLY=core/wire/json.c JOBS=2; AGAIN=1.
mutants:
	$(PYTHON) tests/mutants/mutate.py $(foreach v,SAMPLE SEED ONLY JOBS AGAIN,$(if $($v),$v=$($v)))

# Frama-C's Eva over the parsers, with any input: PROVE=url for one driver.
proof:
	tests/deps.sh proof
	$(PYTHON) tests/proof/prove.py $(PROVE)

# PEM=roots.pem NAME=my_roots: trust anchors as a C table for firmware, on standard output. KEY=vendor.pem SERIAL=2 OUT=table
# [REPLACE=1]: as a table that is stored and signed (core/roots/anchor_table.h). KEY=vendor.pem NAME=my_key: the public key
# for that, in C.
PEM = port/roots/public.pem
anchors:
	@$(MAKE) $(B)/nanoacme-anchors >&2
ifndef KEY
	@$(B)/nanoacme-anchors $(or $(NAME),public_roots) <$(PEM)
else ifdef NAME
	@$(B)/nanoacme-anchors --key $(KEY) $(NAME)
else
	@[ -n "$(OUT)" ] || { echo 'anchors: OUT=file is missing' >&2; exit 64; }
	@$(B)/nanoacme-anchors --sign $(KEY) $(or $(SERIAL),0) $(if $(REPLACE),replace) <$(PEM) >$(OUT).new
	@mv $(OUT).new $(OUT)
endif

$(B)/nanoacme.1: port/posix/nanoacme.1.scd
	scdoc <$< >$@

FOR_BUILDS = nanoacme.pc nanoacme-config.cmake nanoacme-config-version.cmake
EMPTY =
SPACE = $(EMPTY) $(EMPTY)
$(FOR_BUILDS:%=$(B)/%): $(wildcard port/*/nanoacme*.in) Makefile core/acme_version.h
	@mkdir -p $(@D)
	$(Q)sed 's|@PREFIX@|$(PREFIX)|; s|@VERSION@|$(VERSION)|; s|@OPTIONS@|$(HOST_OPTIONS)|; s|@CMAKE_OPTIONS@|$(subst $(SPACE),;,$(HOST_OPTIONS))|' $(filter %/$(@F).in,$^) >$@

D = $(DESTDIR)$(PREFIX)
EXAMPLES = $(notdir $(wildcard port/posix/examples/*.conf))
UNITS_OF_SYSTEMD = nanoacme.service nanoacme.timer nanoacme-daemon.service
install: all $(B)/nanoacme.1
	@rm -f $(FOR_BUILDS:%=$(B)/%)
	@$(MAKE) $(FOR_BUILDS:%=$(B)/%)
	install -d $(D)/bin $(D)/lib/pkgconfig $(D)/lib/cmake/nanoacme $(D)/share/man/man1 $(D)/lib/systemd/system
	install -m 755 $(B)/nanoacme $(D)/bin
	install -m 644 $(B)/libnanoacme.a $(B)/libnanoacme-posix.a $(D)/lib
	install -m 644 $(B)/nanoacme.pc $(D)/lib/pkgconfig
	install -m 644 $(B)/nanoacme-config.cmake $(B)/nanoacme-config-version.cmake $(D)/lib/cmake/nanoacme
	install -m 644 $(B)/nanoacme.1 $(D)/share/man/man1
	install -D -m 644 port/posix/completion/nanoacme.bash $(D)/share/bash-completion/completions/nanoacme
	install -d $(D)/share/doc/nanoacme/examples
	install -m 644 $(EXAMPLES:%=port/posix/examples/%) $(D)/share/doc/nanoacme/examples
	for u in $(UNITS_OF_SYSTEMD); do sed 's|/usr/local/bin|$(PREFIX)/bin|' port/posix/$$u >$(D)/lib/systemd/system/$$u && \
		chmod 644 $(D)/lib/systemd/system/$$u || exit 1; done
	for h in $(HEADERS); do \
		to=$${h#core/}; install -D -m 644 $$h $(D)/include/nanoacme/$${to#port/*/} || exit 1; done

uninstall:
	rm -rf $(D)/include/nanoacme $(D)/lib/cmake/nanoacme
	rm -f $(D)/bin/nanoacme $(D)/lib/libnanoacme.a $(D)/lib/libnanoacme-posix.a \
		$(D)/lib/pkgconfig/nanoacme.pc $(D)/share/man/man1/nanoacme.1 \
		$(D)/share/bash-completion/completions/nanoacme $(EXAMPLES:%=$(D)/share/doc/nanoacme/examples/%) $(UNITS_OF_SYSTEMD:%=$(D)/lib/systemd/system/%)

# What others' builds and systems take: port/package.
include port/package/package.mk

clean:
	rm -rf $(B)

help:
	@echo 'make            the program and the two libraries, below build/'
	@echo 'make demo       a board in the emulator obtains a certificate and serves a page; BOARD=posix: the program'
	@echo 'make run        the same, and the board stays up until Ctrl-C'
	@echo 'make firmware   BOARD=... SITE=site.c IMAGE=folder/name: an image for one CA'
	@echo 'make unit       the quick tier: a minute; make test and make tests are the same'
	@echo 'make check      everything tested; the last line counts. tests/run.py --help: its groups'
	@echo 'make lint       layout, include directions, symbols, limits, pages; make format: the layout'
	@echo 'make torture    every fault at every point; minutes'
	@echo 'make soak       ten years of a device on a bad wire, in virtual time; make fleet: a thousand behind one address'
	@echo 'make replay     FILE=recording.jsonl ...: further recordings of a server of 2016'
	@echo 'make fuzz       SECONDS=60 for each harness, or RUNS=n; ONLY=fuzz_json'
	@echo 'make size       code and RAM on Cortex-M3 (UPDATE=1: into README.md)'
	@echo 'make bench      instructions and heap of a renewal, beside uacme'
	@echo 'make coverage   lines and branches of the core the tests reach; an HTML report'
	@echo 'make mutants    do the tests notice a changed core? SAMPLE=400|all SEED= ONLY=file'
	@echo 'make proof      no undefined behaviour in the parsers, by Frama-C'
	@echo 'make deps       install what the build needs (apt)'
	@echo 'make anchors    PEM=roots.pem NAME=my_roots: trust anchors as a C table; KEY=vendor.pem SERIAL=n OUT=table: signed'
	@echo 'make static     CC=musl-gcc, or a cross compiler with AR=: the program as one file, BearSSL compiled with it'
	@echo 'make dist       a tarball for packagers; make dist-single: acme.c and acme.h; make deb: Debian packages'
	@echo 'make install    PREFIX=/usr/local DESTDIR=; make uninstall; make clean'
	@echo 'Parts, for other targets: units fuzzers headers mbedtls-board-library dist-tree cross cross-objects firmware-parts kernel-check target-cortex-m3 target-s390x' \
		'target-recording mbedtls firmware-mbedtls'
	@echo 'Variables: CC CFLAGS LDFLAGS BEARSSL_DIR JSMN_DIR; V=1 shows the commands'

.PHONY: all units fuzzers fuzz torture soak fleet replay headers deps demo run unit test tests check format lint size bench coverage mutants \
	proof anchors install uninstall clean help
.SECONDARY:
.DELETE_ON_ERROR:
# Only what this B made, and the goals need: builds in a B of their own lie below build, too, and one make may write there
# while another one begins. Firmware includes its own.
MADE = $(wildcard $(B)/obj $(foreach goal,cross target,$(if $(findstring $(goal),$(MAKECMDGOALS)),$(B)/$(goal))))
-include $(if $(MADE),$(shell find $(MADE) -name '*.d'))
