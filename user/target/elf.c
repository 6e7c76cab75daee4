// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "target/elf_file.h"

#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/cleanup.h"

/* The machine we run on is the machine whose code we probe. */
#if defined(__x86_64__)
enum {
	ELF_MACHINE = EM_X86_64
};
#elif defined(__aarch64__)
enum {
	ELF_MACHINE = EM_AARCH64
};
#else
#error "unknown machine"
#endif

enum {
	MAX_SEGMENTS = 128,	  /* program headers; real files have about ten */
	MAX_DYNAMIC = 512,	  /* entries of PT_DYNAMIC */
	MAX_NOTES_SIZE = 1 << 20, /* bytes of one PT_NOTE that are searched for the build id */
};

int elf_file__read_at(const struct elf_file *f, __u64 offset, void *buf, size_t size)
{
	ssize_t n;

	if (offset > f->size || size > f->size - offset)
		return -ENOEXEC;
	n = pread(f->fd, buf, size, (off_t)offset);
	if (n < 0)
		return -errno;
	return (size_t)n == size ? 0 : -ENOEXEC;
}

static bool header_is_ours(const Elf64_Ehdr *h)
{
	return memcmp(h->e_ident, ELFMAG, SELFMAG) == 0 && h->e_ident[EI_CLASS] == ELFCLASS64 &&
	       h->e_ident[EI_DATA] == ELFDATA2LSB && h->e_ident[EI_VERSION] == EV_CURRENT &&
	       (h->e_type == ET_DYN || h->e_type == ET_EXEC) && h->e_machine == ELF_MACHINE &&
	       h->e_phentsize == sizeof(Elf64_Phdr) && h->e_phnum > 0 && h->e_phnum <= MAX_SEGMENTS;
}

