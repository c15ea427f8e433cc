# port/mbedtls on this machine: Mbed TLS is built from its source with port/mbedtls/acme_mbedtls_config.h. MBEDTLS_DIR: a tree of your
# own, with include/ and library/; or the one that `tests/deps.sh check` fetches. The library is compiled in the shortest time. From 4.0 on
# its cryptography is a tree in it, with folders of its own.

MBEDTLS = $(or $(MBEDTLS_DIR),build/src/mbedtls)
MBEDTLS_PSA = $(wildcard $(MBEDTLS)/tf-psa-crypto)
MBEDTLS_ROOMS = library $(if $(MBEDTLS_PSA),$(addprefix tf-psa-crypto/,core drivers/builtin/src))
MBEDTLS_FLAGS = -isystem $(MBEDTLS)/include -Iport/mbedtls -DMBEDTLS_CONFIG_FILE='"acme_mbedtls_config.h"' -DACME_MBEDTLS_MEASURE \
	$(if $(MBEDTLS_PSA),-isystem $(MBEDTLS_PSA)/include -isystem $(MBEDTLS_PSA)/drivers/builtin/include -DTF_PSA_CRYPTO_CONFIG_FILE='"acme_psa_config.h"')
MBEDTLS_WITHIN = $(MBEDTLS_ROOMS:%=-I$(MBEDTLS)/%)
MBEDTLS_FILES = $(foreach room,$(MBEDTLS_ROOMS),$(wildcard $(MBEDTLS)/$(room)/*.c))
MBEDTLS_LIBRARY = $(MBEDTLS_FILES:$(MBEDTLS)/%.c=$(B)/mbedtls/%.o)
MBEDTLS_OURS = $(call objects,$(ACME_SECURE) $(ACME_MBEDTLS))

$(MBEDTLS_LIBRARY): $(B)/mbedtls/%.o: $(MBEDTLS)/%.c $(wildcard port/mbedtls/*_config.h)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) -O1 -g0 -ffunction-sections -fdata-sections -w $(MBEDTLS_FLAGS) $(MBEDTLS_WITHIN) -c -o $@ $<
$(B)/mbedtls/libmbedtls.a: $(MBEDTLS_LIBRARY)
$(B)/obj/port/mbedtls/%.o $(B)/obj/tests/mbedtls/%.o: STACKS += $(MBEDTLS_FLAGS)

# The cases of tests/tls, with this client. BearSSL is there for the helpers' sake.
$(B)/mbedtls/refusals: $(call objects,tests/tls/test_refusals.c tests/mbedtls/trial_client.c)
$(B)/mbedtls/transport: $(call objects,tests/mbedtls/transport.c)
$(B)/mbedtls/refusals $(B)/mbedtls/transport: $(MBEDTLS_OURS) $(B)/libhelpers.a $(B)/libnanoacme.a $(B)/mbedtls/libmbedtls.a
	@$(SAY) '  ld  $@'
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $(filter %.o,$^) $(filter %.a,$^) -lcmocka -lssl -lcrypto $(LDLIBS)

$(B)/mbedtls/keys: $(call objects,tests/mbedtls/keys.c) $(MBEDTLS_OURS) $(B)/libnanoacme.a $(B)/mbedtls/libmbedtls.a
	@$(SAY) '  ld  $@'
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -lcmocka -lcrypto

# A whole client: the POSIX port's connection, store and listener, and nothing of BearSSL.
$(B)/mbedtls/issue: $(call objects,tests/mbedtls/issue.c) $(MBEDTLS_OURS) $(B)/libnanoacme-posix.a $(B)/libnanoacme.a \
	$(B)/mbedtls/libmbedtls.a
	@$(SAY) '  ld  $@'
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -Wl,--gc-sections -o $@ $^

mbedtls: $(B)/mbedtls/refusals $(B)/mbedtls/transport $(B)/mbedtls/keys $(B)/mbedtls/issue
.PHONY: mbedtls

# mps2-an385 with lwIP and Mbed TLS, nothing of BearSSL (its headers are seen, as everywhere): `make firmware-mbedtls SITE=site.c
# IMAGE=folder/name`; QUIET=1, BASE=1 and MAX_OPS: tests/mbedtls/board.c. Objects of the core are named as what they are.
# HEADLESS=1 BARE=1: of the core what issues, without renewal, trace and check.
MB = $(B)/mbedtls/board
MB_AT = $(MB)/ours$(if $(BARE),-bare)
MB_OURS = $(ACME_CORE) $(ACME_SECURE) $(ACME_MBEDTLS) $(ACME_LWIP) $(ACME_FLASH)
MB_BOARD = $(wildcard boards/mps2-an385/*.c boards/arm/*.c) $(addprefix boards/firmware/,image.c ethernet.c loop.c $(if $(MB_QUIET),,say.c words.c))
MB_QUIET = $(if $(BASE)$(QUIET),-DQUIET)
MB_FILES = $(MB_BOARD) $(if $(BASE),,$(MB_OURS))
MB_LIBRARY = $(MBEDTLS_FILES:$(MBEDTLS)/%.c=$(MB)/%.o)
MB_OBJECTS = $(MB_FILES:%.c=$(MB_AT)/%.o) $(MB_LIBRARY) \
	$(FW_LWIP_FILES:$(FW_LWIP)/src/%.c=$(MB)/lwip/%.o)
MB_COMPILE = arm-none-eabi-gcc $(ARM_FLAGS) $(FW_FLAGS) $(FW_INCLUDES) -Iboards/mps2-an385 -Iboards/arm $(FW_DEFINES) \
	$(filter-out -DACME_MBEDTLS_MEASURE,$(MBEDTLS_FLAGS)) $(MB_DEFINES)

$(MB_LIBRARY): $(MB)/%.o: $(MBEDTLS)/%.c $(wildcard port/mbedtls/*_config.h)
	@mkdir -p $(@D)
	$(Q)$(MB_COMPILE) -w $(MBEDTLS_WITHIN) -c -o $@ $<
$(MB)/lwip/%.o: $(FW_LWIP)/src/%.c | $(FW)/include
	@mkdir -p $(@D)
	$(Q)$(MB_COMPILE) -w -c -o $@ $<
$(MB_AT)/%.o: %.c $(HEADERS) | $(FW)/include
	@mkdir -p $(@D)
	$(Q)$(MB_COMPILE) $(FW_WARNINGS) -c -o $@ $<
firmware-mbedtls: $(MB_OBJECTS)
	@mkdir -p $(dir $(IMAGE))
	$(Q)$(MB_COMPILE) $(FW_WARNINGS) $(MB_QUIET) $(if $(MB_QUIET),-Wno-cast-function-type) $(if $(BASE),-DBASE) $(if $(MAX_OPS),-DMAX_OPS=$(MAX_OPS)) -c -o $(IMAGE).main.o tests/mbedtls/board.c
	$(if $(BASE),,$(Q)$(MB_COMPILE) -c -o $(IMAGE).site.o $(SITE))
	$(Q)arm-none-eabi-gcc $(ARM_FLAGS) -nostartfiles -Wl,--gc-sections,-Map,$(IMAGE).map -T tests/mbedtls/board.ld -Lboards/arm \
		-o $(IMAGE).elf $(MB_OBJECTS) $(IMAGE).main.o $(if $(BASE),,$(IMAGE).site.o)
mbedtls-board-library: $(MB_LIBRARY)
.PHONY: firmware-mbedtls mbedtls-board-library
