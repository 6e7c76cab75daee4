// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "target/live_impl.h"

#include <string.h>

enum {
	/* bytes, to which a page is aligned: L1 at least, DRAM of a Blackhole at most */
	MIN_ALIGN = 16,
	MAX_ALIGN = 64,
};

/*
 * Pages go round the banks, each aligned: do @size and @page_size explain what @buffer occupies? It
 * may be on fewer banks than there are, if it is sharded.
 */
static bool explains(const struct live_buffer *buffer, __u64 size, __u64 page_size,
		     bool *ret_interleaved)
{
	__u64 occupied = buffer->block->size, banks = buffer->manager->banks, pages, in_bank,
	      aligned;

	if (!size || !page_size || page_size > size || size % page_size || !banks)
		return false;
	pages = size / page_size;
	in_bank = (pages + banks - 1) / banks;
	aligned = occupied / in_bank;
	*ret_interleaved = occupied % in_bank == 0 && aligned % MIN_ALIGN == 0 &&
			   aligned >= page_size && aligned - page_size < MAX_ALIGN;
	return *ret_interleaved ||
	       (occupied >= in_bank * page_size && occupied <= pages * (page_size + MAX_ALIGN));
}

/* Do they explain all buffers, and most of them exactly? */
static bool explain_all(const struct live_buffers *buffers, size_t size, size_t page_size)
{
	size_t count = 0, exact = 0;

	for (size_t i = 0; i < buffers->count; i++) {
		const struct live_buffer *b = &buffers->all[i];
		bool is_exact = false;

		if (!b->block)
			continue;
		if (!explains(b, b->words[size], b->words[page_size], &is_exact))
			return false;
		count++;
		exact += is_exact;
	}
	return 2 * exact > count;
}

static bool are_equal(const struct live_buffers *buffers, size_t a, size_t b)
{
	for (size_t i = 0; i < buffers->count; i++)
		if (buffers->all[i].block && buffers->all[i].words[a] != buffers->all[i].words[b])
			return false;
	return true;
}

/* A pair of words: what was asked for, and the size of a page. */
struct sizes {
	size_t size, page_size;
};

static bool may_be_sizes(const struct live_buffers *f, struct sizes s)
{
	return s.size < LIVE_BODY_WORDS && s.page_size < LIVE_BODY_WORDS && s.size != s.page_size &&
	       !live_view__has(&f->view, s.size) && !live_view__has(&f->view, s.page_size) &&
	       s.size != f->place.address && s.page_size != f->place.address &&
	       explain_all(f, s.size, s.page_size);
}

/* The only pair; or of several that say the same, the first. false: there is none. */
static bool find_pair(const struct live_buffers *f, struct sizes *ret_sizes)
{
	bool found = false;

	for (size_t i = 0; i < LIVE_BODY_WORDS * LIVE_BODY_WORDS; i++) {
		const struct sizes s = { i / LIVE_BODY_WORDS, i % LIVE_BODY_WORDS };

		if (!may_be_sizes(f, s))
			continue;
		if (found && (!are_equal(f, s.size, ret_sizes->size) ||
			      !are_equal(f, s.page_size, ret_sizes->page_size)))
			return false;
		if (!found)
			*ret_sizes = s;
		found = true;
	}
	return found;
}

/*
 * In the source, of all generations, size_ comes behind device_, and page_size_ behind address_: if
 * those explain what is occupied, nothing else does by more than chance.
 */
static void find_sizes(struct live *live, const struct live_buffers *f)
{
	struct sizes s = { f->view.device + 1, f->place.address + 1 };

	if (may_be_sizes(f, s)) {
		live_buffers__tell(live, f, TT_FIELD_SIZE,
				   "behind device_; explains what is occupied", s.size * WORD);
		live_buffers__tell(live, f, TT_FIELD_PAGE_SIZE,
				   "behind address_; explains what is occupied",
				   s.page_size * WORD);
	} else if (find_pair(f, &s)) {
		live_buffers__tell(live, f, TT_FIELD_SIZE,
				   "with the size of a page explains what is occupied",
				   s.size * WORD);
		live_buffers__tell(live, f, TT_FIELD_PAGE_SIZE,
				   "with the size explains what is occupied", s.page_size * WORD);
	}
}

/*
 * Behind the type, in the source: it says of no buffer that it is interleaved whose pages do not go
 * round the banks.
 */
static void find_layout(struct live *live, const struct live_buffers *f)
{
	const struct tt_path *size = &live->layout->field[TT_FIELD_SIZE],
			     *page_size = &live->layout->field[TT_FIELD_PAGE_SIZE];
	size_t at = f->place.type + sizeof(__u32);

	if (!size->len || f->place.type % WORD || at / WORD != f->view.device + 2)
		return;
	for (size_t i = 0; i < f->count; i++) {
		const struct live_buffer *b = &f->all[i];
		bool is_exact = false;

		if (!b->block)
			continue;
		explains(b, b->words[size->off[size->len - 1] / WORD],
			 b->words[page_size->off[page_size->len - 1] / WORD], &is_exact);
		if (b->words[at / WORD] >> 32 >= TT_LAYOUT_COUNT ||
		    (!is_exact && live_buffer__has_type(b, at, TT_LAYOUT_INTERLEAVED)))
			return;
	}
	live_buffers__tell(live, f, TT_FIELD_LAYOUT,
			   "behind the type; agrees with what is occupied", at);
}

void live_sizes__establish(struct live *live, const struct live_buffers *buffers)
{
	find_sizes(live, buffers);
	find_layout(live, buffers);
}
