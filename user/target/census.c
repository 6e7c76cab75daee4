// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "target/census.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cleanup.h"
#include "lib/clock.h"
#include "target/census_look.h"
#include "target/census_parent.h"
#include "target/census_search.h"
#include "target/elf.h"
#include "target/memory.h"
#include "target/object.h"

struct census {
	const struct census_target *target;
	struct object_space *spaces; /* one for each library */
	census_record_fn fn;
	void *ctx;
	struct census_result result;
};

static void fill_header(const struct census *c, const struct census_candidate *from, __u16 kind,
			__u64 ts_ns, struct tt_record *ret_header)
{
	*ret_header = (struct tt_record){
		.kind = kind,
		.probe = TT_PROBE_COUNT,
		.layout = c->target->libraries[from->library].index,
		.tgid = (__u32)c->target->pid,
		.ts_ns = ts_ns,
		.start_ns = c->target->start_ns,
	};
}

static int tell_allocator(struct census *c, const struct census_candidate *from,
			  const struct census_look *look, const struct look_device *device)
{
	struct tt_record_allocator rec = { .allocator = from->object, .device = device->device };

	fill_header(c, from, TT_RECORD_ALLOCATOR, look->begin_ns, &rec.h);
	rec.h.faults = device->faults;
	object__banks(&c->spaces[from->library], &rec);
	return c->fn(c->ctx, &rec, sizeof(rec));
}

static int tell_phase(struct census *c, const struct census_candidate *from,
		      const struct census_look *look, const struct look_device *device,
		      enum tt_census_phase phase)
{
	struct tt_record_census rec = {
		.allocator = from->object,
		.device = device->device.object,
		.phase = phase,
		.num_buffers = device->num_buffers,
	};

	/* What the set claims is known for all devices together only. */
	if (phase == TT_CENSUS_BEGIN && look->num_devices == 1)
		rec.num_buffers = look->claimed;
	rec.types = look->types;
	rec.types_unread = look->types_unread;
	rec.inherits = look->inherits;
	fill_header(c, from, TT_RECORD_CENSUS,
		    phase == TT_CENSUS_BEGIN ? look->begin_ns : look->end_ns, &rec.h);
	return c->fn(c->ctx, &rec, sizeof(rec));
}

static int tell_buffer(struct census *c, const struct census_candidate *from,
		       const struct census_look *look, const struct look_buffer *buffer)
{
	struct tt_record_census_buffer rec = {
		.b.buffer = buffer->buffer,
		.b.unique_id = buffer->unique_id,
		.b.device_state = look->devices[buffer->device].state,
		.per_bank = buffer->per_bank,
		.allocator = from->object,
		.may_be_inherited = buffer->may_be_inherited,
	};

	fill_header(c, from, TT_RECORD_CENSUS_BUFFER, look->begin_ns, &rec.b.h);
	rec.b.h.faults = buffer->faults;
	memcpy(rec.b.body, buffer->body, sizeof(rec.b.body));
	c->result.buffers++;
	c->result.unknown_sizes += !buffer->per_bank;
	return c->fn(c->ctx, &rec, sizeof(rec));
}

/* @device: of those that the buffers are on, or NULL. */
static int tell_orphans(struct census *c, const struct census_candidate *from,
			const struct census_look *look, const struct look_device *device)
{
	int err = 0;

	for (size_t i = 0; i < look->num_orphans && !err; i++) {
		struct tt_record_census_orphan rec = {
			.allocator = from->object,
			.device = device ? device->device.object : 0,
			.address = look->orphans[i].address,
			.per_bank = look->orphans[i].per_bank,
			.type = look->orphans[i].type,
			.doubt = look->orphans[i].doubt,
		};

		fill_header(c, from, TT_RECORD_CENSUS_ORPHAN, look->begin_ns, &rec.h);
		c->result.orphans++;
		err = c->fn(c->ctx, &rec, sizeof(rec));
	}
	return err;
}

static bool is_held(const struct look_buffer *buffer)
{
	return buffer->is_valid && !buffer->is_freed && !buffer->is_inherited;
}

static int tell_device(struct census *c, const struct census_candidate *from,
		       const struct census_look *look, int device)
{
	const struct look_device *d = &look->devices[device];
	int err;

	err = tell_allocator(c, from, look, d);
	err = err ? err : tell_phase(c, from, look, d, TT_CENSUS_BEGIN);
	for (size_t i = 0; i < look->num_buffers && !err; i++)
		if (is_held(&look->buffers[i]) && look->buffers[i].device == device)
			err = tell_buffer(c, from, look, &look->buffers[i]);
	/* an allocator serves one device; where buffers name several, it is one of them */
	if (!err && look->is_whole && !device)
		err = tell_orphans(c, from, look, d);
	return err ? err
		   : tell_phase(c, from, look, d, look->is_whole ? TT_CENSUS_END : TT_CENSUS_TORN);
}

