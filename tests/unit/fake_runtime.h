/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The runtime's objects made by hand, as far as a census reads them: an allocator on a mesh of two
 * chips, its set of buffers, a bank with its block table, and the layout that describes them. And
 * what a census of this process says.
 */
#ifndef TTTRACE_TEST_FAKE_RUNTIME_H
#define TTTRACE_TEST_FAKE_RUNTIME_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "target/census.h"

enum {
	MAX_BUFFERS = 64,
	MAX_BLOCKS = 64,
	BIAS = 0x1000,
	BASE = 0x400, /* where the bank begins */
	BLOCK = 0x800,
};

static const __u64 vtable_allocator = 0x7e57a110c000, vtable_mesh = 0x7e57e5400000;

struct fake_buffer {
	__u64 owner[2];
	__u64 device, size;
	__u32 type, layout;
	__u64 allocator;
	__u8 status;
	__u64 address;
	__u64 rest[16]; /* TT_BODY_SIZE bytes are read */
	__u64 unique_id;
};

struct fake_node {
	struct fake_node *next;
	struct fake_buffer *buffer;
};

struct fake_free_list {
	__u64 vtable, size, base, min, align;
	__u64 *addresses, *addresses_end, *sizes, *sizes_end;
	__u8 *taken, *taken_end, *used, *used_end;
};

struct fake_manager {
	__u64 vtable;
	__u32 num_banks;
	struct fake_free_list *list;
};

struct fake_chip {
	__u64 vtable;
	__u32 id;
};

struct fake_mesh {
	__u64 vtable;
	__u32 id;
	__u8 is_initialized;
	struct fake_chip **chips, **chips_end;
};

struct fake_allocator {
	__u64 vtable;
	struct fake_manager *dram;
	struct {
		struct fake_node **buckets;
		__u64 num_buckets;
		struct fake_node *first;
		__u64 count;
	} set;
};

/* One allocator on one mesh of two chips, with all that belongs to it. */
struct fake {
	struct fake_allocator allocator;
	struct fake_manager manager;
	struct fake_free_list list;
	struct fake_mesh mesh;
	struct fake_chip chips[2], *chip_list[2];
	struct fake_buffer buffers[MAX_BUFFERS];
	struct fake_node nodes[MAX_BUFFERS], *buckets[MAX_BUFFERS];
	__u64 addresses[MAX_BLOCKS], sizes[MAX_BLOCKS];
	__u8 taken[MAX_BLOCKS], used[MAX_BLOCKS];
};

static struct tt_layout layout;

static pid_t said_pid; /* of whom it is; 0: of this process */

/* What a census has said. */
static struct {
	struct tt_record_allocator allocator;
	struct tt_record_census begin, end;
	struct tt_record_census_buffer buffers[2 * MAX_BUFFERS];
	struct tt_record_census_orphan orphans[MAX_BLOCKS];
	size_t num_buffers, num_orphans, num_pairs;
	struct census_result result;
} said;

static inline struct tt_path at(size_t offset)
{
	return (struct tt_path){ .len = 1, .off = { (__u16)offset } };
}

#define AT(name, type, member) layout.field[TT_FIELD_##name] = at(offsetof(struct type, member))

