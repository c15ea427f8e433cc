# The firmware all boards share. `make firmware BOARD=lm3s6965evb SITE=site.c IMAGE=folder/name` links folder/name.elf.
#
# BearSSL and lwIP are built from their sources: trees of your own (BEARSSL_DIR with inc/ and src/, LWIP_DIR with src/),
# or those that `tests/deps.sh firmware` fetches.

FW = $(B)/firmware
FW_BEARSSL = $(or $(BEARSSL_DIR),$(B)/src/bearssl)
FW_LWIP = $(or $(LWIP_DIR),$(B)/src/lwip)
FW_SITE = $(or $(SITE),$(FW)/site.c)
BOARD ?= lm3s6965evb
IMAGE ?= $(FW)/$(BOARD)$(FW_KIND)/firmware

FW_LWIP_FILES = $(addprefix $(FW_LWIP)/src/, $(addprefix core/, init.c def.c dns.c inet_chksum.c ip.c mem.c memp.c netif.c \
	pbuf.c tcp.c tcp_in.c tcp_out.c timeouts.c udp.c) $(addprefix core/ipv4/, dhcp.c etharp.c icmp.c ip4.c ip4_addr.c) \
	netif/ethernet.c apps/sntp/sntp.c)
FW_BEARSSL_FILES = $(wildcard $(FW_BEARSSL)/src/*.c $(FW_BEARSSL)/src/*/*.c)
FW_OURS = $(CORE) $(ACME_LWIP) $(ACME_FLASH) $(wildcard boards/firmware/*.c)

# Headers of the two libraries, away from those of this machine's C library.
$(FW)/include:
	@[ -d $(FW_BEARSSL)/src ] && [ -d $(FW_LWIP)/src ] || { \
	echo "firmware needs the sources of BearSSL and lwIP: run 'tests/deps.sh firmware', or set BEARSSL_DIR and LWIP_DIR" >&2; \
	exit 1; }
	@mkdir -p $@.new
	$(Q)cp $(FW_BEARSSL)/inc/bearssl*.h $@.new
	$(Q)cp $(or $(JSMN_DIR),/usr/include)/jsmn.h $@.new
	$(Q)mv $@.new $@

# HEADLESS=1: it keeps its certificate and does nothing beside; no page, no words, no trace, and time to spare (ONE_EC). BARE=1:
# the same, with every option of the core off.
ifdef BARE
HEADLESS = 1
endif
ifdef HEADLESS
MAIN := boards/firmware/option/headless.c
FW_OURS := $(filter-out boards/firmware/say.c boards/firmware/words.c,$(FW_OURS))
endif

# MAIN=main.c: a program of yours in place of the firmware's, without its page: the rest is what an application stands on.
FW_OURS := $(if $(MAIN),$(filter-out $(addprefix boards/firmware/,main.c page.c https.c status.c),$(FW_OURS)),$(FW_OURS))

# Options of one image, each a file with a function that takes another one's place: SNTP=address SNTP_PORT=123: the time
# from a server. ALPN=1: names are validated on port 443 as well. DNS01=1: by records that the board writes into the zone. LOSSY=percent,seed,
# for tests: frames get lost, come twice, come late. ELEMENT=1, for tests: both keys are in a secure element that is played.
FW_OPTIONS = $(if $(SNTP),boards/firmware/option/sntp) $(if $(ALPN),boards/firmware/option/alpn) \
	$(if $(DNS01),boards/firmware/option/dns01) $(if $(LOSSY),tests/boards/lossy) $(if $(ELEMENT),tests/boards/element)
FW_OPTION_DEFINES = -DFIRMWARE_SNTP='"$(SNTP)"' -DFIRMWARE_SNTP_PORT=$(or $(SNTP_PORT),123) -DLOSSY=$(or $(LOSSY),0)
FW_OPTION_LINK = $(if $(SNTP),-Wl$(COMMA)--wrap=board_utc$(COMMA)--wrap=acme_tick) \
	$(if $(DNS01),-Wl$(COMMA)--wrap=firmware_set_up) \
	$(if $(ALPN),-Wl$(COMMA)--wrap=firmware_set_up$(if $(HEADLESS),,$(COMMA)--wrap=https_knock)) $(if $(LOSSY),-Wl$(COMMA)--wrap=netif_add) \
	$(if $(ELEMENT),-Wl$(COMMA)--wrap=firmware_set_up$(if $(HEADLESS),,$(COMMA)--wrap=https_take))
COMMA = ,

# What BearSSL would keep for suites that nobody offers here, records with CBC and CCM, and for a curve that nobody takes.
FW_UNUSED = $(foreach f,cbc_in cbc_out ccm_in ccm_out,-Wl$(COMMA)--wrap=br_ssl_engine_switch_$f \
	-Wl$(COMMA)--defsym=__wrap_br_ssl_engine_switch_$f=image_fault) -Wl$(COMMA)--defsym=br_secp521r1=br_secp384r1

FW_WARNINGS = $(filter-out -std=c99 -pedantic,$(WARNINGS)) -std=gnu11
FW_INCLUDES = -Icore -Iport/lwip -Iport/flash $(FW_KIND_INCLUDES) -Iboards/firmware -isystem $(FW)/include -isystem $(FW_LWIP)/src/include
FW_DEFINES = -DACME_CONFIG_FILE='"acme_limits.h"' -DNDEBUG

# SMALL=1: in 32 KiB of RAM, for a CA whose TLS records are small.
ifdef SMALL
FW_KIND := $(FW_KIND)-small
FW_DEFINES += -DFIRMWARE_SMALL
endif

# I15=1: BearSSL's 15-bit code (boards/README.md, Engines).
ifdef I15
FW_KIND := $(FW_KIND)-i15
FW_DEFINES += -DACME_BEARSSL_I15=1
endif

# ONE_EC=1: one code for all elliptic curves, which is slow for P-256, and 5.7 KB less; HEADLESS has it.
ifdef ONE_EC
FW_KIND := $(FW_KIND)-one-ec
FW_DEFINES += -DACME_BEARSSL_ONE_EC=1
endif

# V1=1: for CAs of 2016 as well.
ifdef V1
FW_KIND := $(FW_KIND)-v1
FW_DEFINES += -DACME_CFG_V1=1
endif

# ADDRESSES=1: names, and the CA's own host, may be IP addresses.
ifdef ADDRESSES
FW_KIND := $(FW_KIND)-addresses
FW_DEFINES += -DACME_CFG_ADDRESSES=1
endif

# DNS01=1: several solvers, and one that writes into the zone.
ifdef DNS01
ifdef ALPN
$(error ALPN=1 and DNS01=1 are for two images: each brings solvers of its own)
endif
FW_KIND := $(FW_KIND)-dns01
FW_DEFINES += -DACME_CFG_CHOICE=1 -DFIRMWARE_DNS01
endif

ifdef HEADLESS
FW_KIND := $(FW_KIND)$(if $(BARE),-bare,-headless)
FW_DEFINES += -DACME_CFG_TRACE=0 -DACME_CFG_CHECK=0 $(if $(ONE_EC),,-DACME_BEARSSL_ONE_EC=1) $(if $(BARE),-DACME_CFG_RENEWAL=0)
endif

# KERNEL=1: as one task of a kernel.
ifdef KERNEL
include tests/boards/kernel/kernel.mk
endif

# Parts of -Os that make code longer here are off; of BearSSL those that cost no time. lwIP's variables are in one section for
# each file, so that code finds them all from one address. Together it is 1.4 KB.
FW_BEARSSL_FLAGS = -fno-schedule-insns2
FW_FLAGS = -fno-schedule-insns2 -fno-move-loop-invariants -fno-caller-saves -fira-algorithm=priority
FW_LWIP_FLAGS = $(FW_FLAGS) -fno-thread-jumps -fno-data-sections

# -MD and not -MMD: to gcc lwipopts.h is a system header, since one includes it.
# $(call firmware_board,NAME,CC,AR,FLAGS,FOLDERS,LINK): rules for one board.
define firmware_board
$(1)_OBJECTS = $$(FW_OURS:%.c=$$(FW)/$(1)$$(FW_KIND)/ours/%.o) $$(patsubst %.c,$$(FW)/$(1)$$(FW_KIND)/ours/%.o,$$(wildcard $(5:%=boards/%/*.c))) \
	$$(FW_LWIP_FILES:$$(FW_LWIP)/src/%.c=$$(FW)/$(1)$$(FW_KIND)/lwip/%.o)

# Boards with one compiler share the library.
ifndef $(2)_BEARSSL
$(2)_BEARSSL = $$(FW_BEARSSL_FILES:$$(FW_BEARSSL)/src/%.c=$$(FW)/$(2)/bearssl/%.o)
$$(FW)/$(2)/bearssl/%.o: $$(FW_BEARSSL)/src/%.c
	@mkdir -p $$(@D)
	$$(Q)$(2) $(4) $$(FW_BEARSSL_FLAGS) -w -I$$(FW_BEARSSL)/inc -I$$(FW_BEARSSL)/src -DBR_USE_UNIX_TIME=0 -DBR_USE_URANDOM=0 -DBR_LE_UNALIGNED=0 -c -o $$@ $$<
$$(FW)/$(2)/libbearssl.a: $$($(2)_BEARSSL)
	@$$(SAY) '  ar  $$@'
	@rm -f $$@
	$$(Q)$(3) rcs $$@ $$^
endif
$$(FW)/$(1)$$(FW_KIND)/lwip/%.o: $$(FW_LWIP)/src/%.c | $$(FW)/include
	@mkdir -p $$(@D)
	$$(Q)$(2) $(4) $$(FW_LWIP_FLAGS) -w $$(FW_INCLUDES) $$(FW_DEFINES) -MD -MP -c -o $$@ $$<
$$(FW)/$(1)$$(FW_KIND)/ours/%.o: %.c | $$(FW)/include
	@mkdir -p $$(@D)
	@$$(SAY) '  $(1) $$<'
	$$(Q)$(2) $(4) $$(FW_FLAGS) $$(FW_WARNINGS) $$(FW_INCLUDES) $(5:%=-Iboards/%) $$(FW_DEFINES) -MD -MP -c -o $$@ $$<
ifeq ($(1),$(BOARD))
$$(IMAGE).%.o: %.c | $$(FW)/include
	@mkdir -p $$(@D)
	$$(Q)$(2) $(4) $$(FW_WARNINGS) $$(FW_INCLUDES) $$(FW_DEFINES) $$(FW_OPTION_DEFINES) -c -o $$@ $$<
# All of an image but what is made for one CA, and what site.sh makes that with: the rest links in a moment.
firmware-parts: $$($(1)_OBJECTS) $$(FW)/$(2)/libbearssl.a $$(B)/nanoacme-anchors
$$(IMAGE).site.o: $$(FW_SITE) | $$(FW)/include
	@mkdir -p $$(@D)
	$$(Q)$(2) $(4) $$(FW_WARNINGS) $$(FW_INCLUDES) $$(FW_DEFINES) -c -o $$@ $$<
$$(IMAGE).main.o: $$(MAIN) | $$(FW)/include
	@mkdir -p $$(@D)
	$$(Q)$(2) $(4) $$(FW_WARNINGS) $$(FW_INCLUDES) $$(FW_DEFINES) -c -o $$@ $$<
$$(IMAGE).elf: $$($(1)_OBJECTS) $$(IMAGE).site.o $$(if $$(MAIN),$$(IMAGE).main.o) $$(FW_OPTIONS:%=$$(IMAGE).%.o) $$(FW)/$(2)/libbearssl.a boards/$(1)/link.ld
	@$$(SAY) '  ld  $$@'
	$$(Q)$(2) $(4) -nostartfiles -Wl,--gc-sections,--emit-relocs -Wl,-Map,$$(IMAGE).map -T boards/$(1)/link.ld $$(FW_UNUSED) $$(FW_OPTION_LINK) -o $$@ \
		$$(filter %.o,$$^) $$(FW)/$(2)/libbearssl.a $(6) $$(FW_LINK)
-include $$($(1)_OBJECTS:.o=.d)
endif
endef

firmware: $(IMAGE).elf
.PHONY: firmware firmware-parts
