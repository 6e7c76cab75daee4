// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "target/elf.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/cleanup.h"

/* The machine we run on is the machine whose code we probe. */
#if defined(__x86_64__)
enum {
	ELF_MACHINE = EM_X86_64,
	RELOC_SLOT = R_X86_64_JUMP_SLOT,
	RELOC_GOT = R_X86_64_GLOB_DAT
};
#elif defined(__aarch64__)
enum {
	ELF_MACHINE = EM_AARCH64,
	RELOC_SLOT = R_AARCH64_JUMP_SLOT,
	RELOC_GOT = R_AARCH64_GLOB_DAT
};
#else
#error "unknown machine"
#endif

enum {
	MAX_SEGMENTS = 128,	  /* program headers; real files have about ten */
	MAX_DYNAMIC = 512,	  /* entries of PT_DYNAMIC */
	MAX_NOTES_SIZE = 1 << 20, /* bytes of one PT_NOTE that are searched for the build id */
};

struct elf_file {
	int fd;
	__u64 size; /* of the file, bytes */
	Elf64_Ehdr header;
	Elf64_Phdr *segments;
	Elf *elf; /* opened when sections are first asked for */
	Elf64_Rela *relocs;
	size_t num_relocs;
	struct elf_syms slot_symbols; /* that they name */
	bool relocs_loaded;
};

static int read_at(const struct elf_file *f, __u64 offset, void *buf, size_t size)
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

/*
 * libelf allocates e_shnum descriptors unseen, or for e_shnum 0 as many as the first section
 * says, which is how a file asks for gigabytes.
 */
static bool sections_fit(const struct elf_file *f)
{
	const Elf64_Ehdr *h = &f->header;

	if (h->e_shoff == 0 || h->e_shnum == 0 || h->e_shentsize != sizeof(Elf64_Shdr))
		return false;
	return h->e_shoff <= f->size && h->e_shnum <= (f->size - h->e_shoff) / sizeof(Elf64_Shdr);
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
	err = read_at(f, 0, &f->header, sizeof(f->header));
	if (err)
		return err;
	if (!header_is_ours(&f->header))
		return -ENOEXEC;
	size = f->header.e_phnum * sizeof(Elf64_Phdr);
	f->segments = malloc(size);
	if (!f->segments)
		return -ENOMEM;
	return read_at(f, f->header.e_phoff, f->segments, size);
}

int elf_file__open(const char *path, struct elf_file **ret_file)
{
	struct elf_file *f = calloc(1, sizeof(*f));
	int err;

	if (!f)
		return -ENOMEM;
	/* O_NONBLOCK: whoever puts a FIFO there shall not hold us up. */
	f->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	err = f->fd < 0 ? -errno : read_headers(f);
	if (err) {
		elf_file__close(f);
		return err;
	}
	*ret_file = f;
	return 0;
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

static const Elf64_Phdr *find_segment(const struct elf_file *f, __u64 vaddr)
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
	const Elf64_Phdr *p = find_segment(f, vaddr);

	if (!p || vaddr - p->p_vaddr >= p->p_filesz)
		return -ENOENT;
	if (p->p_offset > f->size || vaddr - p->p_vaddr >= f->size - p->p_offset)
		return -ENOENT;
	*ret_offset = p->p_offset + (vaddr - p->p_vaddr);
	return 0;
}

int elf_file__read(const struct elf_file *f, __u64 vaddr, void *buf, size_t size)
{
	const Elf64_Phdr *p = find_segment(f, vaddr);
	__u64 offset;
	int err;

	err = elf_file__offset(f, vaddr, &offset);
	if (err)
		return err;
	if (size > p->p_filesz - (vaddr - p->p_vaddr))
		return -ENOENT;
	return read_at(f, offset, buf, size);
}

int elf_file__read_const(const struct elf_file *f, __u64 vaddr, void *buf, size_t size)
{
	const Elf64_Phdr *p = find_segment(f, vaddr);

	return p && !(p->p_flags & PF_W) ? elf_file__read(f, vaddr, buf, size) : -ENOENT;
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
		err = read_at(f, p->p_offset, entries, n * sizeof(*entries));
		if (err)
			return err;
		for (size_t k = 0; k < n && entries[k].d_tag != DT_NULL; k++)
			note_dynamic(&d, &entries[k]);
		*ret_dynamic = d;
		return 0;
	}
	return -ENOENT;
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
		if (notes && !read_at(f, p->p_offset, notes, p->p_filesz))
			find_build_id(notes, p->p_filesz, buf, size);
	}
}

static int compare_relocs(const void *a, const void *b)
{
	const Elf64_Rela *x = a, *y = b;

	return x->r_offset < y->r_offset ? -1 : x->r_offset > y->r_offset;
}

/* Appends those relocations of one table that fill a slot with a symbol's address. */
static int load_relocs(struct elf_file *f, __u64 vaddr, __u64 size)
{
	size_t n = size / sizeof(Elf64_Rela), kept = f->num_relocs;
	Elf64_Rela *all;
	int err;

	if (!n)
		return 0;
	if (size > f->size)
		return -ENOEXEC;
	all = realloc(f->relocs, (kept + n) * sizeof(*all));
	if (!all)
		return -ENOMEM;
	f->relocs = all;
	err = elf_file__read(f, vaddr, all + kept, n * sizeof(*all));
	if (err)
		return err;
	for (size_t i = kept; i < f->num_relocs + n; i++) {
		__u32 type = ELF64_R_TYPE(all[i].r_info);

		if (type == RELOC_SLOT || type == RELOC_GOT)
			all[kept++] = all[i];
	}
	f->num_relocs = kept;
	return 0;
}

