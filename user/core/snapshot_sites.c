// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "core/snapshot_sites.h"

#include <errno.h>
#include <stdlib.h>

#include "core/ledger_impl.h"
#include "core/origin.h"

static int compare_sites(const void *a, const void *b)
{
	const struct snapshot_site *x = a, *y = b;

	if (x->type != y->type)
		return x->type < y->type ? -1 : 1;
	if (x->at_peak.bytes != y->at_peak.bytes)
		return x->at_peak.bytes < y->at_peak.bytes ? 1 : -1;
	if (!x->stack || !y->stack)
		return x->stack ? -1 : y->stack ? 1 : 0;
	return x->stack->number < y->stack->number ? -1 : x->stack->number > y->stack->number;
}

static void copy_site(const struct ledger *ledger, const struct device *device,
		      const struct site *site, struct snapshot_device *copy)
{
	struct snapshot_site *row = &copy->sites[copy->num_sites++];
	struct snapshot_owner *owner;

	*row = (struct snapshot_site){
		.stack = stacks__find(&ledger->stacks, site->key.stack),
		.type = site->key.type,
		.live = site->live,
		.at_peak = site__at_peak(&device->sites, site),
		.leaked = site->leaked,
		.allocated = site->allocated,
		.temporary = site->temporary,
	};
	row->owner = owner__of(row->type, row->stack);
	owner = &copy->owners[row->owner];
	site_sum__fold(&owner->live, &row->live);
	site_sum__fold(&owner->leaked, &row->leaked);
	site_sum__fold(&owner->allocated, &row->allocated);
}

int snapshot__take_sites(const struct ledger *ledger, const struct device *device,
			 struct snapshot_device *copy)
{
	__u32 num = HASH_COUNT(device->sites.table);
	struct site *site, *next;

	if (!num)
		return 0;
	copy->sites = calloc(num, sizeof(*copy->sites));
	if (!copy->sites)
		return -ENOMEM;
	HASH_ITER (hh, device->sites.table, site, next) {
		/* one may have been met and come to nothing, for want of memory or by a census */
		if (site->allocated.buffers || site__at_peak(&device->sites, site).buffers)
			copy_site(ledger, device, site, copy);
	}
	qsort(copy->sites, copy->num_sites, sizeof(*copy->sites), compare_sites);
	return 0;
}
