// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* The ELF reader, on this very program and on damaged copies of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "target/elf.h"
#include "target/library.h"

static const char self[] = "/proc/self/exe";

struct fixture {
	char dir[32], path[64];
	char *image; /* this program */
	size_t size;
};

static int make_fixture(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	_cleanup_close_ int fd = open(self, O_RDONLY);
	struct stat st;

	strcpy(f->dir, "/tmp/test_elf.XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->path, sizeof(f->path), "%s/file", f->dir);
	assert_int_equal(fstat(fd, &st), 0);
	f->size = (size_t)st.st_size;
	f->image = malloc(f->size);
	assert_int_equal(read(fd, f->image, f->size), f->size);
	*state = f;
	return 0;
}

static int drop_fixture(void **state)
{
	struct fixture *f = *state;

	unlink(f->path);
	rmdir(f->dir);
	free(f->image);
	free(f);
	return 0;
}

static void write_file(const struct fixture *f, const void *bytes, size_t size)
{
	_cleanup_fclose_ FILE *file = fopen(f->path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, size, file), size);
}

/* Does all that can be done with a file, whatever it holds; returns what opening gave. */
static int exercise(const char *path)
{
	char id[129], bytes[64];
	struct elf_file *file;
	struct library *lib;
	struct elf_symbol sym;
	struct elf_syms syms;
	int err = elf_file__open(path, &file);

	if (!library__open(path, "a file", &lib))
		library__free(lib);
	library__kind(path);
	if (err)
		return err;
	elf_file__defines(file, "main");
	elf_file__defines_inside(file, "main");
	elf_file__is_program(file);
	elf_file__build_id(file, id, sizeof(id));
	elf_file__slot(file, 0x4000, &sym);
	for (int table = ELF_TABLE_DYNSYM; table <= ELF_TABLE_SYMTAB; table++) {
		if (elf_syms__init(&syms, file, table))
			continue;
		while (elf_syms__next(&syms, &sym))
			elf_file__read(file, sym.vaddr, bytes, strlen(sym.name) % sizeof(bytes));
	}
	elf_file__close(file);
	return 0;
}

static void its_own_symbols_and_bytes_are_read(void **state)
{
	struct elf_symbol sym, found = {};
	struct elf_file *file;
	struct elf_syms syms;
	char bytes[16];

	(void)state;
	assert_int_equal(elf_file__open(self, &file), 0);
	assert_int_equal(elf_syms__init(&syms, file, ELF_TABLE_SYMTAB), 0);
	while (elf_syms__next(&syms, &sym))
		if (!strcmp(sym.name, "main"))
			found = sym;
	assert_string_equal(found.name, "main");
	assert_true(found.is_func);
	assert_true(found.size >= sizeof(bytes));
	assert_int_equal(elf_file__read(file, found.vaddr, bytes, sizeof(bytes)), 0);
	assert_int_equal(elf_file__read_const(file, found.vaddr, bytes, sizeof(bytes)), 0);
	elf_file__close(file);
}

static void a_program_defines_inside_what_it_does_not_export(void **state)
{
	struct elf_file *file;

	(void)state;
	assert_int_equal(elf_file__open(self, &file), 0);
	assert_true(elf_file__is_program(file));
	assert_true(elf_file__defines_inside(file, "main"));
	assert_false(elf_file__defines_inside(file, "malloc"));
	elf_file__close(file);
}

static void bytes_at_an_offset_are_those_at_the_address(void **state)
{
	const struct fixture *f = *state;
	struct elf_symbol sym;
	struct elf_file *file;
	struct elf_syms syms;
	char bytes[8];
	__u64 offset;

	assert_int_equal(elf_file__open(self, &file), 0);
	assert_int_equal(elf_syms__init(&syms, file, ELF_TABLE_SYMTAB), 0);
	while (elf_syms__next(&syms, &sym)) {
		if (elf_file__offset(file, sym.vaddr, &offset))
			continue; /* .bss */
		assert_true(offset < f->size);
		if (!elf_file__read(file, sym.vaddr, bytes, sizeof(bytes)))
			assert_memory_equal(bytes, f->image + offset, sizeof(bytes));
	}
	elf_file__close(file);
}

