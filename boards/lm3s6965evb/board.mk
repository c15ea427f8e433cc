# Stellaris LM3S6965: Cortex-M3, 256 KiB of flash, 64 KiB of RAM, Ethernet on the chip. QEMU has it.
$(eval $(call firmware_board,lm3s6965evb,arm-none-eabi-gcc,arm-none-eabi-ar,$(ARM_FLAGS),lm3s6965evb arm,-Lboards/arm))
