# What others' builds and systems take. All of it goes below $(DIST), or where it is told.
DIST = $(B)/dist
SINGLE = $(DIST)/single

# acme.c and acme.h: the core and the store on raw flash.
dist-single:
	@mkdir -p $(SINGLE)
	$(Q)$(PYTHON) port/package/single.py $(SINGLE)

.PHONY: dist-single
