# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#
# What shows how a kernel takes the BPF object; included by the main Makefile.
#
#   $(B)/verify                    has it verified, and prints at what cost
#   $(B)/clang-N/tttrace.bpf.o     the object as that version of clang makes it

COMPILERS := 14 16 18 19

.PHONY: verify objects
verify: $(B)/verify
objects: $(COMPILERS:%=$(B)/clang-%/tttrace.bpf.o)

$(B)/clang-%/tttrace.bpf.o: bpf/tttrace.bpf.c
	$(call msg,BPF,$@)
	$(Q)mkdir -p $(@D)
	$(Q)clang=$$(scripts/clang $*) && \
		"$$clang" $(BPF_CFLAGS) -MMD -MP -MT $@ -MF $(@:.o=.d) -c $< -o $@
	$(Q)$(LLVM_STRIP) -g $@

-include $(wildcard $(B)/clang-*/tttrace.bpf.d)

$(B)/verify: tests/bpf/verify.c include/tttrace_config.h
	$(call msg,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) $< $(LIBBPF) $(shell $(PKG_CONFIG) --libs libelf zlib) -o $@
