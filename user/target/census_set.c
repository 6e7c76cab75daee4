// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "target/census_set.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
	SLAB = 2048,	       /* buckets and nodes that are read together */
	MAX_BUCKETS = 1 << 24, /* that are looked at; without them the chain has to do */
};

/* As it lies in the process; a hash of a pointer is not kept in the node. */
struct set_node {
	__u64 next, element;
};

struct node {
	__u64 addr; /* 0: this place of the table is free */
	struct set_node content;
	int err;
	bool is_passed; /* by the chain */
};

/* All nodes that are known, by their address; and which of them are still to be read. */
struct nodes {
	struct memory *memory;
	struct node *table;
	size_t mask, count, limit;
	size_t *unread; /* indices into the table */
	size_t num_unread;
	struct memory_part *parts;
};

void census_set__done(struct census_set *set)
{
	free(set->elements);
	*set = (struct census_set){};
}

bool census_set__equal(const struct census_set *a, const struct census_set *b)
{
	return !memcmp(&a->header, &b->header, sizeof(a->header)) && a->count == b->count &&
	       !memcmp(a->elements, b->elements, a->count * sizeof(*a->elements));
}

bool census_set__is_empty(const struct set_header *header)
{
	return header->buckets && header->num_buckets && !header->count && !header->first;
}

static int read_header(struct memory *memory, __u64 addr, struct set_header *ret_header)
{
	struct set_header header;
	int err = memory__read(memory, addr, &header, sizeof(header));

	if (err)
		return err;
	*ret_header = header;
	if (header.count > SET_MAX_ELEMENTS || !header.num_buckets ||
	    (!header.count && !header.first))
		return -ENOENT;
	/* the chain and the count change one after the other */
	return header.count && header.first ? 0 : -EAGAIN;
}

/* Where @addr is in the table, or would be. */
static size_t find_place(const struct nodes *n, __u64 addr)
{
	/* Fibonacci hashing: the upper bits of the product are the mixed ones. */
	size_t i = (size_t)(addr * 0x9e3779b97f4a7c15ull >> 32) & n->mask;

	while (n->table[i].addr && n->table[i].addr != addr)
		i = (i + 1) & n->mask;
	return i;
}

/* More nodes than the set has elements are none of it: the table would not hold them. */
static void add_node(struct nodes *n, __u64 addr)
{
	size_t i = find_place(n, addr);

	if (!addr || n->table[i].addr || n->count == n->limit)
		return;
	n->table[i].addr = addr;
	n->unread[n->num_unread++] = i;
	n->count++;
}

static int add_buckets(struct nodes *n, struct census_set *set, __u64 before_first)
{
	const struct set_header *header = &set->header;
	__u64 buckets[SLAB];
	int err = 0;

	if (header->num_buckets > MAX_BUCKETS)
		return 0;
	for (__u64 at = 0; at < header->num_buckets && !err; at += SLAB) {
		size_t count = header->num_buckets - at < SLAB ? header->num_buckets - at : SLAB;
		struct memory_part part = { header->buckets + at * sizeof(*buckets), buckets,
					    count * sizeof(*buckets), 0 };

		err = memory__gather(n->memory, &part, 1);
		if (err || part.err)
			break; /* what cannot be read is no hint */
		for (size_t i = 0; i < count; i++)
			if (buckets[i] == before_first)
				set->is_copy = false;
			else
				add_node(n, buckets[i]);
	}
	return err;
}

/* Reads what is unread, and what that leads to, until nothing is new. */
static int read_nodes(struct nodes *n)
{
	int err = 0;

	while (n->num_unread && !err) {
		size_t count = n->num_unread < SLAB ? n->num_unread : SLAB;
		size_t *batch = n->unread + n->num_unread - count, taken[SLAB];

		memcpy(taken, batch, count * sizeof(*taken));
		n->num_unread -= count;
		for (size_t i = 0; i < count; i++) {
			struct node *node = &n->table[taken[i]];

			n->parts[i] = (struct memory_part){ node->addr, &node->content,
							    sizeof(node->content), 0 };
		}
		err = memory__gather(n->memory, n->parts, count);
		for (size_t i = 0; i < count && !err; i++) {
			n->table[taken[i]].err = n->parts[i].err;
			if (!n->parts[i].err)
				add_node(n, n->table[taken[i]].content.next);
		}
	}
	return err;
}

static int follow_chain(const struct nodes *n, struct census_set *set)
{
	__u64 at = set->header.first;

	while (at && set->count < set->header.count) {
		struct node *node = &n->table[find_place(n, at)];

		if (!node->addr || node->is_passed)
			return -EAGAIN;
		if (node->err)
			return node->err;
		node->is_passed = true;
		set->elements[set->count++] = node->content.element;
		at = node->content.next;
	}
	return at || set->count != set->header.count ? -EAGAIN : 0;
}

static int init_nodes(struct nodes *n, size_t count)
{
	size_t size = 64;

	/*
	 * A bucket of an earlier moment may lead to a node that is gone, so there may be more than
	 * there are elements; twice as many places keep the ways to them short.
	 */
	n->limit = 2 * count + 16;
	while (size < 2 * n->limit)
		size *= 2;
	n->mask = size - 1;
	n->table = calloc(size, sizeof(*n->table));
	n->unread = malloc(n->limit * sizeof(*n->unread));
	n->parts = malloc(SLAB * sizeof(*n->parts));
	return n->table && n->unread && n->parts ? 0 : -ENOMEM;
}

int census_set__read(struct memory *memory, __u64 addr, struct census_set *set)
{
	struct nodes nodes = { .memory = memory };
	int err;

	census_set__done(set);
	err = read_header(memory, addr, &set->header);
	if (err)
		return err;
	set->elements = malloc(set->header.count * sizeof(*set->elements));
	set->is_copy = true;
	err = set->elements ? init_nodes(&nodes, set->header.count) : -ENOMEM;
	if (!err) {
		add_node(&nodes, set->header.first);
		err = add_buckets(&nodes, set, addr + offsetof(struct set_header, first));
	}
	err = err ? err : read_nodes(&nodes);
	err = err ? err : follow_chain(&nodes, set);
	free(nodes.table);
	free(nodes.unread);
	free(nodes.parts);
	return err;
}
