# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#
# What shows how a kernel takes the BPF object; included by the main Makefile.
#
#   $(B)/verify     has it verified, and prints at what cost

.PHONY: verify
verify: $(B)/verify

$(B)/verify: tests/bpf/verify.c include/tttrace_config.h
	$(call msg,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) $< $(LIBBPF) $(shell $(PKG_CONFIG) --libs libelf zlib) -o $@
