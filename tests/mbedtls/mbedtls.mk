# port/mbedtls on this machine: Mbed TLS is built from its source with port/mbedtls/mbedtls_config.h. MBEDTLS_DIR: a tree of your
# own, with include/ and library/; or the one that `tests/deps.sh check` fetches.

MBEDTLS = $(or $(MBEDTLS_DIR),build/src/mbedtls)
MBEDTLS_FLAGS = -isystem $(MBEDTLS)/include -Iport/mbedtls -DMBEDTLS_CONFIG_FILE='"mbedtls_config.h"' -DACME_MBEDTLS_MEASURE
MBEDTLS_LIBRARY = $(patsubst $(MBEDTLS)/library/%.c,$(B)/mbedtls/library/%.o,$(wildcard $(MBEDTLS)/library/*.c))
MBEDTLS_OURS = $(call objects,port/secure/channel.c $(wildcard port/mbedtls/*.c))

$(B)/mbedtls/library/%.o: $(MBEDTLS)/library/%.c port/mbedtls/mbedtls_config.h
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) -ffunction-sections -fdata-sections -w $(MBEDTLS_FLAGS) -I$(MBEDTLS)/library -c -o $@ $<
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