static int read_headers(struct elf_file *f)
{
	struct stat st;
	size_t size;
	int err;

	if (fstat(f->fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -ENOEXEC;
	f->size = (__u64)st.st_size;
	err = elf_file__read_at(f, 0, &f->header, sizeof(f->header));
	if (err)
		return err;
	if (!header_is_ours(&f->header))
		return -ENOEXEC;
	size = f->header.e_phnum * sizeof(Elf64_Phdr);
	f->segments = malloc(size);
	if (!f->segments)
		return -ENOMEM;
	return elf_file__read_at(f, f->header.e_phoff, f->segments, size);
}

int elf_file__open(const char *path, struct elf_file **ret_file)
{
	/* O_NONBLOCK: whoever puts a FIFO there shall not hold us up. */
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	return fd < 0 ? -errno : elf_file__open_fd(fd, ret_file);
}

int elf_file__open_fd(int fd, struct elf_file **ret_file)
{
	struct elf_file *f = calloc(1, sizeof(*f));
	int err;

	if (!f)
		return -ENOMEM;
	f->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	err = f->fd < 0 ? -errno : read_headers(f);
	if (err) {
		elf_file__close(f);
		return err;
	}
	*ret_file = f;
	return 0;
}

int elf_file__reopen(const struct elf_file *f, struct elf_file **ret_file)
{
	return elf_file__open_fd(f->fd, ret_file);
}

void elf_file__close(struct elf_file *f)
{
	if (!f)
		return;
	if (f->elf)
		elf_end(f->elf);
	if (f->fd >= 0)
		close(f->fd);
	free(f->segments);
	free(f->relocs);
	free(f);
}

const Elf64_Phdr *elf_file__segment(const struct elf_file *f, __u64 vaddr)
{
	for (int i = 0; i < f->header.e_phnum; i++) {
		const Elf64_Phdr *p = &f->segments[i];

		if (p->p_type == PT_LOAD && vaddr >= p->p_vaddr && vaddr - p->p_vaddr < p->p_memsz)
			return p;
	}
	return NULL;
}

/*
 * An address in the file's own address space is not a place in the file: a segment's bytes lie at
 * p_offset and are mapped at p_vaddr. They differ in all of the runtime's libraries from 0.62 on.
 */
int elf_file__offset(const struct elf_file *f, __u64 vaddr, __u64 *ret_offset)
{
	const Elf64_Phdr *p = elf_file__segment(f, vaddr);

	if (!p || vaddr - p->p_vaddr >= p->p_filesz)
		return -ENOENT;
	if (p->p_offset > f->size || vaddr - p->p_vaddr >= f->size - p->p_offset)
		return -ENOENT;
	*ret_offset = p->p_offset + (vaddr - p->p_vaddr);
	return 0;
}

int elf_file__bias(const struct elf_file *f, __u64 start, __u64 offset, __u64 *ret_bias)
{
	for (int i = 0; i < f->header.e_phnum; i++) {
		const Elf64_Phdr *p = &f->segments[i];
		/* The loader maps whole pages: what lies before the segment in its first one too.
		 */
		__u64 begin = p->p_align > 1 ? p->p_offset - p->p_offset % p->p_align : p->p_offset;

		if (p->p_type != PT_LOAD || !(p->p_flags & PF_X) || offset < begin ||
		    offset >= p->p_offset + p->p_filesz)
			continue;
		*ret_bias = start - (p->p_vaddr + offset - p->p_offset);
		return 0;
	}
	return -ENOENT;
}

int elf_file__read(const struct elf_file *f, __u64 vaddr, void *buf, size_t size)
{
	const Elf64_Phdr *p = elf_file__segment(f, vaddr);
	__u64 offset;
	int err;

	err = elf_file__offset(f, vaddr, &offset);
	if (err)
		return err;
	if (size > p->p_filesz - (vaddr - p->p_vaddr))
		return -ENOENT;
	return elf_file__read_at(f, offset, buf, size);
}

int elf_file__read_const(const struct elf_file *f, __u64 vaddr, void *buf, size_t size)
{
	const Elf64_Phdr *p = elf_file__segment(f, vaddr);

	return p && !(p->p_flags & PF_W) ? elf_file__read(f, vaddr, buf, size) : -ENOENT;
}

bool elf_file__is_code(const struct elf_file *f, __u64 vaddr)
{
	const Elf64_Phdr *p = elf_file__segment(f, vaddr);

	return p && p->p_flags & PF_X;
}

static void note_dynamic(struct elf_dynamic *d, const Elf64_Dyn *entry)
{
	switch (entry->d_tag) {
	case DT_GNU_HASH:
		d->gnu_hash = entry->d_un.d_ptr;
		break;
	case DT_SYMTAB:
		d->symtab = entry->d_un.d_ptr;
		break;
	case DT_STRTAB:
		d->strtab = entry->d_un.d_ptr;
		break;
	case DT_JMPREL:
		d->jmprel = entry->d_un.d_ptr;
		break;
	case DT_PLTRELSZ:
		d->pltrelsz = entry->d_un.d_val;
		break;
	case DT_RELA:
		d->rela = entry->d_un.d_ptr;
		break;
	case DT_RELASZ:
		d->relasz = entry->d_un.d_val;
		break;
	case DT_FLAGS_1:
		d->flags_1 = entry->d_un.d_val;
		break;
	default:
		break;
	}
}

int elf_file__dynamic(const struct elf_file *f, struct elf_dynamic *ret_dynamic)
{
	Elf64_Dyn entries[MAX_DYNAMIC];
	struct elf_dynamic d = {};
	int err;

	for (int i = 0; i < f->header.e_phnum; i++) {
		const Elf64_Phdr *p = &f->segments[i];
		size_t n = p->p_filesz / sizeof(*entries);

		if (p->p_type != PT_DYNAMIC)
			continue;
		if (n > MAX_DYNAMIC)
			return -ENOEXEC;
		err = elf_file__read_at(f, p->p_offset, entries, n * sizeof(*entries));
		if (err)
			return err;
		for (size_t k = 0; k < n && entries[k].d_tag != DT_NULL; k++)
			note_dynamic(&d, &entries[k]);
		*ret_dynamic = d;
		return 0;
	}
	return -ENOENT;
}

static bool has_interpreter(const struct elf_file *f)
{
	for (int i = 0; i < f->header.e_phnum; i++)
		if (f->segments[i].p_type == PT_INTERP)
			return true;
	return false;
}

bool elf_file__is_program(const struct elf_file *f)
{
	struct elf_dynamic d;

	if (f->header.e_type == ET_EXEC || has_interpreter(f))
		return true;
	/* Linked with -static-pie: nothing but this flag tells it from a library. */
	return !elf_file__dynamic(f, &d) && d.flags_1 & DF_1_PIE;
}

static bool is_build_id(const char *name, size_t name_size, const GElf_Nhdr *note)
{
	return note->n_type == NT_GNU_BUILD_ID && name_size == sizeof(ELF_NOTE_GNU) &&
	       memcmp(name, ELF_NOTE_GNU, name_size) == 0;
}

static size_t align4(size_t n)
{
	return (n + 3) & ~(size_t)3;
}

static void find_build_id(const char *notes, size_t size, char *buf, size_t buf_size)
{
	GElf_Nhdr note;

	for (size_t at = 0; at + sizeof(note) <= size;) {
		size_t name_at = at + sizeof(note), desc_at;

		memcpy(&note, notes + at, sizeof(note));
		desc_at = name_at + align4(note.n_namesz);
		if (desc_at > size || note.n_descsz > size - desc_at)
			return;
		if (is_build_id(notes + name_at, note.n_namesz, &note)) {
			for (size_t i = 0; i < note.n_descsz && 2 * i + 2 < buf_size; i++)
				snprintf(buf + 2 * i, 3, "%02x", (__u8)notes[desc_at + i]);
			return;
		}
		at = desc_at + align4(note.n_descsz);
	}
}

void elf_file__build_id(const struct elf_file *f, char *buf, size_t size)
{
	buf[0] = '\0';
	for (int i = 0; i < f->header.e_phnum && !buf[0]; i++) {
		const Elf64_Phdr *p = &f->segments[i];
		_cleanup_free_ char *notes = NULL;

		if (p->p_type != PT_NOTE || p->p_filesz > MAX_NOTES_SIZE)
			continue;
		notes = malloc(p->p_filesz + 1);
		if (notes && !elf_file__read_at(f, p->p_offset, notes, p->p_filesz))
			find_build_id(notes, p->p_filesz, buf, size);
	}
}
