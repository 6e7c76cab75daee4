// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "target/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

enum {
	KEPT_PAGES = 4096,  /* a power of two */
	BLOCK_PAGES = 8,    /* read together when one of them is wanted */
	RANGE_PAGES = 512,  /* whose presence is asked for together */
	KEPT_RANGES = 1024, /* a power of two */
	GATHER_PARTS = 512, /* IOV_MAX is 1024 */
};

/* Documentation/admin-guide/mm/pagemap.rst: bits 63 and 62 of an entry. */
static const __u64 pagemap_present = 1ull << 63;
static const __u64 pagemap_swapped = 1ull << 62;

static const __u64 no_tag = ~0ull;

/* RANGE_PAGES pages from page tag * RANGE_PAGES on, a bit each. */
struct range {
	__u64 tag;
	__u64 present[RANGE_PAGES / 64];
	__u64 swapped[RANGE_PAGES / 64];
};

struct memory {
	pid_t pid;
	int pagemap_fd;
	size_t page_size;
	__u64 *tags; /* number of the page that each slot holds */
	char *pages; /* KEPT_PAGES slots; a page has its place, so a later one may drive it out */
	struct range *ranges;
};

int memory__open(pid_t pid, struct memory **ret_memory)
{
	struct memory *m = calloc(1, sizeof(*m));
	char path[64];
	int err;

	if (!m)
		return -ENOMEM;
	m->pid = pid;
	m->page_size = (size_t)sysconf(_SC_PAGESIZE);
	m->tags = malloc(KEPT_PAGES * sizeof(*m->tags));
	m->pages = malloc(KEPT_PAGES * m->page_size);
	m->ranges = malloc(KEPT_RANGES * sizeof(*m->ranges));
	snprintf(path, sizeof(path), "/proc/%d/pagemap", pid);
	m->pagemap_fd = open(path, O_RDONLY | O_CLOEXEC);
	err = m->pagemap_fd < 0 ? -errno : 0;
	if (!m->tags || !m->pages || !m->ranges)
		err = -ENOMEM;
	if (err) {
		memory__free(m);
		return err == -ENOENT ? -ESRCH : err;
	}
	memory__forget(m);
	*ret_memory = m;
	return 0;
}

void memory__free(struct memory *m)
{
	if (!m)
		return;
	if (m->pagemap_fd >= 0)
		close(m->pagemap_fd);
	free(m->tags);
	free(m->pages);
	free(m->ranges);
	free(m);
}

void memory__forget(struct memory *m)
{
	for (size_t i = 0; i < KEPT_PAGES; i++)
		m->tags[i] = no_tag;
	for (size_t i = 0; i < KEPT_RANGES; i++)
		m->ranges[i].tag = no_tag;
}

int memory__check(const struct memory *m)
{
	__u64 entry;

	/* pagemap_read() of fs/proc/task_mmu.c: no entries once nobody uses the address space */
	return pread(m->pagemap_fd, &entry, sizeof(entry), 0) == sizeof(entry) ? 0 : -ESRCH;
}

static void load_range(const struct memory *m, __u64 tag, struct range *range)
{
	__u64 entries[RANGE_PAGES];
	ssize_t n = pread(m->pagemap_fd, entries, sizeof(entries),
			  (off_t)(tag * RANGE_PAGES * sizeof(*entries)));
	size_t count = n > 0 ? (size_t)n / sizeof(*entries) : 0;

	*range = (struct range){ .tag = tag };
	for (size_t i = 0; i < count; i++) {
		if (entries[i] & pagemap_present)
			range->present[i / 64] |= 1ull << i % 64;
		if (entries[i] & pagemap_swapped)
			range->swapped[i / 64] |= 1ull << i % 64;
	}
}

static const struct range *find_range(struct memory *m, __u64 page)
{
	__u64 tag = page / RANGE_PAGES;
	struct range *range = &m->ranges[tag % KEPT_RANGES];

	if (range->tag != tag)
		load_range(m, tag, range);
	return range;
}

static bool has_bit(const __u64 *bits, __u64 page)
{
	return bits[page % RANGE_PAGES / 64] & 1ull << page % 64;
}

static bool is_present(struct memory *m, __u64 page)
{
	return has_bit(find_range(m, page)->present, page);
}

/* 0: it may be read; -ENODATA, -EFAULT: what memory__read() says of such a page. */
static int check_page(struct memory *m, __u64 page)
{
	const struct range *range = find_range(m, page);

	if (has_bit(range->present, page))
		return 0;
	return has_bit(range->swapped, page) ? -ENODATA : -EFAULT;
}

static int check_pages(struct memory *m, __u64 addr, size_t size)
{
	__u64 last = (addr + size - 1) / m->page_size;
	int err = 0;

	for (__u64 page = addr / m->page_size; page <= last && !err; page++)
		err = check_page(m, page);
	return err;
}

