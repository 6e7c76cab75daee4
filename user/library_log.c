// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "library_log.h"

#include <stdbool.h>

#include "lib/log.h"
#include "target/library.h"
#include "target/probe_set.h"

static void tell_missing_fields(const struct library *lib)
{
	for (int field = 0; field < TT_FIELD_COUNT; field++)
		if (!lib->fields[field].found && library__field_loss(field))
			pr_warn("'%s': %s::%s could not be established: %s", lib->name,
				library__field_class(field), library__field_name(field),
				library__field_loss(field));
}

static void tell_probes(const struct library *lib, __u64 set)
{
	for (size_t i = 0; i < lib->num_probes; i++)
		if (probe_set__has(set, lib->probes[i].probe))
			pr_info("  %s+0x%x  %s%s", lib->probes[i].name, lib->probes[i].insn_offset,
				lib->probes[i].insn,
				lib->probes[i].emulated ? "" : "  (single-stepped)");
}

static bool is_missing(const struct library *lib, int probe)
{
	return lib->probe_state[probe] == PROBE_MISSING ||
	       lib->probe_state[probe] == PROBE_AMBIGUOUS;
}

unsigned int library_log__tell(struct once *builds, const struct library *lib, __u64 set)
{
	/* copies of a library, and a file that is new again and again, are told of once */
	bool told = lib->build_id[0] && once__tell(builds, lib->build_id, "") == ONCE_TOLD;
	unsigned int wanted = 0;

	tell_probes(lib, set);
	if (!told)
		tell_missing_fields(lib);
	for (int probe = 0; probe < TT_PROBE_COUNT; probe++) {
		if (!probe_set__has(set, probe) || lib->probe_state[probe] == PROBE_COVERED)
			continue;
		wanted++;
		if (is_missing(lib, probe) && !told)
			pr_warn("'%s' has no %s: %s", lib->name, library__probe_name(probe),
				library__probe_loss(probe));
	}
	return wanted;
}
