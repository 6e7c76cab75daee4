/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What live*.c share: the objects of a process, one step after the other. Private to them.
 *
 * All offsets are counted in words of 8 bytes. What lies at the end of memory is read as 0.
 */
#ifndef TTTRACE_LIVE_IMPL_H
#define TTTRACE_LIVE_IMPL_H

#include "target/live.h"
#include "target/memory.h"

enum {
	WORD = 8,
	LIVE_LIST_WORDS = 40,
	LIVE_MANAGER_WORDS = 192,
	LIVE_ALLOCATOR_WORDS = 96,
	LIVE_BODY_WORDS = 24,
	/* words of a Buffer, one of which may lead to the body; or the Buffer is the body */
	LIVE_DIRECT = 8,
	LIVE_MAX_MANAGERS = 4,	 /* of an allocator: DRAM, L1, L1_SMALL, TRACE */
	LIVE_MAX_OBJECTS = 4096, /* of a class */
};

/* Objects of one class, or places of pointers to them, by address. */
struct live_places {
	__u64 *all;
	size_t count, room;
};

struct live_block {
	__u64 address; /* less the base of the bank */
	__u64 size;    /* bytes */
	bool is_claimed;
};

struct live_list {
	__u64 object;
	__u64 words[LIVE_LIST_WORDS];
	bool is_sound;		  /* it is described by the fields that were found */
	struct live_block *taken; /* by address */
	size_t num_taken;
};

struct live_manager {
	__u64 object;
	size_t at;   /* word of the allocator that leads to it */
	__u32 type;  /* enum tt_buffer_type */
	__u32 banks; /* 0: not known */
	struct live_list *list;
	__u64 words[LIVE_MANAGER_WORDS];
};

struct live_allocator {
	__u64 object;
	__u64 words[LIVE_ALLOCATOR_WORDS];
	struct live_manager *managers[LIVE_MAX_MANAGERS]; /* NULL: it has none of the type */
};

struct live {
	pid_t pid;
	__u64 bias;
	const struct class_vtables *classes;
	struct memory *memory;
	__u64 left;  /* bytes that may still be read */
	bool is_cut; /* more than that were wanted */
	struct tt_layout *layout;
	struct library_field *fields;
	struct live_places free_lists, allocator_objects, devices, meshes, mesh_impls;
	struct live_places list_pointers; /* places that hold the address of a free list */
	struct live_list *lists;
	struct live_allocator *allocators;
	size_t num_allocators;
	size_t num_unsound; /* free lists of allocators that cannot be read */
};

/* A Buffer, as it is read one way. */
struct live_buffer {
	const struct live_allocator *allocator;
	__u64 body; /* address */
	__u64 words[LIVE_BODY_WORDS];
	struct live_block *block; /* that it holds; NULL: none */
	const struct live_manager *manager;
};

/* How the buffers of all allocators are found; words. */
struct live_view {
	size_t set, body, allocator, device;
};

/* One way to read where a buffer lies: words of it, and of a free list; bytes of it. */
struct live_place {
	size_t address, base, type;
};

struct live_buffers {
	struct live_view view;
	struct live_place place;
	struct live_buffer *all;
	size_t count, room;
	size_t claimed; /* elements of the sets */
};

/* Counts @size bytes that are to be read. false: they are too many. */
bool live__may_read(struct live *live, size_t size);
/* Copies @count words at @addr; 0 where there are none. */
void live__copy(struct live *live, __u64 addr, __u64 *words, size_t count);
/* The word at @addr; 0: there is none. */
__u64 live__word(struct live *live, __u64 addr);
/* May @word be the address of an object? */
bool live__is_pointer(__u64 word);
bool live_places__has(const struct live_places *places, __u64 addr);

/* A field was found, because of @how. @offsets in bytes. */
void live__found(struct live *live, enum tt_field field, const char *how, size_t len,
		 const size_t *offsets);
/* It was, but is none. */
void live__lost(struct live *live, enum tt_field field, const char *why);

/* Each of these establishes what its name says. All return 0; -EAGAIN: that does not fit; -ENOMEM.
 */
int live_lists__establish(struct live *live);
int live_managers__establish(struct live *live);
int live_buffers__establish(struct live *live);
int live_meshes__establish(struct live *live);

/* What each of @buffers was asked for, in what pages and layout; those that it can. */
void live_sizes__establish(struct live *live, const struct live_buffers *buffers);

/* Is that word one that the view is known by? */
bool live_view__has(const struct live_view *view, size_t word);
/* Is that the number @at bytes into the body? */
bool live_buffer__has_type(const struct live_buffer *buffer, size_t at, __u32 type);
/* As live__found(), of a field that lies @offset bytes into the body of a Buffer. */
void live_buffers__tell(struct live *live, const struct live_buffers *buffers, enum tt_field field,
			const char *how, size_t offset);

#endif
