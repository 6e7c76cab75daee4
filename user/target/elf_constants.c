// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "target/elf_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/cleanup.h"

/*
 * Each file that any process executes may be asked for a text, so nothing is kept in memory, what
 * cannot have it is not read, and a file that promises gigabytes costs what it has: its holes are
 * passed over, and the rest is read up to a limit.
 */
enum {
	CHUNK_SIZE = 64 * 1024,
	MAX_SECTIONS = 1024,	 /* real files have about forty */
	MAX_NAMES = 64 * 1024,	 /* bytes of the names of sections */
	MAX_CONSTANTS = 1 << 29, /* bytes of one file that are searched; the runtime has 57 MB */
};

/* A part of the file, and where it lies in its address space. */
struct range {
	__u64 offset, size, vaddr;
};

struct sections {
	Elf64_Shdr *all;
	size_t count;
	char *names; /* with a 0 behind the last */
	size_t names_size;
};

struct search {
	const struct elf_file *file;
	const char *text;
	size_t size; /* of it, with its end */
	__u64 from;
	__u64 left; /* bytes that may still be read */
	char *chunk;
};

static void sections_done(struct sections *sections)
{
	free(sections->all);
	free(sections->names);
}

static int read_names(const struct elf_file *f, struct sections *sections)
{
	const Elf64_Shdr *names;
	int err;

	if (f->header.e_shstrndx >= sections->count)
		return -ENOENT;
	names = &sections->all[f->header.e_shstrndx];
	if (names->sh_size > MAX_NAMES)
		return -ENOENT;
	sections->names = malloc(names->sh_size + 1);
	if (!sections->names)
		return -ENOMEM;
	err = elf_file__read_at(f, names->sh_offset, sections->names, names->sh_size);
	sections->names[err ? 0 : names->sh_size] = '\0';
	sections->names_size = err ? 0 : names->sh_size;
	return err;
}

static int read_sections(const struct elf_file *f, struct sections *sections)
{
	size_t size = f->header.e_shnum * sizeof(*sections->all);
	int err;

	if (!elf_file__sections_fit(f) || f->header.e_shnum > MAX_SECTIONS)
		return -ENOENT;
	sections->all = malloc(size);
	if (!sections->all)
		return -ENOMEM;
	err = elf_file__read_at(f, f->header.e_shoff, sections->all, size);
	if (err)
		return err;
	sections->count = f->header.e_shnum;
	return read_names(f, sections);
}

static bool is_named(const struct sections *sections, size_t index, const char *begin)
{
	__u32 at = sections->all[index].sh_name;

	return at < sections->names_size && !strncmp(sections->names + at, begin, strlen(begin));
}

/* By name, as linkers give it: others may have gigabytes, such as programs for graphics cards. */
static bool has_constants(const struct sections *sections, size_t index)
{
	const Elf64_Shdr *s = &sections->all[index];

	return s->sh_type == SHT_PROGBITS && s->sh_flags & SHF_ALLOC &&
	       (is_named(sections, index, ".rodata") || is_named(sections, index, ".lrodata"));
}

/* What is in C++ has tables for its exceptions; C has none, and most libraries are in C. */
static bool catches_exceptions(const struct sections *sections)
{
	for (size_t i = 0; i < sections->count; i++)
		if (is_named(sections, i, ".gcc_except_table"))
			return true;
	return false;
}

/* Passes over the hole at @at, if there is one. Returns where data begins, @end at most. */
static __u64 skip_hole(const struct elf_file *f, __u64 at, __u64 end)
{
	off_t data = lseek(f->fd, (off_t)at, SEEK_DATA);

	if (data < 0)
		return errno == ENXIO ? end : at; /* a hole up to the end; or not known here */
	return (__u64)data < end ? (__u64)data : end;
}

/* -ENOENT: it is not there; -EFBIG: as far as was looked. */
static int search_range(struct search *s, const struct range *range, __u64 *ret_vaddr)
{
	__u64 at = range->offset, end = at + range->size;
	const char *found;

	if (s->from > range->vaddr)
		at += s->from - range->vaddr;
	for (;;) {
		size_t n;
		int err;

		at = at < end ? skip_hole(s->file, at, end) : end;
		if (end - at < s->size)
			return -ENOENT;
		n = end - at < CHUNK_SIZE ? end - at : CHUNK_SIZE;
		if (n > s->left)
			return -EFBIG;
		err = elf_file__read_at(s->file, at, s->chunk, n);
		if (err)
			return err;
		s->left -= n;
		found = memmem(s->chunk, n, s->text, s->size);
		if (found) {
			*ret_vaddr =
				range->vaddr + (at - range->offset) + (__u64)(found - s->chunk);
			return 0;
		}
		/* a text that the chunk's end cuts is whole in the next one */
		at += n - (s->size - 1);
	}
}

static bool is_in_file(const struct elf_file *f, const struct range *range)
{
	return range->offset <= f->size && range->size <= f->size - range->offset;
}

static bool is_behind(const struct search *s, const struct range *range)
{
	return range->vaddr + range->size > s->from;
}

static int search_sections(struct search *s, const struct sections *sections, __u64 *ret_vaddr)
{
	int err = -ENOENT;

	if (!catches_exceptions(sections))
		return -ENOENT;
	for (size_t i = 0; i < sections->count && err == -ENOENT; i++) {
		const Elf64_Shdr *section = &sections->all[i];
		struct range range = { section->sh_offset, section->sh_size, section->sh_addr };

		if (has_constants(sections, i) && is_in_file(s->file, &range) &&
		    is_behind(s, &range))
			err = search_range(s, &range, ret_vaddr);
	}
	return err;
}

/* Where there are no sections: all that nobody writes to. */
static int search_segments(struct search *s, __u64 *ret_vaddr)
{
	int err = -ENOENT;

	for (int i = 0; i < s->file->header.e_phnum && err == -ENOENT; i++) {
		const Elf64_Phdr *p = &s->file->segments[i];
		struct range range = { p->p_offset, p->p_filesz, p->p_vaddr };

		if (p->p_type == PT_LOAD && !(p->p_flags & PF_W) && is_in_file(s->file, &range) &&
		    is_behind(s, &range))
			err = search_range(s, &range, ret_vaddr);
	}
	return err;
}

int elf_file__find_text(const struct elf_file *f, const char *text, __u64 from, __u64 *ret_vaddr)
{
	_cleanup_free_ char *chunk = malloc(CHUNK_SIZE);
	_cleanup_(sections_done) struct sections sections = {};
	struct search search = {
		.file = f,
		.text = text,
		.size = strlen(text) + 1,
		.from = from,
		.left = MAX_CONSTANTS,
		.chunk = chunk,
	};
	int err;

	if (!chunk)
		return -ENOMEM;
	if (search.size > CHUNK_SIZE)
		return -ENOENT;
	err = read_sections(f, &sections);
	if (err == -ENOMEM)
		return err;
	return err ? search_segments(&search, ret_vaddr)
		   : search_sections(&search, &sections, ret_vaddr);
}
