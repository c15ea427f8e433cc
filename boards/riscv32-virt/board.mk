# QEMU's virt machine with one rv32imac core: virtio network and random numbers, NOR flash, a clock.
RISCV_FLAGS = -march=rv32imac_zicsr -mabi=ilp32 -mcmodel=medany -Os -ffunction-sections -fdata-sections -fno-common \
	-msmall-data-limit=0 --specs=picolibc.specs
$(eval $(call firmware_board,riscv32-virt,riscv64-unknown-elf-gcc,riscv64-unknown-elf-ar,$(RISCV_FLAGS),riscv32-virt,\
	-march=rv32imac))
