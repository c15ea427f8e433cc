# What the Cortex-M3 boards share.
ARM_FLAGS = -mcpu=cortex-m3 -mthumb -Os -ffunction-sections -fdata-sections -fno-common --specs=nano.specs
