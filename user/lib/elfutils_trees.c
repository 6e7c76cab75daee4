// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Search trees for a static libdw and libelf. From elfutils 0.192 on, the archives of Debian and
 * Ubuntu call these functions of elfutils' internal library (lib/eu-search.h), which is in no
 * package; the shared libraries contain them. Linked into the static binary only.
 *
 * elfutils calls tsearch() and its kin under a lock. tttrace has one thread and needs no lock. The
 * root is the first member of elfutils' struct, whether a lock follows it or not. The functions are
 * weak: archives that contain them use their own.
 */
#include <search.h>
#include <stddef.h>

#define weak __attribute__((weak))

typedef int (*compare_fn)(const void *, const void *);

struct search_tree {
	void *root;
};

weak void *eu_tsearch(const void *key, struct search_tree *tree, compare_fn compare)
{
	return tsearch(key, &tree->root, compare);
}

weak void *eu_tfind(const void *key, struct search_tree *tree, compare_fn compare)
{
	return tfind(key, &tree->root, compare);
}

weak void *eu_tdelete(const void *key, struct search_tree *tree, compare_fn compare)
{
	return tdelete(key, &tree->root, compare);
}

weak void eu_tdestroy(struct search_tree *tree, void (*free_node)(void *))
{
	tdestroy(tree->root, free_node);
	tree->root = NULL;
}

weak void eu_search_tree_init(struct search_tree *tree)
{
	tree->root = NULL;
}

weak void eu_search_tree_fini(struct search_tree *tree, void (*free_node)(void *))
{
	eu_tdestroy(tree, free_node);
}