static void addresses_outside_of_segments_are_refused(void **state)
{
	static const __u64 wrong[] = { 1ull << 40, ~0ull, ~0ull - 7, 1ull << 63 };
	struct elf_file *file;
	__u64 offset;
	char bytes[8];

	(void)state;
	assert_int_equal(elf_file__open(self, &file), 0);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_int_equal(elf_file__offset(file, wrong[i], &offset), -ENOENT);
		assert_int_equal(elf_file__read(file, wrong[i], bytes, sizeof(bytes)), -ENOENT);
	}
	elf_file__close(file);
}

static void a_dynamic_symbol_is_found_by_its_hash_and_an_import_is_not(void **state)
{
	struct elf_file *file;

	(void)state;
	if (elf_file__open("/lib/x86_64-linux-gnu/libc.so.6", &file))
		skip();
	assert_true(elf_file__defines(file, "malloc"));
	assert_false(elf_file__defines(file, "mallo"));
	assert_false(elf_file__defines(file, "_dl_argv")); /* of ld.so */
	assert_false(elf_file__defines(file, ""));
	elf_file__close(file);
}

static void what_is_no_elf_file_is_refused(void **state)
{
	const struct fixture *f = *state;

	write_file(f, "", 0);
	assert_int_equal(exercise(f->path), -ENOEXEC);
	write_file(f, "#!/bin/sh\nexec true\n", 20);
	assert_int_equal(exercise(f->path), -ENOEXEC);
	write_file(f, "!<arch>\n", 8);
	assert_int_equal(exercise(f->path), -ENOEXEC);
	assert_int_equal(exercise(f->dir), -ENOEXEC);
	assert_int_equal(exercise("/dev/null"), -ENOEXEC);
	assert_int_equal(exercise("/nonexistent"), -ENOENT);
}

static void a_fifo_does_not_hold_us_up(void **state)
{
	const struct fixture *f = *state;

	unlink(f->path);
	assert_int_equal(mkfifo(f->path, 0600), 0);
	assert_int_equal(exercise(f->path), -ENOEXEC);
	unlink(f->path);
}

static void another_machine_or_word_size_is_refused(void **state)
{
	const struct fixture *f = *state;
	Elf64_Ehdr header;

	memcpy(&header, f->image, sizeof(header));
	header.e_ident[EI_CLASS] = ELFCLASS32;
	write_file(f, &header, sizeof(header));
	assert_int_equal(exercise(f->path), -ENOEXEC);
	memcpy(&header, f->image, sizeof(header));
	header.e_machine = EM_RISCV;
	write_file(f, &header, sizeof(header));
	assert_int_equal(exercise(f->path), -ENOEXEC);
	memcpy(&header, f->image, sizeof(header));
	header.e_type = ET_REL;
	write_file(f, &header, sizeof(header));
	assert_int_equal(exercise(f->path), -ENOEXEC);
}

static void a_file_cut_short_anywhere_does_no_harm(void **state)
{
	const struct fixture *f = *state;

	for (size_t size = 0; size < sizeof(Elf64_Ehdr); size++) {
		write_file(f, f->image, size);
		assert_int_equal(exercise(f->path), -ENOEXEC);
	}
	for (size_t size = sizeof(Elf64_Ehdr); size < f->size; size += f->size / 97) {
		write_file(f, f->image, size);
		exercise(f->path);
	}
}

static void any_byte_of_the_headers_may_be_wrong(void **state)
{
	const struct fixture *f = *state;
	size_t headers = sizeof(Elf64_Ehdr) + 4 * sizeof(Elf64_Phdr);
	static const unsigned char values[] = { 0x00, 0x01, 0x7f, 0xff };

	for (size_t at = 0; at < headers; at += 3) {
		char kept = f->image[at];

		f->image[at] = (char)values[at % sizeof(values)];
		write_file(f, f->image, f->size);
		exercise(f->path);
		f->image[at] = kept;
	}
}

