# `make firmware BOARD=mps2-an385 KERNEL=1`: the firmware as one task of the kernel in this folder. Cortex-M3 boards.
FW_KIND = -kernel
FW_KIND_INCLUDES = -Itests/boards/kernel
FW_LWIP_FILES += $(FW_LWIP)/src/api/tcpip.c
FW_OURS := $(filter-out boards/firmware/loop.c,$(FW_OURS)) $(wildcard tests/boards/kernel/*.c)
# main() makes the first random numbers on its stack; then it is that of the interrupts.
FW_LINK = -Wl,--defsym=main_stack=2048,--wrap=acme_tick

# The kernel alone, with a program that looks whether it keeps its promises.
KERNEL_CHECK = $(FW)/$(BOARD)$(FW_KIND)/kernel-check.elf
kernel-check: $(KERNEL_CHECK)
$(KERNEL_CHECK): $(addprefix $(FW)/$(BOARD)$(FW_KIND)/ours/, boards/arm/start.o boards/arm/systick.o boards/arm/standin.o \
	boards/arm/semihost.o boards/firmware/image.o \
	boards/$(BOARD)/board.o tests/boards/kernel/kernel.o tests/boards/kernel/check/check.o)
	@$(SAY) '  ld  $@'
	$(Q)arm-none-eabi-gcc $(ARM_FLAGS) -nostartfiles -Wl,--gc-sections,--defsym=main_stack=1024 -Lboards/arm \
		-T boards/$(BOARD)/link.ld -o $@ $^
.PHONY: kernel-check
