// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "library_log.h"

#include "lib/log.h"
#include "target/library.h"
#include "target/probe_set.h"

/* What of @set is missing in @lib, each with what no longer works. */
unsigned int library_log__wanted(const struct library *lib, __u64 set)
{
	unsigned int wanted = 0;

	for (int probe = 0; probe < TT_PROBE_COUNT; probe++) {
		if (!probe_set__has(set, probe))
			continue;
		switch (lib->probe_state[probe]) {
		case PROBE_FOUND:
			wanted++;
			break;
		case PROBE_MISSING:
		case PROBE_AMBIGUOUS:
			wanted++;
			pr_warn("'%s' has no %s: %s", lib->name, library__probe_name(probe),
				library__probe_loss(probe));
			break;
		case PROBE_COVERED:
			break;
		}
	}
	return wanted;
}

void library_log__fields(const struct library *lib)
{
	for (int field = 0; field < TT_FIELD_COUNT; field++)
		if (!lib->fields[field].found && library__field_loss(field))
			pr_warn("'%s': %s::%s could not be established: %s", lib->name,
				library__field_class(field), library__field_name(field),
				library__field_loss(field));
}

void library_log__probes(const struct library *lib, __u64 set)
{
	for (size_t i = 0; i < lib->num_probes; i++)
		if (probe_set__has(set, lib->probes[i].probe))
			pr_info("  %s+0x%x  %s%s", lib->probes[i].name, lib->probes[i].insn_offset,
				lib->probes[i].insn,
				lib->probes[i].emulated ? "" : "  (single-stepped)");
}
