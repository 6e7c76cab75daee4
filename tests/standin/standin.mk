# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#
# The stand-in runtime and its driver; included by the main Makefile. Into $(B)/standin/:
#
#   gen1, gen2, gen3    libtt_metal.so of each generation
#   gen3-cet            its functions begin with endbr64
#   gen3-fp             its functions set up a frame pointer, as in 0.64.5
#   ttdriver            the driver; takes a library with -l, or later
#   ttdriver-linked     the driver with the runtime of gen3 linked in
#   ttdriver-exported   the same, its symbols exported (-rdynamic)
#   ttdriver-stripped   the same without symbols, neither exported nor others
#   gen3-plugin         a library that the runtime is a part of: it exports none of its functions
#   gen2-stripped, gen3-stripped   such libraries, without symbols
#   frames              allocates by the ways of a library, and knows its own stack
#
# The real libraries are built by clang with these very flags. g++ will do, but its code differs, so
# that tttrace finds a field less or two; it is also what has the sanitizers for SAN=1.

STANDIN_CXX ?= $(if $(SAN),g++,$(firstword $(foreach c,clang++-19 clang++-16 clang++,$(if $(shell command -v $(c)),$(c))) g++))
STANDIN_B := $(B)/standin
STANDIN_CXXFLAGS := -std=c++20 -Wall -Wextra -Werror -MMD -MP -fPIC $(if $(SAN),-g -fsanitize=address$(,)undefined)
STANDIN_RUNTIME_FLAGS := -O3 -march=x86-64-v3 -Wno-invalid-offsetof \
	$(if $(findstring clang,$(STANDIN_CXX)),,-fno-shrink-wrap)
STANDIN_LDFLAGS := -pthread -Wl,--build-id=sha1
STANDIN_VARIANTS := gen1 gen2 gen3 gen3-cet gen3-fp
STANDIN := $(STANDIN_VARIANTS:%=$(STANDIN_B)/%/libtt_metal.so) $(STANDIN_B)/ttdriver \
	$(STANDIN_B)/ttdriver-linked $(STANDIN_B)/ttdriver-exported $(STANDIN_B)/frames \
	$(STANDIN_B)/ttdriver-stripped $(STANDIN_B)/gen3-plugin/libtt_metal.so \
	$(STANDIN_B)/gen2-stripped/libtt_metal.so $(STANDIN_B)/gen3-stripped/libtt_metal.so

$(STANDIN_B)/gen1/%: STANDIN_VARIANT := -DGENERATION=1
$(STANDIN_B)/gen2/%: STANDIN_VARIANT := -DGENERATION=2
$(STANDIN_B)/gen3/%: STANDIN_VARIANT := -DGENERATION=3
$(STANDIN_B)/gen3-cet/%: STANDIN_VARIANT := -DGENERATION=3 -fcf-protection=full
$(STANDIN_B)/gen3-fp/%: STANDIN_VARIANT := -DGENERATION=3 -fno-omit-frame-pointer
$(STANDIN_B)/driver-linked.o: STANDIN_VARIANT := -DSTANDIN_LINKED

.PHONY: standin
standin: $(STANDIN)

define STANDIN_COMPILE
	$(call msg,CXX,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(STANDIN_CXX) $(STANDIN_CXXFLAGS) $(STANDIN_VARIANT) -c $< -o $@
endef

$(STANDIN_B)/%/runtime.o: tests/standin/runtime.cpp
	$(STANDIN_COMPILE) $(STANDIN_RUNTIME_FLAGS)

$(STANDIN_B)/%/libtt_metal.so: $(STANDIN_B)/%/runtime.o
	$(call msg,LINK,$@)
	$(Q)$(STANDIN_CXX) $(STANDIN_CXXFLAGS) -shared -Wl,-soname,libtt_metal.so $(STANDIN_LDFLAGS) $< -o $@

$(STANDIN_B)/gen2-stripped/libtt_metal.so: $(STANDIN_B)/gen2/runtime.o
$(STANDIN_B)/gen3-plugin/libtt_metal.so $(STANDIN_B)/gen3-stripped/libtt_metal.so: \
	$(STANDIN_B)/gen3/runtime.o
$(STANDIN_B)/gen2-stripped/libtt_metal.so $(STANDIN_B)/gen3-stripped/libtt_metal.so: \
	STANDIN_LDFLAGS += -s
$(STANDIN_B)/gen3-plugin/libtt_metal.so $(STANDIN_B)/gen2-stripped/libtt_metal.so \
$(STANDIN_B)/gen3-stripped/libtt_metal.so: tests/standin/plugin.map
	$(call msg,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(STANDIN_CXX) $(STANDIN_CXXFLAGS) -shared -Wl,-soname,libtt_metal.so \
		-Wl,--version-script=tests/standin/plugin.map $(STANDIN_LDFLAGS) $(filter %.o,$^) -o $@

$(STANDIN_B)/%.o: tests/standin/%.cpp
	$(STANDIN_COMPILE) -O2

$(STANDIN_B)/driver-linked.o: tests/standin/driver.cpp
	$(STANDIN_COMPILE) -O2

STANDIN_DRIVER_OBJECTS := $(patsubst tests/standin/%.cpp,$(STANDIN_B)/%.o,\
	$(filter-out %/runtime.cpp %/driver.cpp,$(wildcard tests/standin/*.cpp)))

$(STANDIN_B)/ttdriver: $(STANDIN_B)/driver.o $(STANDIN_DRIVER_OBJECTS)
$(STANDIN_B)/ttdriver-linked $(STANDIN_B)/ttdriver-exported: $(STANDIN_B)/driver-linked.o \
	$(STANDIN_DRIVER_OBJECTS) $(STANDIN_B)/gen3/runtime.o
$(STANDIN_B)/ttdriver-exported: STANDIN_LDFLAGS += -rdynamic
$(STANDIN_B)/ttdriver $(STANDIN_B)/ttdriver-linked $(STANDIN_B)/ttdriver-exported:
	$(call msg,LINK,$@)
	$(Q)$(STANDIN_CXX) $(STANDIN_CXXFLAGS) $(STANDIN_LDFLAGS) $^ -ldl -o $@

$(STANDIN_B)/ttdriver-stripped: $(STANDIN_B)/ttdriver-linked
	$(call msg,STRIP,$@)
	$(Q)strip -o $@ $<

$(STANDIN_B)/frames: tests/standin/programs/frames.cpp
	$(call msg,CXX,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(STANDIN_CXX) $(STANDIN_CXXFLAGS) -O2 -Itests/standin $< -o $@

-include $(wildcard $(STANDIN_B)/*.d $(STANDIN_B)/*/*.d)
