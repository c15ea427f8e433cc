# Compiles NANOACME_FILES, which are elsewhere, and are looked for in this order.
NANOACME_EMPTY =
CSRCS = $(notdir $(NANOACME_FILES))
VPATH = $(subst $(NANOACME_EMPTY) ,:,$(dir $(NANOACME_FILES)))

include $(APPDIR)/Application.mk

# What includes no header of NuttX has to come into the new libapps.a after a change of the configuration as well.
$(COBJS): $(DEPCONFIG)