static bool is_known(const struct census *c, const struct census_candidate *candidate)
{
	for (size_t i = 0; i < c->target->num_allocators; i++)
		if (c->target->allocators[i] == candidate->object)
			return true;
	return false;
}

/* No buffer names a device: perhaps whoever asked for this allocator knows it. */
static int tell_deviceless(struct census *c, const struct census_candidate *from,
			   const struct census_look *look)
{
	const struct look_device none = {};
	int err = tell_phase(c, from, look, &none, TT_CENSUS_BEGIN);

	err = err ? err : tell_orphans(c, from, look, NULL);
	return err ? err : tell_phase(c, from, look, &none, TT_CENSUS_END);
}

static int tell_all(struct census *c, const struct census_candidate *from,
		    const struct census_look *look)
{
	int err = 0;

	c->result.allocators++;
	c->result.torn += !look->is_whole;
	if (!look->num_devices)
		return tell_deviceless(c, from, look);
	for (int i = 0; i < look->num_devices && !err; i++)
		err = tell_device(c, from, look, i);
	return err;
}

/* What a forked process has of its parent is none of its own. */
static int disown(const struct census *c, const struct census_candidate *candidate,
		  struct census_look *look)
{
	int err = 0;

	if (c->target->parent)
		err = census_parent__mark(c->target->parent, &c->spaces[candidate->library],
					  candidate->object, look);
	if (err == -EAGAIN)
		look->is_whole = false;
	return err == -EAGAIN ? 0 : err;
}

static int visit_candidate(struct census *c, const struct census_candidate *candidate)
{
	struct census_look look;
	int err;

	err = census_look__take(&c->spaces[candidate->library], c->target, candidate->object,
				is_known(c, candidate), &look);
	if (!err) {
		err = disown(c, candidate, &look);
		err = err ? err : tell_all(c, candidate, &look);
	} else if (err == -ENODATA) {
		c->result.unreadable++;
		err = 0;
	} else if (err == -ENOENT || err == -EFAULT) {
		err = look.is_empty && is_known(c, candidate) ? tell_deviceless(c, candidate, &look)
							      : 0;
	}
	census_look__done(&look);
	return err;
}

static bool has_fields(const struct tt_layout *layout)
{
	static const enum tt_field needed[] = { TT_FIELD_ALLOCATED_BUFFERS, TT_FIELD_ALLOCATOR,
						TT_FIELD_DEVICE };

	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
		if (!layout->field[needed[i]].len)
			return false;
	return true;
}

/* An allocator that is known may be one of any library: at most one of them recognises it. */
static int collect_known(const struct census *c, struct census_candidates *candidates)
{
	int err = 0;

	for (size_t i = 0; i < c->target->num_allocators && !err; i++)
		for (size_t k = 0; k < c->target->num_libraries && !err; k++)
			err = census_candidates__add(candidates, c->target->allocators[i], k);
	return err;
}

static int visit_all(struct census *c)
{
	struct census_candidates candidates = {};
	int err = collect_known(c, &candidates);

	if (!err && c->target->search)
		err = census_search__run(c->target, c->spaces, &candidates, &c->result);
	for (size_t i = 0; i < candidates.count && !err; i++)
		if (has_fields(c->spaces[candidates.all[i].library].layout))
			err = visit_candidate(c, &candidates.all[i]);
	census_candidates__done(&candidates);
	return err;
}

static int make_spaces(struct census *c, struct memory *memory)
{
	const struct census_target *t = c->target;
	bool any = false;

	c->spaces = calloc(t->num_libraries + 1, sizeof(*c->spaces));
	if (!c->spaces)
		return -ENOMEM;
	for (size_t i = 0; i < t->num_libraries; i++) {
		c->spaces[i] = (struct object_space){ memory, t->libraries[i].layout,
						      t->libraries[i].bias };
		any |= has_fields(t->libraries[i].layout);
	}
	return any ? 0 : -ENOENT;
}

int census__take(const struct census_target *target, census_record_fn fn, void *ctx,
		 struct census_result *ret_result)
{
	struct census c = { .target = target, .fn = fn, .ctx = ctx };
	__u64 begin_ns = clock__now_ns();
	struct memory *memory;
	int err = memory__open(target->pid, &memory);

	if (err)
		return err;
	err = make_spaces(&c, memory);
	err = err ? err : visit_all(&c);
	err = err ? err : memory__check(memory);
	memory__free(memory);
	free(c.spaces);
	c.result.duration_ns = clock__now_ns() - begin_ns;
	if (!err)
		*ret_result = c.result;
	return err;
}

int census__find_bias(const char *path, const struct proc_mapping *mapping, __u64 *ret_bias)
{
	struct elf_file *file;
	int err = elf_file__open(path, &file);

	if (err)
		return err;
	err = elf_file__bias(file, mapping->start, mapping->offset, ret_bias);
	elf_file__close(file);
	return err;
}
