# Arm MPS2 with the AN385 image: Cortex-M3, LAN9118 Ethernet. Its memory is larger; link.ld holds it to the reference part's.
$(eval $(call firmware_board,mps2-an385,arm-none-eabi-gcc,arm-none-eabi-ar,$(ARM_FLAGS),mps2-an385 arm,-Lboards/arm))
