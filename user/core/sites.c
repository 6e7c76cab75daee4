// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "core/sites.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct site *sites__find(const struct sites *sites, __u32 stack, __u32 type)
{
	const struct site_key key = { .stack = stack, .type = type };
	struct site *site;

	HASH_FIND(hh, sites->table, &key, sizeof(key), site);
	return site;
}

static struct site *find_of(const struct sites *sites, const struct buffer *buffer)
{
	return sites__find(sites, buffer->stack, buffer->type);
}

int sites__meet(struct sites *sites, __u32 stack, __u32 type)
{
	struct site *site;

	if (sites__find(sites, stack, type))
		return 0;
	site = calloc(1, sizeof(*site));
	if (!site)
		return -ENOMEM;
	site->key = (struct site_key){ .stack = stack, .type = type };
	site->peak = sites->peak[type]; /* at which it was not there */
	HASH_ADD(hh, sites->table, key, sizeof(site->key), site);
	if (table__has(site))
		return 0;
	free(site);
	return -ENOMEM;
}

/* It has not changed since the peak: what it has now, it had then. */
static bool is_as_at_peak(const struct sites *sites, const struct site *site)
{
	return site->peak != sites->peak[site->key.type];
}

struct site_sum site__at_peak(const struct sites *sites, const struct site *site)
{
	return is_as_at_peak(sites, site) ? site->live : site->at_peak;
}

/* Before it changes: what it has now is what it had at the peak, if that came since its last
 * change. */
static void settle(const struct sites *sites, struct site *site)
{
	site->at_peak = site__at_peak(sites, site);
	site->peak = sites->peak[site->key.type];
}

void sites__add(struct sites *sites, const struct buffer *buffer)
{
	struct site *site = find_of(sites, buffer);

	if (!site)
		return;
	settle(sites, site);
	site_sum__add(&site->live, buffer);
}

void sites__sub(struct sites *sites, const struct buffer *buffer)
{
	struct site *site = find_of(sites, buffer);

	if (!site)
		return;
	settle(sites, site);
	site_sum__sub(&site->live, buffer);
}

void sites__explain(struct sites *sites, struct buffer *buffer, __u32 stack)
{
	struct site *from = find_of(sites, buffer), *to;
	bool of_peak = from && is_as_at_peak(sites, from);

	if (from) {
		sites__sub(sites, buffer);
		site_sum__sub(&from->allocated, buffer);
	}
	buffer->stack = stack;
	to = find_of(sites, buffer);
	if (!to)
		return;
	sites__add(sites, buffer);
	site_sum__add(&to->allocated, buffer);
	if (of_peak) {
		site_sum__sub(&from->at_peak, buffer);
		site_sum__add(&to->at_peak, buffer);
	}
}

void sites__mark_peak(struct sites *sites, __u32 type)
{
	sites->peak[type]++;
}

static void merge(struct site *into, const struct site *site, bool is_higher)
{
	site_sum__fold(&into->live, &site->live);
	site_sum__fold(&into->leaked, &site->leaked);
	site_sum__fold(&into->allocated, &site->allocated);
	into->temporary += site->temporary;
	if (is_higher)
		into->at_peak = site->at_peak;
}

/* It is out of its own table. */
static void move(struct sites *sites, struct site *site, bool is_higher)
{
	struct site *into = sites__find(sites, site->key.stack, site->key.type);

	if (into) {
		merge(into, site, is_higher);
	} else {
		if (!is_higher)
			site->at_peak = (struct site_sum){};
		site->peak = sites->peak[site->key.type];
		HASH_ADD(hh, sites->table, key, sizeof(site->key), site);
		if (table__has(site))
			return;
		/* out of memory: its totals are in those of the device all the same */
	}
	free(site);
}

void sites__fold(struct sites *sites, struct sites *other, __u32 higher)
{
	struct site *site, *next;

	HASH_ITER (hh, sites->table, site, next) {
		settle(sites, site);
		if (higher >> site->key.type & 1)
			site->at_peak = (struct site_sum){};
	}
	HASH_ITER (hh, other->table, site, next) {
		settle(other, site);
		HASH_DEL(other->table, site);
		move(sites, site, higher >> site->key.type & 1);
	}
}

void sites__done(struct sites *sites)
{
	struct site *site, *next;

	HASH_ITER (hh, sites->table, site, next) {
		HASH_DEL(sites->table, site);
		free(site);
	}
	memset(sites, 0, sizeof(*sites));
}