static inline int describe_layout(void **state)
{
	(void)state;
	AT(DEVICE, fake_buffer, device);
	AT(SIZE, fake_buffer, size);
	AT(TYPE, fake_buffer, type);
	AT(ALLOCATOR, fake_buffer, allocator);
	AT(STATUS, fake_buffer, status);
	AT(ADDRESS, fake_buffer, address);
	AT(UNIQUE_ID, fake_buffer, unique_id);
	AT(CHIP_ID, fake_chip, id);
	AT(MESH_ID, fake_mesh, id);
	AT(MESH_INITIALIZED, fake_mesh, is_initialized);
	AT(MESH_CHIPS, fake_mesh, chips);
	AT(BANKS_DRAM, fake_allocator, dram);
	AT(ALLOCATED_BUFFERS, fake_allocator, set.count);
	AT(NUM_BANKS, fake_manager, num_banks);
	AT(FREE_LIST, fake_manager, list);
	AT(FL_SIZE, fake_free_list, size);
	AT(FL_ALIGN, fake_free_list, align);
	AT(FL_BASE, fake_free_list, base);
	AT(FL_ADDRESSES, fake_free_list, addresses);
	AT(FL_SIZES, fake_free_list, sizes);
	AT(FL_ALLOCATED, fake_free_list, taken);
	AT(FL_META, fake_free_list, used);
	layout.body_start = offsetof(struct fake_buffer, device);
	layout.chip_stride = sizeof(void *);
	layout.vtable_mesh = vtable_mesh;
	layout.vtable_allocator[0] = vtable_allocator;
	return 0;
}

static inline void make_banks(struct fake *f)
{
	f->allocator.dram = &f->manager;
	f->manager = (struct fake_manager){ .num_banks = 12, .list = &f->list };
	f->list = (struct fake_free_list){ .size = MAX_BLOCKS * BLOCK, .base = BASE, .align = 32 };
	f->list.addresses = f->addresses;
	f->list.addresses_end = f->addresses + MAX_BLOCKS;
	f->list.sizes = f->sizes;
	f->list.sizes_end = f->sizes + MAX_BLOCKS;
	f->list.taken = f->taken;
	f->list.taken_end = f->taken + MAX_BLOCKS;
	f->list.used = f->used;
	f->list.used_end = f->used + MAX_BLOCKS;
	/* the later elements of the table first: its order is that of the allocations */
	for (size_t i = 0; i < MAX_BLOCKS; i++) {
		f->addresses[i] = (MAX_BLOCKS - 1 - i) * BLOCK;
		f->sizes[i] = BLOCK;
		f->used[i] = 1;
	}
}

static inline void make_mesh(struct fake *f)
{
	f->mesh = (struct fake_mesh){ .vtable = vtable_mesh + BIAS, .id = 3, .is_initialized = 1 };
	for (size_t i = 0; i < 2; i++) {
		f->chips[i].id = (__u32)(5 + i);
		f->chip_list[i] = &f->chips[i];
	}
	f->mesh.chips = f->chip_list;
	f->mesh.chips_end = f->chip_list + 2;
}

static inline void make_buffer(struct fake *f, size_t i)
{
	f->buffers[i] = (struct fake_buffer){
		.device = (__u64)&f->mesh,
		.size = 100 + i,
		.type = TT_TYPE_DRAM,
		.allocator = (__u64)&f->allocator,
		.status = TT_STATUS_ALLOCATED,
		.address = BASE + i * BLOCK,
		.unique_id = 1000 + i,
	};
	f->nodes[i] = (struct fake_node){ i ? &f->nodes[i - 1] : NULL, &f->buffers[i] };
	f->taken[MAX_BLOCKS - 1 - i] = 1;
}

/* An allocator with @count buffers, on the heap. */
static inline struct fake *new_fake(size_t count)
{
	struct fake *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	f->allocator.vtable = vtable_allocator + BIAS;
	make_banks(f);
	make_mesh(f);
	for (size_t i = 0; i < count; i++)
		make_buffer(f, i);
	f->allocator.set.buckets = f->buckets;
	f->allocator.set.num_buckets = MAX_BUFFERS;
	f->allocator.set.first = count ? &f->nodes[count - 1] : NULL;
	f->allocator.set.count = count;
	/* a bucket leads to the node before its own: for one that is the set itself */
	f->buckets[0] = (struct fake_node *)&f->allocator.set.first;
	for (size_t i = 1; i < count; i += 3)
		f->buckets[i] = &f->nodes[i];
	return f;
}