static char *slot(const struct memory *m, __u64 page)
{
	return m->pages + page % KEPT_PAGES * m->page_size;
}

static bool is_kept(const struct memory *m, __u64 page)
{
	return m->tags[page % KEPT_PAGES] == page;
}

/* Reads @page and those around it that are present. */
static int load_page(struct memory *m, __u64 page)
{
	__u64 first = page, end = page + 1, block = page - page % BLOCK_PAGES;
	struct iovec local, remote;
	int err = check_page(m, page);
	ssize_t n;

	if (err)
		return err;
	while (first > block && is_present(m, first - 1))
		first--;
	while (end < block + BLOCK_PAGES && is_present(m, end))
		end++;
	/* A block begins at a multiple of its size, so that its slots lie side by side. */
	local.iov_base = slot(m, first);
	local.iov_len = (end - first) * m->page_size;
	remote.iov_base = (void *)(first * m->page_size);
	remote.iov_len = local.iov_len;
	for (__u64 p = first; p < end; p++)
		m->tags[p % KEPT_PAGES] = no_tag;
	n = process_vm_readv(m->pid, &local, 1, &remote, 1, 0);
	if (n < 0 && errno != EFAULT)
		return -errno;
	for (__u64 p = first; n > 0 && p < first + (__u64)n / m->page_size; p++)
		m->tags[p % KEPT_PAGES] = p;
	return is_kept(m, page) ? 0 : -EFAULT;
}

int memory__read(struct memory *m, __u64 addr, void *buf, size_t size)
{
	char *to = buf;

	if (addr + size < addr)
		return -EFAULT;
	while (size) {
		__u64 page = addr / m->page_size;
		size_t at = addr % m->page_size, n = m->page_size - at;
		int err = is_kept(m, page) ? 0 : load_page(m, page);

		if (err)
			return err;
		if (n > size)
			n = size;
		memcpy(to, slot(m, page) + at, n);
		to += n;
		addr += n;
		size -= n;
	}
	return 0;
}

/* What one system call is asked for, and which part each piece of it is. */
struct batch {
	struct iovec local[GATHER_PARTS], remote[GATHER_PARTS];
	struct memory_part *part[GATHER_PARTS];
	size_t count;
};

static void add_to_batch(struct memory *m, struct batch *b, struct memory_part *part)
{
	size_t i = b->count;

	if (!part->size)
		return;
	part->err = part->addr + part->size < part->addr ? -EFAULT
							 : check_pages(m, part->addr, part->size);
	if (part->err)
		return;
	b->local[i] = (struct iovec){ part->buf, part->size };
	b->remote[i] = (struct iovec){ (void *)part->addr, part->size };
	b->part[i] = part;
	b->count++;
}

/* process_vm_readv(2) stops at the first place that cannot be read: that one is passed over. */
static int read_batch(const struct memory *m, struct batch *b)
{
	for (size_t at = 0; at < b->count; at++) {
		ssize_t n = process_vm_readv(m->pid, b->local + at, b->count - at, b->remote + at,
					     b->count - at, 0);

		if (n < 0 && errno != EFAULT)
			return -errno;
		for (; at < b->count && n >= (ssize_t)b->local[at].iov_len; at++)
			n -= (ssize_t)b->local[at].iov_len;
		if (at < b->count)
			b->part[at]->err = -EFAULT;
	}
	b->count = 0;
	return 0;
}

int memory__gather(struct memory *m, struct memory_part *parts, size_t count)
{
	struct batch b = { .count = 0 };
	int err = 0;

	for (size_t i = 0; i < count && !err; i++) {
		parts[i].err = 0;
		add_to_batch(m, &b, &parts[i]);
		if (b.count == GATHER_PARTS)
			err = read_batch(m, &b);
	}
	return err ? err : read_batch(m, &b);
}

bool memory__next_present(struct memory *m, __u64 start, __u64 end, size_t max, __u64 *ret_start,
			  size_t *ret_size)
{
	__u64 page = start / m->page_size, last = end / m->page_size, first;

	while (page < last && !is_present(m, page))
		page++;
	if (page >= last)
		return false;
	for (first = page; page < last && is_present(m, page); page++)
		if ((page - first) * m->page_size >= max)
			break;
	*ret_start = first * m->page_size;
	*ret_size = (page - first) * m->page_size;
	return true;
}

__u64 memory__swapped(struct memory *m, __u64 start, __u64 end)
{
	__u64 swapped = 0;

	for (__u64 page = start / m->page_size; page < end / m->page_size; page++)
		swapped += check_page(m, page) == -ENODATA;
	return swapped * m->page_size;
}