static void section_headers_that_promise_too_much_are_refused(void **state)
{
	const struct fixture *f = *state;
	Elf64_Ehdr *header = (Elf64_Ehdr *)f->image;
	Elf64_Ehdr kept = *header;
	struct elf_file *file;
	struct elf_syms syms;

	header->e_shoff = f->size - sizeof(Elf64_Shdr);
	header->e_shnum = 0xfe00;
	write_file(f, f->image, f->size);
	assert_int_equal(elf_file__open(f->path, &file), 0);
	assert_int_equal(elf_syms__init(&syms, file, ELF_TABLE_DYNSYM), -ENOEXEC);
	elf_file__close(file);
	*header = kept;
	header->e_shnum = 0; /* "as many as the first section's sh_size says" */
	((Elf64_Shdr *)(f->image + kept.e_shoff))->sh_size = 1ull << 40;
	write_file(f, f->image, f->size);
	assert_int_equal(elf_file__open(f->path, &file), 0);
	assert_int_equal(elf_syms__init(&syms, file, ELF_TABLE_DYNSYM), -ENOEXEC);
	elf_file__close(file);
}

/* Found by fuzzing: it was read again, and kept again, at every question. */
static void a_broken_relocation_table_is_read_once(void **state)
{
	const struct fixture *f = *state;
	const Elf64_Ehdr *header = (const Elf64_Ehdr *)f->image;
	const Elf64_Phdr *segments = (const Elf64_Phdr *)(f->image + header->e_phoff);
	struct elf_file *file;
	struct elf_symbol sym;

	for (int i = 0; i < header->e_phnum; i++) {
		Elf64_Dyn *entry = (Elf64_Dyn *)(f->image + segments[i].p_offset);

		for (; segments[i].p_type == PT_DYNAMIC && entry->d_tag != DT_NULL; entry++)
			if (entry->d_tag == DT_RELASZ)
				entry->d_un.d_val = f->size;
	}
	write_file(f, f->image, f->size);
	assert_int_equal(elf_file__open(f->path, &file), 0);
	alarm(20);
	for (int i = 0; i < 1000000; i++)
		assert_int_equal(elf_file__slot(file, 0x4000, &sym), -ENOENT);
	alarm(0);
	elf_file__close(file);
}

static void a_program_that_is_not_the_runtime_is_told_apart(void **state)
{
	struct library *lib;

	(void)state;
	assert_int_equal(library__kind(self), LIBRARY_OTHER);
	assert_int_equal(library__open(self, self, &lib), -ENODATA);
	assert_int_equal(library__kind("/nonexistent"), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(its_own_symbols_and_bytes_are_read),
		cmocka_unit_test(a_program_defines_inside_what_it_does_not_export),
		cmocka_unit_test_setup_teardown(bytes_at_an_offset_are_those_at_the_address,
						make_fixture, drop_fixture),
		cmocka_unit_test(addresses_outside_of_segments_are_refused),
		cmocka_unit_test(a_dynamic_symbol_is_found_by_its_hash_and_an_import_is_not),
		cmocka_unit_test_setup_teardown(what_is_no_elf_file_is_refused, make_fixture,
						drop_fixture),
		cmocka_unit_test_setup_teardown(a_fifo_does_not_hold_us_up, make_fixture,
						drop_fixture),
		cmocka_unit_test_setup_teardown(another_machine_or_word_size_is_refused,
						make_fixture, drop_fixture),
		cmocka_unit_test_setup_teardown(a_file_cut_short_anywhere_does_no_harm,
						make_fixture, drop_fixture),
		cmocka_unit_test_setup_teardown(any_byte_of_the_headers_may_be_wrong, make_fixture,
						drop_fixture),
		cmocka_unit_test_setup_teardown(section_headers_that_promise_too_much_are_refused,
						make_fixture, drop_fixture),
		cmocka_unit_test_setup_teardown(a_broken_relocation_table_is_read_once,
						make_fixture, drop_fixture),
		cmocka_unit_test(a_program_that_is_not_the_runtime_is_told_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
