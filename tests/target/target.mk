# The dialogues' recording replayed, and the unit tests that need nothing but the core, on other machines: README.md.

TARGET = $(B)/target
TARGET_SHARED = tests/target/cmocka.c tests/target/base64.c tests/unit/maker_system.c
TARGET_REPLAY = $(TARGET_SHARED) tests/target/tape.c tests/target/tape_ca.c tests/target/replay.c tests/dialogue/outcome.c \
	tests/fake/engine.c tests/fake/shown.c tests/fake/words.c tests/fake/ca_v1_names.c
# Unit tests that include nothing of OpenSSL or of an operating system (a file of port/posix is that), and those that can do
# without: NO_OPENSSL.
TARGET_UNITS = $(sort b64url base64 der exchange_edges flash_store flow keeper pem plain $(patsubst tests/unit/test_%.c,%,$(shell \
	posix=$$(cd port/posix && ls *.[ch] | sed 's/^/|/' | tr -d '\n'); \
	grep -LE '"(maker\.h|tls_server\.h|asker\.h'"$$posix"')"|"fake/|<(openssl/|sys/|arpa/|unistd\.h)' tests/unit/test_*.c)))
# One is about a port that is linked there in no way.
TARGET_UNITS := $(patsubst %,test_%,$(filter-out secure_net,$(TARGET_UNITS)))

TARGET_FLAGS = $(filter-out -std=c99 -pedantic -Wconversion -Wsign-conversion,$(WARNINGS)) -Wno-unused-parameter -std=gnu11 \
	$(HOST_OPTIONS) -Itests/target/include -Itests -Iport/lwip -Iport/flash -Icore -isystem $(FW)/include

# The recording. It is made anew when the program that makes it is, or a script.
$(TARGET)/dialogues.rec: $(B)/tests/dialogue/test_dialogue $(wildcard tests/dialogue/*.dialogue tests/dialogue/*/*.dialogue tests/regress/*.dialogue)
	@mkdir -p $(@D)
	@$(SAY) '  record $@'
	$(Q)RECORD=$@ CMOCKA_MESSAGE_OUTPUT=TAP $< >$(TARGET)/record.log || { cat $(TARGET)/record.log; exit 1; }

# $(call target_machine,NAME,CC,FLAGS,MORE SOURCES,WHAT IS LINKED)
define target_machine
$$(TARGET)/$(1)/%.o: %.c | $$(FW)/include
	@mkdir -p $$(@D)
	@$$(SAY) '  $(1) $$<'
	$$(Q)$(2) $(3) $$(TARGET_FLAGS) -MMD -MP -c -o $$@ $$<
$$(TARGET)/$(1)/%.elf: $(4:%.c=$$(TARGET)/$(1)/%.o) $$(CORE:%.c=$$(TARGET)/$(1)/%.o)
	@$$(SAY) '  ld  $$@'
	$$(Q)$(2) $(3) -o $$@ $$(filter %.o,$$^) $(5)
$$(TARGET)/$(1)/replay.elf: $$(TARGET_REPLAY:%.c=$$(TARGET)/$(1)/%.o)
$$(TARGET_UNITS:%=$$(TARGET)/$(1)/%.elf): $$(TARGET)/$(1)/test_%.elf: $$(TARGET)/$(1)/tests/unit/test_%.o \
	$$(TARGET)/$(1)/tests/unit/unit.o $$(TARGET)/$(1)/tests/unit/shelf.o $$(TARGET_SHARED:%.c=$$(TARGET)/$(1)/%.o) $$(TARGET)/$(1)/port/lwip/clock.o $$(TARGET)/$(1)/port/flash/flash_store.o $$(TARGET)/$(1)/port/flash/flash_place.o $$(TARGET)/$(1)/tests/fake/flash.o $$(TARGET)/$(1)/tests/fake/later.o
endef
# The firmware's C library has no timegm(), but no time zones either. It prints no %zu.
$(eval $(call target_machine,cortex-m3,arm-none-eabi-gcc,$(ARM_FLAGS) -Dtimegm=mktime,tests/target/start.c,-nostartfiles --specs=rdimon.specs \
	-Wl$(COMMA)--gc-sections -T tests/target/link.ld $(FW)/arm-none-eabi-gcc/libbearssl.a))
$(TARGET)/cortex-m3/replay.elf $(TARGET_UNITS:%=$(TARGET)/cortex-m3/%.elf): $(FW)/arm-none-eabi-gcc/libbearssl.a

# Big-endian, under an operating system. BearSSL is the package that tests/bigendian has unpacked, or built from its source here too.
S390X_LIBRARY := $(or $(wildcard $(B)/s390x/root/usr/lib/s390x-linux-gnu/libbearssl.a),$(TARGET)/s390x/libbearssl.a)
S390X_BEARSSL = $(FW_BEARSSL_FILES:$(FW_BEARSSL)/src/%.c=$(TARGET)/s390x/bearssl/%.o)
$(TARGET)/s390x/bearssl/%.o: $(FW_BEARSSL)/src/%.c
	@mkdir -p $(@D)
	$(Q)s390x-linux-gnu-gcc -O1 -w -I$(FW_BEARSSL)/inc -I$(FW_BEARSSL)/src -c -o $@ $<
$(TARGET)/s390x/libbearssl.a: $(S390X_BEARSSL)
	@rm -f $@
	$(Q)s390x-linux-gnu-ar rcs $@ $^
$(eval $(call target_machine,s390x,s390x-linux-gnu-gcc,-O1,,-static $(S390X_LIBRARY)))
$(TARGET)/s390x/replay.elf: $(S390X_LIBRARY)

target-cortex-m3: $(TARGET)/cortex-m3/replay.elf $(TARGET_UNITS:%=$(TARGET)/cortex-m3/%.elf)
target-s390x: $(TARGET)/s390x/replay.elf
target-recording: $(TARGET)/dialogues.rec
.PHONY: target-cortex-m3 target-s390x target-recording