/* Tried once only: a file whose tables are broken has no slots. */
static void load_slots(struct elf_file *f)
{
	struct elf_dynamic d;
	int err;

	if (f->relocs_loaded)
		return;
	f->relocs_loaded = true;
	err = elf_file__dynamic(f, &d);
	if (!err)
		err = load_relocs(f, d.jmprel, d.pltrelsz);
	if (!err)
		err = load_relocs(f, d.rela, d.relasz);
	if (!err)
		err = elf_syms__init(&f->slot_symbols, f, ELF_TABLE_DYNSYM);
	if (err)
		f->num_relocs = 0;
	if (f->num_relocs)
		qsort(f->relocs, f->num_relocs, sizeof(*f->relocs), compare_relocs);
}

static int open_sections(struct elf_file *f)
{
	if (f->elf)
		return 0;
	if (!sections_fit(f) || elf_version(EV_CURRENT) == EV_NONE)
		return -ENOEXEC;
	f->elf = elf_begin(f->fd, ELF_C_READ, NULL);
	return f->elf && elf_kind(f->elf) == ELF_K_ELF ? 0 : -ENOEXEC;
}

static Elf_Scn *find_section(struct elf_file *f, __u32 type, GElf_Shdr *ret_header)
{
	Elf_Scn *scn = NULL;

	while ((scn = elf_nextscn(f->elf, scn)))
		if (gelf_getshdr(scn, ret_header) && ret_header->sh_type == type)
			return scn;
	return NULL;
}

int elf_syms__init(struct elf_syms *syms, struct elf_file *f, enum elf_table table)
{
	GElf_Shdr header, strings_header;
	Elf_Data *symbols, *strings;
	Elf_Scn *scn, *strings_scn;
	int err;

	err = open_sections(f);
	if (err)
		return err;
	scn = find_section(f, table == ELF_TABLE_DYNSYM ? SHT_DYNSYM : SHT_SYMTAB, &header);
	if (!scn)
		return -ENOENT;
	strings_scn = elf_getscn(f->elf, header.sh_link);
	if (!strings_scn || !gelf_getshdr(strings_scn, &strings_header) ||
	    strings_header.sh_type != SHT_STRTAB || header.sh_entsize != sizeof(Elf64_Sym))
		return -ENOEXEC;
	symbols = elf_getdata(scn, NULL);
	strings = elf_getdata(strings_scn, NULL);
	if (!symbols || !strings || !symbols->d_buf || !strings->d_buf || !strings->d_size)
		return -ENOEXEC;
	/* The last byte ends every name, so that a name needs no check of its own. */
	if (((const char *)strings->d_buf)[strings->d_size - 1] != '\0')
		return -ENOEXEC;
	*syms = (struct elf_syms){
		.file = f,
		.symbols = symbols,
		.strings = strings->d_buf,
		.strings_size = strings->d_size,
		.next = 1,
		.count = symbols->d_size / sizeof(Elf64_Sym),
	};
	return 0;
}

static bool is_executable(const struct elf_file *f, __u64 vaddr)
{
	const Elf64_Phdr *p = find_segment(f, vaddr);

	return p && p->p_flags & PF_X;
}

static int get_symbol(const struct elf_syms *syms, size_t index, struct elf_symbol *ret_symbol)
{
	const Elf64_Sym *sym = (const Elf64_Sym *)((Elf_Data *)syms->symbols)->d_buf + index;

	if (sym->st_name >= syms->strings_size)
		return -ENOENT;
	*ret_symbol = (struct elf_symbol){
		.name = syms->strings + sym->st_name,
		.vaddr = sym->st_shndx == SHN_UNDEF ? 0 : sym->st_value,
		.size = sym->st_size,
		.is_func = ELF64_ST_TYPE(sym->st_info) == STT_FUNC,
	};
	return 0;
}

/* A function outside of the executable segments, or an object outside of all, is no symbol. */
static bool makes_sense(const struct elf_file *f, const struct elf_symbol *sym)
{
	return sym->is_func ? is_executable(f, sym->vaddr) : find_segment(f, sym->vaddr) != NULL;
}

static bool is_defined(const Elf64_Sym *sym)
{
	__u8 type = ELF64_ST_TYPE(sym->st_info);

	return sym->st_shndx != SHN_UNDEF && (type == STT_FUNC || type == STT_OBJECT);
}

bool elf_syms__next(struct elf_syms *syms, struct elf_symbol *ret_symbol)
{
	const Elf64_Sym *all = ((Elf_Data *)syms->symbols)->d_buf;

	while (syms->next < syms->count) {
		size_t index = syms->next++;

		if (is_defined(&all[index]) && !get_symbol(syms, index, ret_symbol) &&
		    makes_sense(syms->file, ret_symbol))
			return true;
	}
	return false;
}

int elf_file__slot(struct elf_file *f, __u64 vaddr, struct elf_symbol *ret_symbol)
{
	Elf64_Rela key = { .r_offset = vaddr };
	const struct elf_syms *syms = &f->slot_symbols;
	const Elf64_Rela *found = NULL;

	load_slots(f);
	if (f->num_relocs)
		found = bsearch(&key, f->relocs, f->num_relocs, sizeof(key), compare_relocs);
	if (!found || ELF64_R_SYM(found->r_info) >= syms->count)
		return -ENOENT;
	return get_symbol(syms, ELF64_R_SYM(found->r_info), ret_symbol);
}
