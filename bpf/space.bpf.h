/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What a buffer occupies in each bank, looked up in the free list that it has just been taken
 * from. That is a few guarded reads in place of a hit of FreeListOpt::allocate, and it holds
 * however the size was computed.
 *
 * A free list finds a block by its address in allocated_block_table_, a vector of buckets. As read
 * in the code of FreeListOpt::is_address_in_alloc_table() and insert_block_to_alloc_table(), which
 * is the same in libtt_metal.so 0.60.1 to 0.81.1, a bucket is a std::vector of pairs of address
 * and number of the block, a new one is appended, and the bucket is (a ^ (a >> 12) * 3) % 512 of
 * the lower 32 bits of the address. Where a later version does it otherwise nothing is found, and
 * that is all: the address stands in the pair, and again at the block's number in the block table.
 */
#ifndef TTTRACE_SPACE_BPF_H
#define TTTRACE_SPACE_BPF_H

enum {
	TAKEN_BUCKETS = 512,
	BUCKET_SIZE = 24, /* of a std::vector of libstdc++: begin, end, end of the room */
	BUCKET_LAST = 8	  /* so many of a bucket are looked at: other threads may have added some */
};

static __always_inline __u64 find_bucket(__u64 buckets, __u64 address)
{
	__u32 a = address;

	return buckets + ((a ^ (a >> 12) * 3) & (TAKEN_BUCKETS - 1)) * BUCKET_SIZE;
}

/*
 * The fields of a FreeListOpt that are needed, read together: all but the table of what is taken
 * lie in so many bytes from TT_FIELD_FL_SIZE on. A field that does not is 0.
 */
static __always_inline int read_head(const struct tt_layout *layout, __u64 free_list,
				     struct free_list_head *head)
{
	const struct tt_path *first = &layout->field[TT_FIELD_FL_SIZE];

	return first->len != 1 || bpf_probe_read_user(head->words, sizeof(head->words),
						      (void *)(free_list + first->off[0]));
}

static __always_inline __u64 head_word(const struct tt_layout *layout, __u32 field,
				       const struct free_list_head *head)
{
	__u32 at = layout->field[field].off[0] - layout->field[TT_FIELD_FL_SIZE].off[0];

	if (layout->field[field].len != 1 || at > sizeof(head->words) - sizeof(__u64) ||
	    at % sizeof(__u64))
		return 0;
	barrier_var(at);
	return *(const __u64 *)((const char *)head->words +
				(at & (TT_FREE_LIST_SIZE - sizeof(__u64))));
}

/* A field of 8 bytes of the free list, out of @head if it lies there. */
static __always_inline int read_word(const struct tt_layout *layout, __u32 field, __u64 free_list,
				     const struct free_list_head *head, __u64 *ret_word)
{
	*ret_word = head_word(layout, field, head);
	return *ret_word ? 0 : read_field(layout, field, free_list, ret_word, sizeof(*ret_word));
}

/* The number of the block at @address; -1: it is not found. */
static __always_inline int find_block(const struct tt_layout *layout, __u64 free_list,
				      __u64 address, struct free_list_head *head, __u64 *ret_block)
{
	struct taken *taken = &head->taken;
	__u64 *range = head->bucket, at;

	if (read_field(layout, TT_FIELD_FL_TAKEN, free_list, &at, sizeof(at)) ||
	    bpf_probe_read_user(range, sizeof(head->bucket), (void *)find_bucket(at, address)))
		return -1;
	at = range[1];
	for (int i = 0; i < BUCKET_LAST; i++) {
		if (at <= range[0])
			return -1;
		at -= sizeof(*taken);
		if (bpf_probe_read_user(taken, sizeof(*taken), (void *)at))
			return -1;
		if (taken->address == address) {
			*ret_block = taken->block;
			return 0;
		}
	}
	return -1;
}

/* Element @nr of the vector of u64 that begins at @begin. */
static __always_inline int read_element(__u64 begin, __u64 nr, __u64 *ret_value)
{
	return bpf_probe_read_user(ret_value, sizeof(*ret_value),
				   (void *)(begin + nr * sizeof(*ret_value)));
}

/*
 * Fills in @space what the block at @address occupies; -1: it is not found. @head is scratch
 * memory. Global for the same reason as field_address().
 */
__noinline int look_up_space(const struct tt_layout *layout, __u64 free_list, __u64 address,
			     struct free_list_head *head, struct tt_space *space)
{
	__u64 block, found;

	if (!layout || !space || !head || read_head(layout, free_list, head))
		return -1;
	address -= head_word(layout, TT_FIELD_FL_BASE, head);
	if (find_block(layout, free_list, address, head, &block))
		return -1;
	/* the pair was being moved while it was read, if the block is not the address's own */
	if (read_element(head_word(layout, TT_FIELD_FL_ADDRESSES, head), block, &found) ||
	    found != address ||
	    read_element(head_word(layout, TT_FIELD_FL_SIZES, head), block, &found))
		return -1;
	space->per_bank = found;
	space->bank_size = head_word(layout, TT_FIELD_FL_SIZE, head);
	return 0;
}

enum {
	LOOK_UP_EACH = 16
}; /* of so many interleaved buffers, for the size of the bank may change */

static __always_inline __u64 space_check(const struct space_key *key, __u64 per_bank)
{
	__u64 print = tt_print__mix(per_bank, key->allocator, key->introduced_ns);

	return tt_print__mix(print, key->size, key->page_size);
}

/* What is known of another buffer like the one of @key; 0: nothing. */
static __always_inline __u64 known_space(const struct space_key *key)
{
	const volatile struct space_value *known = bpf_map_lookup_elem(&spaces, key);
	__u64 per_bank = known ? known->per_bank : 0;

	return per_bank && known->check == space_check(key, per_bank) ? per_bank : 0;
}

static __noinline void know_space(const struct space_key *key, __u64 per_bank)
{
	struct space_value value = { per_bank, space_check(key, per_bank) };

	bpf_map_update_elem(&spaces, key, &value, BPF_ANY);
}

/*
 * The same for the Buffer whose body was read. An interleaved one takes what another one like it
 * has taken in the same allocator: then that is not looked up each time.
 */
static __noinline void find_space(const struct hit *hit, const struct tt_layout *layout,
				  const struct met *met, const void *body, struct tt_space *space)
{
	bool interleaved = body_half(layout, TT_FIELD_LAYOUT, body) == TT_LAYOUT_INTERLEAVED;
	struct space_key key = {
		.allocator = met->allocator,
		.introduced_ns = met->introduced_ns,
		.size = body_word(layout, TT_FIELD_SIZE, body),
		.page_size = body_word(layout, TT_FIELD_PAGE_SIZE, body),
		.tgid = hit->tgid,
		.type = met->type,
	};
	struct scratch *scratch;
	int err;

	if (interleaved && key.page_size && met->number % LOOK_UP_EACH)
		space->per_bank = known_space(&key);
	if (space->per_bank)
		return;
	scratch = take_scratch(hit);
	if (!scratch)
		return;
	err = look_up_space(layout, met->free_list, body_word(layout, TT_FIELD_ADDRESS, body),
			    &scratch->free_list, space);
	give_back(scratch);
	if (!err && interleaved && key.page_size)
		know_space(&key, space->per_bank);
}

#endif