/* Makes sure that a search finds nothing of it: the objects of tests lie about as those of
 * programs. */
static inline void free_fake(struct fake *f)
{
	memset(f, 0, sizeof(*f));
	__asm__ volatile("" : : "r"(f) : "memory");
	free(f);
}

static inline int note_record(void *ctx, const void *record, size_t size)
{
	const struct tt_record *h = record;

	(void)ctx;
	assert_int_equal(h->tgid, said_pid ? said_pid : getpid());
	assert_int_equal(h->start_ns, 77);
	assert_int_equal(h->layout, 9);
	if (h->kind == TT_RECORD_ALLOCATOR) {
		assert_int_equal(size, sizeof(said.allocator));
		memcpy(&said.allocator, record, size);
	} else if (h->kind == TT_RECORD_CENSUS_BUFFER) {
		assert_int_equal(size, sizeof(said.buffers[0]));
		assert_true(said.num_buffers < 2 * MAX_BUFFERS);
		memcpy(&said.buffers[said.num_buffers++], record, size);
	} else if (h->kind == TT_RECORD_CENSUS_ORPHAN) {
		assert_int_equal(size, sizeof(said.orphans[0]));
		assert_true(said.num_orphans < MAX_BLOCKS);
		memcpy(&said.orphans[said.num_orphans++], record, size);
	} else {
		assert_int_equal(h->kind, TT_RECORD_CENSUS);
		assert_int_equal(size, sizeof(said.begin));
		if (((const struct tt_record_census *)record)->phase == TT_CENSUS_BEGIN)
			memcpy(&said.begin, record, size);
		else
			memcpy(&said.end, record, size);
		said.num_pairs +=
			((const struct tt_record_census *)record)->phase != TT_CENSUS_BEGIN;
	}
	return 0;
}

/* @ready: called before each look, as by one who has probes; or NULL. */
static inline void take_while(const __u64 *allocators, size_t num_allocators,
			      void (*ready)(void *ctx), void *ctx)
{
	const struct census_library library = { &layout, 9, BIAS };
	const struct census_target target = {
		.pid = getpid(),
		.start_ns = 77,
		.libraries = &library,
		.num_libraries = 1,
		.allocators = allocators,
		.num_allocators = num_allocators,
		.search = !num_allocators,
		.ready = ready,
		.ctx = ctx,
	};

	memset(&said, 0, sizeof(said));
	assert_int_equal(census__take(&target, note_record, NULL, &said.result), 0);
	assert_int_equal(said.num_buffers, said.result.buffers);
	assert_int_equal(said.num_orphans, said.result.orphans);
}

static inline void take(const __u64 *allocators, size_t num_allocators)
{
	take_while(allocators, num_allocators, NULL, NULL);
}

static inline void take_of(const struct fake *f)
{
	const __u64 allocator = (__u64)&f->allocator;

	take(&allocator, 1);
}

static inline void assert_whole(size_t count)
{
	assert_int_equal(said.num_pairs, 1);
	assert_int_equal(said.result.torn, 0);
	assert_int_equal(said.end.phase, TT_CENSUS_END);
	assert_int_equal(said.begin.num_buffers, count);
	assert_int_equal(said.end.num_buffers, count);
	assert_int_equal(said.num_buffers, count);
	assert_true(said.begin.h.ts_ns && said.begin.h.ts_ns <= said.end.h.ts_ns);
}

static inline void assert_nothing(void)
{
	assert_int_equal(said.num_pairs, 0);
	assert_int_equal(said.result.allocators, 0);
	assert_int_equal(said.result.buffers, 0);
}

static inline void assert_torn(size_t count)
{
	assert_int_equal(said.num_pairs, 1);
	assert_int_equal(said.result.torn, 1);
	assert_int_equal(said.end.phase, TT_CENSUS_TORN);
	assert_int_equal(said.num_buffers, count);
	assert_int_equal(said.end.num_buffers, count);
}

#endif
