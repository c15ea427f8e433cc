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

.PHONY: dist dist-single dist-tree
