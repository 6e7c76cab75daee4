// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "stack/address_space.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct region {
	struct proc_mapping mapping; /* its name is our own */
	struct image *image;	     /* NULL: not asked for yet, or see err */
	struct image *before;	     /* what was found there the last time; NULL: nothing */
	__u64 bias;
	int err;
};

struct address_space {
	struct images *images;
	pid_t pid;
	struct region *regions; /* ascending, as /proc tells them */
	size_t num_regions;
	__u64 vain; /* the last address in no region */
	bool stale; /* something was mapped since they were read */
};

int address_space__new(struct images *images, pid_t pid, struct address_space **ret_space)
{
	struct address_space *space = calloc(1, sizeof(*space));

	if (!space)
		return -ENOMEM;
	space->images = images;
	space->pid = pid;
	*ret_space = space;
	return 0;
}

static void drop_regions(struct address_space *space)
{
	for (size_t i = 0; i < space->num_regions; i++)
		free((char *)space->regions[i].mapping.name);
	free(space->regions);
	space->regions = NULL;
	space->num_regions = 0;
}

void address_space__free(struct address_space *space)
{
	if (!space)
		return;
	drop_regions(space);
	free(space);
}

static int add_region(void *ctx, const struct proc_mapping *mapping)
{
	struct address_space *space = ctx;
	struct region *grown;

	grown = realloc(space->regions, (space->num_regions + 1) * sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	space->regions = grown;
	grown[space->num_regions] = (struct region){ .mapping = *mapping };
	grown[space->num_regions].mapping.name = strdup(mapping->name);
	return grown[space->num_regions++].mapping.name ? 0 : -ENOMEM;
}

static struct region *find_region(const struct address_space *space, __u64 addr)
{
	size_t low = 0, high = space->num_regions, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (addr < space->regions[middle].mapping.start)
			high = middle;
		else if (addr >= space->regions[middle].mapping.end)
			low = middle + 1;
		else
			return &space->regions[middle];
	}
	return NULL;
}

/* An inode that is held open is no other file's. */
static bool is_same(const struct proc_mapping *a, const struct proc_mapping *b)
{
	return a->start == b->start && a->end == b->end && a->offset == b->offset &&
	       a->inode == b->inode && !strcmp(a->name, b->name);
}

/* The process may end before @now is asked for: then what is known of @before has to do. */
static void remember_images(const struct address_space *before, struct address_space *now)
{
	for (size_t i = 0; i < now->num_regions; i++) {
		struct region *region = &now->regions[i];
		const struct region *old = find_region(before, region->mapping.start);

		if (old && is_same(&old->mapping, &region->mapping))
			region->before = old->image ? old->image : old->before;
	}
}

/* What was known stays if the process cannot be read any more. */
static int read_regions(struct address_space *space)
{
	struct address_space now = { .pid = space->pid };
	int err = proc__each_mapping(space->pid, add_region, &now);

	if (err || !now.num_regions) {
		drop_regions(&now);
		return err ? err : -ESRCH;
	}
	remember_images(space, &now);
	drop_regions(space);
	space->regions = now.regions;
	space->num_regions = now.num_regions;
	return 0;
}

void address_space__forget(struct address_space *space)
{
	space->stale = true;
}

static void open_region(struct address_space *space, struct region *region)
{
	struct image *image;

	region->err = images__open(space->images, &region->mapping, &image);
	if (region->err && region->before) {
		image = region->before;
		region->err = 0;
	}
	if (!region->err)
		region->err = image__bias(image, &region->mapping, &region->bias);
	if (!region->err)
		region->image = image;
}

/* Of the file of the region before, which is open. */
static void open_like(const struct region *before, struct region *region)
{
	region->err = image__bias(before->image, &region->mapping, &region->bias);
	if (!region->err)
		region->image = before->image;
}

/* Of region @i. One file after the other is opened, however many mappings there are of each. */
static void open_next(struct address_space *space, size_t i)
{
	struct region *region = &space->regions[i];
	const struct region *before = i ? &space->regions[i - 1] : NULL;

	if (before && before->image && proc__is_same_file(&before->mapping, &region->mapping))
		open_like(before, region);
	else
		open_region(space, region);
}

int address_space__each(struct address_space *space, address_space_fn fn, void *ctx)
{
	int err = 0;

	if (!space->num_regions || space->stale)
		read_regions(space);
	space->stale = false;
	for (size_t i = 0; !err && i < space->num_regions; i++) {
		struct region *region = &space->regions[i];

		if (!region->image && !region->err)
			open_next(space, i);
		if (region->image)
			err = fn(ctx, region->image, region->bias);
	}
	return err;
}

static int prepare_image(void *ctx, struct image *image, __u64 bias)
{
	(void)ctx;
	(void)bias;
	image__prepare(image);
	return 0;
}

void address_space__prepare(struct address_space *space)
{
	if (read_regions(space))
		return;
	address_space__each(space, prepare_image, NULL);
}

int address_space__find(struct address_space *space, __u64 addr, struct image **ret_image,
			__u64 *ret_vaddr)
{
	struct region *region;

	if (space->stale)
		read_regions(space);
	space->stale = false;
	region = find_region(space, addr);
	if (!region && space->vain != addr && !read_regions(space))
		region = find_region(space, addr);
	if (!region)
		space->vain = addr;
	if (!region)
		return -ENOENT;
	if (!region->image && !region->err)
		open_region(space, region);
	if (!region->image)
		return -ENOENT;
	*ret_image = region->image;
	*ret_vaddr = addr - region->bias;
	return 0;
}
