/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The block table of a FreeListOpt: which ranges of a bank are taken, and how large they are. Exact
 * for every buffer however it is sharded, since it is what the allocator itself goes by. A table
 * that contradicts itself (it changed while it was read) is not used.
 */
#ifndef TTTRACE_BLOCK_TABLE_H
#define TTTRACE_BLOCK_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

#include "target/object.h"

struct block_table;

/*
 * -ENOENT: a field that it takes is absent; -EAGAIN: it contradicts itself; -E2BIG: it claims too
 * many blocks; -ENOMEM; or as of memory__read().
 */
int block_table__read(const struct object_space *space, __u64 free_list,
		      struct block_table **ret_table);
void block_table__free(struct block_table *table);

static inline void block_table__free_p(struct block_table **table)
{
	block_table__free(*table);
}

/* A range of a bank, in a table. */
struct block;

/*
 * The block that is taken at @address, which is a Buffer's, and that is claimed for it herewith;
 * NULL: none is. @id: of the Buffer, the later the greater.
 */
struct block *block_table__claim(struct block_table *table, __u64 address, __u64 id);

/*
 * Whose is it of those that claimed it? After a bulk free a buffer that lost its memory is still in
 * the allocator's set when another one gets that: the latest has it.
 */
bool block__is_of(const struct block *block, __u64 id);

/* Bytes of a block in each bank; 0: several have claimed it that cannot be told apart. */
__u64 block__size(const struct block *block);

/* Is a block of that many bytes taken at @address, which is a Buffer's? */
bool block_table__has(const struct block_table *table, __u64 address, __u64 size);

/* How many blocks are taken. */
size_t block_table__num_taken(const struct block_table *table);

/*
 * The next block that is taken and that nobody has claimed: its address, as of a Buffer, and its
 * bytes in each bank. *@at is where to go on, 0 at first. Returns false if there is none.
 */
bool block_table__next_orphan(const struct block_table *table, size_t *at, __u64 *ret_address,
			      __u64 *ret_size);

#endif
