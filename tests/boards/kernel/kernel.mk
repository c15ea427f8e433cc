# `make firmware BOARD=mps2-an385 KERNEL=1`: the firmware as one task of the kernel in this folder. Cortex-M3 only.
FW_KIND = -kernel
FW_KIND_INCLUDES = -Itests/boards/kernel
FW_LWIP_FILES += $(FW_LWIP)/src/api/tcpip.c
FW_OURS := $(filter-out boards/firmware/loop.c,$(FW_OURS)) $(wildcard tests/boards/kernel/*.c)
# main() makes the first random numbers on its stack; then it is that of the interrupts.
FW_LINK = -Wl,--defsym=main_stack=2048,--wrap=acme_tick
