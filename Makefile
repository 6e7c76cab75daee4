# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#
#   make            build/tttrace
#   make check      everything that is promised, tested (installs what it needs: scripts/check)
#   make check-long  the same, and what is left to chance 100 times
#   make soak MINUTES=N  a storm of processes under one tttrace: its memory stays flat
#   make unit       the tests that need neither root nor a runtime
#   make demo       scripts/demo
#   make bench      what it costs, beside other tools (scripts/bench)
#   make install, dist, deb  see scripts/packages.mk
#   make SAN=1 …    with ASan and UBSan, into build-san/
#   make STATIC=1 … static, into build-static/; Zydis is built by scripts/zydis
#   make V=1 …      show the commands

SAN ?=
STATIC ?=
B := build$(if $(SAN),-san)$(if $(STATIC),-static)
ARCH := $(shell uname -m | sed 's/x86_64/x86/;s/aarch64/arm64/')
VERSION := 0.1

CC ?= gcc
# a version of clang that came without its llvm-strip is passed over
LLVM_VERSION := $(shell for v in -19 -16; do \
	command -v clang$$v >/dev/null && command -v llvm-strip$$v >/dev/null && \
	echo "$$v" && break; done)
CLANG ?= clang$(LLVM_VERSION)
LLVM_STRIP ?= llvm-strip$(LLVM_VERSION)
CLANG_TIDY ?= clang-tidy
# Ubuntu's own bpftool runs only where the tools of the running kernel are installed
BPFTOOL ?= $(or $(shell for b in bpftool /usr/sbin/bpftool /usr/lib/linux-tools/*/bpftool; do \
	"$$b" version >/dev/null 2>&1 && echo "$$b" && break; done),bpftool)
PKG_CONFIG ?= pkg-config

# libbpf is linked statically: the binary then runs where only an older one is installed.
LIBBPF := $(shell $(PKG_CONFIG) --variable=libdir libbpf)/libbpf.a
PACKAGES := libdw libelf json-c zlib libcap
PACKAGE_CFLAGS := $(shell $(PKG_CONFIG) --cflags libbpf $(PACKAGES))
# Zydis, libiberty and Judy come without a file for pkg-config
PACKAGE_LIBS := $(shell $(PKG_CONFIG) $(if $(STATIC),--static) --libs $(PACKAGES)) -lZydis -liberty -lJudy
ifneq ($(STATIC),)
ZYDIS ?= $(or $(shell scripts/zydis),$(error scripts/zydis failed: see above))
override ZYDIS := $(ZYDIS)
PACKAGE_CFLAGS += -I$(ZYDIS)/include -DZYDIS_STATIC_BUILD -DZYCORE_STATIC_BUILD
override LDFLAGS += -static -L$(ZYDIS)
endif
CPPFLAGS += -D_GNU_SOURCE -DTTTRACE_VERSION='"$(VERSION)"' -Iinclude -Iuser -I$(B) $(PACKAGE_CFLAGS)
CFLAGS ?= -O2 -g
override CFLAGS += -std=gnu11 -Wall -Wextra -Werror $(if $(SAN),-fsanitize=address$(,)undefined -fno-omit-frame-pointer)
LDLIBS += $(LIBBPF) $(PACKAGE_LIBS)
BPF_CFLAGS := -O2 -g -Wall -Wextra -Werror -target bpf -mcpu=v3 -D__TARGET_ARCH_$(ARCH) \
	-Ivmlinux/$(shell uname -m) -Iinclude -Ibpf $(PACKAGE_CFLAGS)

, := ,
ifeq ($(V),1)
Q :=
msg :=
else
Q := @
msg = @printf '  %-8s %s\n' $(1) $(2);
MAKEFLAGS += --no-print-directory
endif

# all of the user side but main.c, main.c, and the part that tests link: what needs no BPF
SOURCES := $(filter-out $(if $(STATIC),,user/lib/elfutils_trees.c),$(wildcard user/*.c user/*/*.c))
OBJECTS := $(SOURCES:%.c=$(B)/%.o)
BPF_USERS := $(B)/user/trace/loader.o
READERS := $(addprefix $(B)/user/,result.o result_line.o suppression_file.o \
	wanted.o trace/load_error.o trace/stamp.o)
PLAIN := $(READERS) $(filter $(patsubst %.c,$(B)/%.o,$(wildcard $(addsuffix /*.c,$(addprefix user/,lib target stack core report)))),$(OBJECTS))
UNITS := $(patsubst %.c,$(B)/%,$(wildcard tests/unit/test_*.c))

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: all clean check check-long soak unit demo tests tidy

all: $(B)/tttrace

$(B)/tttrace: $(OBJECTS)
	$(call msg,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $^ $(LDLIBS) -o $@

$(B)/%.o: %.c
	$(call msg,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c $< -o $@

$(BPF_USERS): $(B)/tttrace.skel.h

$(B)/tttrace.skel.h: $(B)/tttrace.bpf.o
	$(call msg,SKEL,$@)
	$(Q)$(BPFTOOL) gen skeleton $< name tttrace_bpf > $@

$(B)/tttrace.bpf.o: bpf/tttrace.bpf.c
	$(call msg,BPF,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_CFLAGS) -MMD -MP -MT $@ -MF $(@:.o=.d) -c $< -o $@
	$(Q)$(LLVM_STRIP) -g $@

$(B)/tests/unit/%: $(B)/tests/unit/%.o $(PLAIN)
	$(call msg,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $^ $(PACKAGE_LIBS) -lcmocka -o $@

# what tests/runtime/test_live.py asks; needed with the stand-in, for the same tests are run
$(B)/tests/live/fields: $(B)/tests/live/fields.o $(PLAIN)
	$(call msg,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $^ $(PACKAGE_LIBS) -o $@

include tests/standin/standin.mk
standin: $(B)/tests/live/fields
include tests/bench/bench.mk
include tests/bpf/bpf.mk
include scripts/packages.mk

unit: $(UNITS)
	$(Q)set -e; for t in $(UNITS); do $$t; done

tests: $(UNITS)

# clang-tidy, a file at a time on all cores
tidy: $(B)/tttrace.skel.h
	$(Q)printf '%s\n' $(SOURCES) | xargs -P $(shell nproc) -I{} \
		$(CLANG_TIDY) --quiet {} -- -std=gnu11 $(CPPFLAGS) 2>&1 | \
		{ ! grep -E -A4 'error:|warning: .*\['; }

check:
	$(Q)scripts/check

check-long:
	$(Q)TTTRACE_TIMES=100 scripts/check

MINUTES ?= 10

soak: all standin
	$(Q)scripts/soak $(MINUTES)

demo:
	$(Q)scripts/demo

clean:
	rm -rf build build-san build-static

-include $(wildcard $(OBJECTS:.o=.d) $(UNITS:=.d) $(B)/tttrace.bpf.d)
