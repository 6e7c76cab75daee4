# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#
# What the benchmark and the guard measure with; included by the main Makefile. Into $(B)/bench/:
#
#   floor     programs of BPF that do nothing, or what memleak does, at given places
#   hits      calls one function of the stand-in as fast as it can
#   attach    the loader of tttrace, timed
#   ledger    records into the ledger: rate, memory, pauses
#   mapper    processes that map a file
#   mappings  counts the executable mappings of all processes

BENCH_B := $(B)/bench
BENCH_TOOLS := $(addprefix $(BENCH_B)/,floor hits attach ledger mapper mappings)

.PHONY: bench bench-tools
bench: all standin bench-tools
	$(Q)scripts/bench

bench-tools: $(BENCH_TOOLS)

$(BENCH_B)/floor.bpf.o: tests/bench/floor.bpf.c
	$(call msg,BPF,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_CFLAGS) -MMD -MP -MT $@ -MF $(@:.o=.d) -c $< -o $@
	$(Q)$(LLVM_STRIP) -g $@

$(BENCH_B)/floor.skel.h: $(BENCH_B)/floor.bpf.o
	$(call msg,SKEL,$@)
	$(Q)$(BPFTOOL) gen skeleton $< name floor_bpf > $@

$(BENCH_B)/%.o: tests/bench/%.c
	$(call msg,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) -I$(BENCH_B) $(CFLAGS) -MMD -MP -c $< -o $@

$(BENCH_B)/floor.o: $(BENCH_B)/floor.skel.h
$(BENCH_B)/floor: $(BENCH_B)/floor.o
$(BENCH_B)/mapper: $(BENCH_B)/mapper.o
$(BENCH_B)/mappings: $(BENCH_B)/mappings.o
$(BENCH_B)/ledger: $(BENCH_B)/ledger.o $(PLAIN)
$(BENCH_B)/attach: $(BENCH_B)/attach.o $(filter-out $(B)/user/main.o,$(OBJECTS))
$(BENCH_B)/floor $(BENCH_B)/mapper $(BENCH_B)/mappings $(BENCH_B)/ledger $(BENCH_B)/attach:
	$(call msg,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $^ $(LDLIBS) -lcmocka -o $@

$(BENCH_B)/hits: tests/bench/hits.cpp
	$(call msg,CXX,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(STANDIN_CXX) $(STANDIN_CXXFLAGS) -Itests/standin -O2 $< $(STANDIN_LDFLAGS) -ldl -o $@

-include $(wildcard $(BENCH_B)/*.d)
