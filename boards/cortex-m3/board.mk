# Cortex-M3, compiled only: the core's objects as firmware would build them, for `make size`.
# The cross compiler has a C library of its own, so only the two stacks' headers are shown to it.

CORTEX_M3 = $(B)/cross
CORTEX_M3_CC = arm-none-eabi-gcc
CORTEX_M3_FLAGS = -mcpu=cortex-m3 -mthumb -Os -ffunction-sections -fdata-sections -fstack-usage -g0 $(CROSS_OPTIONS)

# The public functions: from these a linker finds what an image needs of the core.
CORTEX_M3_USED = acme_init_sized acme_start acme_tick acme_idle_ms acme_stop acme_failure acme_http01_init \
	acme_key_p256_ops acme_key_p256_wipe

cross: cross-objects $(CORTEX_M3)/whole.elf
cross-objects: $(patsubst %.c,$(CORTEX_M3)/%.o,$(CORE)) $(CORTEX_M3)/sizes.o

$(CORTEX_M3)/include:
	@mkdir -p $@.new
	$(Q)cp $(or $(BEARSSL_DIR:%=%/inc),/usr/include)/bearssl*.h $@.new
	$(Q)if [ -d /usr/include/bearssl ]; then cp -r /usr/include/bearssl $@.new; fi
	$(Q)cp $(or $(JSMN_DIR),/usr/include)/jsmn.h $@.new
	$(Q)mv $@.new $@

$(CORTEX_M3)/core/%.o: core/%.c | $(CORTEX_M3)/include
	@mkdir -p $(@D)
	@$(SAY) '  cross $<'
	$(Q)$(CORTEX_M3_CC) -Icore -isystem $(CORTEX_M3)/include $(WARNINGS) $(CORTEX_M3_FLAGS) -MMD -MP -c -o $@ $<

# All of the core optimized as one, only what is used kept; BearSSL and the C library are left out.
$(CORTEX_M3)/whole.elf: $(CORE) $(HEADERS) | $(CORTEX_M3)/include
	@$(SAY) '  cross whole core'
	$(Q)$(CORTEX_M3_CC) -std=c99 -Icore -isystem $(CORTEX_M3)/include $(filter-out -fstack-usage,$(CORTEX_M3_FLAGS)) \
		-flto -fno-thread-jumps -nostdlib -Wl,--gc-sections,--unresolved-symbols=ignore-all,-e,acme_tick \
		$(CORTEX_M3_USED:%=-Wl,-u,%) -o $@ $(CORE)

# Objects whose sizes are the sizes of the structs a user must find RAM for.
$(CORTEX_M3)/sizes.c: tests/size/size.py $(HEADERS) | $(CORTEX_M3)/include
	$(Q)$(PYTHON) tests/size/size.py --structs >$@
$(CORTEX_M3)/sizes.o: $(CORTEX_M3)/sizes.c
	@$(SAY) '  cross $<'
	$(Q)$(CORTEX_M3_CC) -Icore -isystem $(CORTEX_M3)/include $(CORTEX_M3_FLAGS) -c -o $@ $<

.PHONY: cross cross-objects
