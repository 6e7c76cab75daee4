/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Where in a process there may be allocators, or other words. Private to the census*.c and live*.c.
 */
#ifndef TTTRACE_CENSUS_SEARCH_H
#define TTTRACE_CENSUS_SEARCH_H

#include "target/census.h"
#include "target/object.h"

/* An object that may be an allocator. */
struct census_candidate {
	__u64 object;
	size_t library; /* index into census_target.libraries */
};

/* Grows as needed; each object once. To be zeroed before, and freed by census_candidates__done().
 */
struct census_candidates {
	struct census_candidate *all;
	size_t count, room;
};

int census_candidates__add(struct census_candidates *candidates, __u64 object, size_t library);
void census_candidates__done(struct census_candidates *candidates);

/*
 * Adds what the memory of the process has. @spaces: one for each library.
 * Returns 0 or -errno; fills searched_bytes and search_cut of @result.
 */
int census_search__run(const struct census_target *target, const struct object_space *spaces,
		       struct census_candidates *candidates, struct census_result *result);

/* Returns 0 to go on, or -errno; that is then what the search returns. */
typedef int (*census_word_fn)(void *ctx, __u64 addr, __u64 word);

/*
 * Calls @fn for each place where the memory of @pid has one of @words, which are sorted here.
 * Returns 0; -E2BIG: there is more memory than is searched; what @fn returned; -errno.
 */
int census_search__words(struct memory *memory, pid_t pid, __u64 *words, size_t count,
			 census_word_fn fn, void *ctx);

#endif
