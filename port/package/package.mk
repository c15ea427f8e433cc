# What others' builds and systems take: port/package/README.md. All of it goes below $(DIST).
DIST = $(B)/dist
SINGLE = $(DIST)/single
PACKAGE = nanoacme-$(VERSION)
PACKED = core port boards tests README.md LICENSE Makefile .clang-format .github .gitignore

# acme.c and acme.h: the core and the stores for devices.
dist-single:
	@mkdir -p $(SINGLE)
	$(Q)$(PYTHON) port/package/single.py $(SINGLE)

# The tree, with what ESP-IDF, Zephyr, PlatformIO and CMake look for at its root, and a bill of materials. The same bytes from the
# same commit.
dist-tree:
	@rm -rf $(DIST)/$(PACKAGE)
	@mkdir -p $(DIST)/$(PACKAGE)
	$(Q){ git ls-files -z $(PACKED) 2>/dev/null || find $(PACKED) ! -type d ! -path '*/__pycache__/*' -print0; } | \
		xargs -0 cp -P --parents -t $(DIST)/$(PACKAGE)
	$(Q)$(PYTHON) port/package/package.py root $(DIST)/$(PACKAGE)

dist: dist-tree
	$(Q)tar -C $(DIST) --sort=name --format=gnu --owner=0 --group=0 --numeric-owner --mode=u+rw,go+r-w \
		--mtime=@$${SOURCE_DATE_EPOCH:-$$(git log -1 --format=%ct 2>/dev/null || echo 1767225600)} \
		-c $(PACKAGE) | gzip -9n >$(DIST)/$(PACKAGE).tar.gz
	$(Q)cp $(DIST)/$(PACKAGE)/sbom.cdx.json $(DIST)/$(PACKAGE).cdx.json
	@ls -l $(DIST)/$(PACKAGE).tar.gz

# Debian packages, unsigned, of this tree: nanoacme and libnanoacme-dev.
deb: dist-tree
	@rm -rf $(DIST)/deb
	@mkdir -p $(DIST)/deb
	$(Q)cp -r $(DIST)/$(PACKAGE) $(DIST)/deb/
	$(Q)$(PYTHON) port/package/package.py debian $(DIST)/deb/$(PACKAGE)
	$(Q)cd $(DIST)/deb/$(PACKAGE) && env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL dpkg-buildpackage -us -uc -b >../log 2>&1 || { tail -30 ../log >&2; exit 1; }
	@ls -l $(DIST)/deb/*.deb

.PHONY: deb dist dist-single dist-tree

# CC=musl-gcc, or a cross compiler (AR=its ar): the program in one static file for that machine, with BearSSL compiled for it.
# KERNEL_HEADERS: where linux/ and asm/ are, when the compiler has none, as musl-gcc has not; empty: it has.
STATIC = $(B)/static-$(notdir $(firstword $(CC)))
STATIC_BEARSSL = $(or $(BEARSSL_DIR),$(B)/src/bearssl)
STATIC_FLAGS = -Os -ffunction-sections -fdata-sections
KERNEL_HEADERS ?= $(if $(findstring musl-gcc,$(CC)),/usr/include)
AR ?= ar
STATIC_OBJECTS = $(patsubst $(STATIC_BEARSSL)/src/%.c,$(STATIC)/bearssl/%.o,$(wildcard $(STATIC_BEARSSL)/src/*.c $(STATIC_BEARSSL)/src/*/*.c))
static: $(STATIC)/libbearssl.a
	$(Q)cp $(or $(JSMN_DIR),/usr/include)/jsmn.h $(STATIC_BEARSSL)/inc/*.h $(STATIC)/include
	$(Q)for h in $(if $(KERNEL_HEADERS),linux asm asm-generic); do \
		from=$$(ls -d $(KERNEL_HEADERS)/$$h $(KERNEL_HEADERS)/$$(uname -m)-linux-gnu/$$h 2>/dev/null | head -1); \
		ln -sfn $$from $(STATIC)/include/$$h; done
	$(Q)$(MAKE) -s B=$(STATIC) BEARSSL_DIR= JSMN_DIR= STACKS='-isystem $(STATIC)/include' CFLAGS='$(STATIC_FLAGS)' \
		LDFLAGS='-static -s -Wl,--gc-sections' LDLIBS=$(STATIC)/libbearssl.a $(STATIC)/nanoacme
	@ls -l $(STATIC)/nanoacme
$(STATIC)/libbearssl.a: $(STATIC_OBJECTS)
	@[ -n "$^" ] || { echo "static needs the source of BearSSL: run 'tests/deps.sh firmware', or set BEARSSL_DIR" >&2; exit 1; }
	@mkdir -p $(STATIC)/include
	@rm -f $@
	$(Q)$(AR) rcs $@ $^
$(STATIC)/bearssl/%.o: $(STATIC_BEARSSL)/src/%.c
	@mkdir -p $(@D)
	$(Q)$(CC) $(STATIC_FLAGS) -w -I$(STATIC_BEARSSL)/inc -I$(STATIC_BEARSSL)/src -c -o $@ $<

.PHONY: static
