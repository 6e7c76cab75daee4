# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#
# Installing and packaging; included by the main Makefile.
#
#   make install     into $(DESTDIR)$(PREFIX), /usr/local if not given; make uninstall removes it
#   make dist        build/tttrace-VERSION-ARCH.tar.gz: a static binary for every Linux
#   make deb         build/deb/tttrace_VERSION_ARCH.deb: a package for this release of Debian or Ubuntu

PREFIX ?= /usr/local
INSTALL ?= install
INSTALLED := bin/tttrace share/man/man1/tttrace.1 $(addprefix share/doc/tttrace/,README.md LICENSE)

.PHONY: install uninstall dist deb

DIST := tttrace-$(VERSION)-$(shell uname -m)
DIST_ROOT := build-static/$(DIST)

# What is linked into the static binary, and whose licences go with it
DIST_PACKAGES := libbpf-dev libbz2-dev libc6-dev libcap-dev libdw-dev libelf-dev libiberty-dev \
	libjson-c-dev libjudy-dev liblzma-dev libzstd-dev libzydis-dev zlib1g-dev

install: all
	$(call msg,INSTALL,$(DESTDIR)$(PREFIX))
	$(Q)$(INSTALL) -D -m 755 $(B)/tttrace "$(DESTDIR)$(PREFIX)/bin/tttrace"
	$(Q)$(INSTALL) -D -m 644 docs/tttrace.1 "$(DESTDIR)$(PREFIX)/share/man/man1/tttrace.1"
	$(Q)$(INSTALL) -d "$(DESTDIR)$(PREFIX)/share/doc/tttrace"
	$(Q)$(INSTALL) -m 644 README.md LICENSE "$(DESTDIR)$(PREFIX)/share/doc/tttrace"

uninstall:
	$(Q)rm -f $(patsubst %,"$(DESTDIR)$(PREFIX)/%",$(INSTALLED))
	$(Q)rmdir "$(DESTDIR)$(PREFIX)/share/doc/tttrace" 2>/dev/null || :

dist:
	$(Q)$(MAKE) STATIC=1 all
	$(Q)rm -rf $(DIST_ROOT)
	$(Q)$(INSTALL) -d $(DIST_ROOT)/LICENSES/linked build
	$(Q)$(INSTALL) -s -m 755 build-static/tttrace $(DIST_ROOT)/tttrace
	$(Q)$(INSTALL) -m 644 README.md LICENSE docs/tttrace.1 $(DIST_ROOT)
	$(Q)$(INSTALL) -m 644 LICENSES/* $(DIST_ROOT)/LICENSES
	$(Q)set -e; for package in $(DIST_PACKAGES); do \
		$(INSTALL) -m 644 /usr/share/doc/$$package/copyright $(DIST_ROOT)/LICENSES/linked/$$package; \
	done
	$(call msg,TAR,build/$(DIST).tar.gz)
	$(Q)tar -C build-static --sort=name --owner=0 --group=0 --numeric-owner \
		-czf build/$(DIST).tar.gz $(DIST)

# In a copy of the tree, since the packages are left beside it and debian/ is written to
deb:
	$(Q)rm -rf build/deb
	$(Q)mkdir -p build/deb/tttrace
	$(Q)tar -c --exclude=./.git --exclude='./build*' . | tar -x -C build/deb/tttrace
	$(Q)cd build/deb/tttrace && dpkg-buildpackage -b -us -uc
	$(Q)rm -rf build/deb/tttrace
