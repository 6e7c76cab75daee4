// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* A name among the symbols that nobody exports: in files that are made for it, byte by byte. */
#include "elf_image.h"

#include <errno.h>
#include <fcntl.h>

#include "lib/cleanup.h"
#include "target/elf.h"
#include "target/library.h"

static const char hallmark[] = "_ZN2tt8tt_metal12GraphTracker14track_allocateEPKNS0_6BufferE";

enum {
	NAME_AT = 1000,
	NUM_SYMBOLS = 5000,
	STRINGS_SIZE = 100 * 1000,
};

/* A program of which there are only the symbols; its last one has the name. */
struct image {
	Elf64_Ehdr header;
	Elf64_Phdr segments[2];
	Elf64_Shdr sections[3];
	Elf64_Dyn dynamic[2];
	Elf64_Sym symbols[NUM_SYMBOLS];
	char strings[STRINGS_SIZE];
};

struct fixture {
	struct elf_image_file file;
	struct image image;
	Elf64_Sym *symbol;
};

static void fill_headers(struct image *image)
{
	image->header = elf_image_header(offsetof(struct image, segments), 2,
					 offsetof(struct image, sections), 3);
	image->segments[0] = (Elf64_Phdr){ .p_type = PT_INTERP };
	image->segments[1] = (Elf64_Phdr){ .p_type = PT_DYNAMIC,
					   .p_offset = offsetof(struct image, dynamic),
					   .p_filesz = sizeof(image->dynamic) };
	image->sections[1] = (Elf64_Shdr){ .sh_type = SHT_SYMTAB,
					   .sh_link = 2,
					   .sh_offset = offsetof(struct image, symbols),
					   .sh_size = sizeof(image->symbols),
					   .sh_entsize = sizeof(Elf64_Sym) };
	image->sections[2] = (Elf64_Shdr){ .sh_type = SHT_STRTAB,
					   .sh_offset = offsetof(struct image, strings),
					   .sh_size = sizeof(image->strings) };
}

static int make_fixture(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->file = elf_image_file();
	fill_headers(&f->image);
	f->symbol = &f->image.symbols[NUM_SYMBOLS - 1];
	*f->symbol = (Elf64_Sym){ .st_name = NAME_AT,
				  .st_info = ELF64_ST_INFO(STB_LOCAL, STT_FUNC),
				  .st_shndx = 1 };
	strcpy(f->image.strings + NAME_AT, hallmark);
	*state = f;
	return 0;
}

static int drop_fixture(void **state)
{
	struct fixture *f = *state;

	elf_image_file_remove(&f->file);
	free(f);
	return 0;
}

static bool is_runtime(const struct fixture *f)
{
	elf_image_file_write(&f->file, &f->image, sizeof(f->image));
	return library__kind(f->file.path) == LIBRARY_RUNTIME;
}

static void a_name_is_found_wherever_it_stands(void **state)
{
	struct fixture *f = *state;
	char *strings = f->image.strings;

	memset(strings, 'x', sizeof(f->image.strings));
	for (size_t at = 1; at <= STRINGS_SIZE - sizeof(hallmark); at += sizeof(hallmark) / 2) {
		memcpy(strings + at, hallmark, sizeof(hallmark));
		f->symbol->st_name = (Elf64_Word)at;
		assert_true(is_runtime(f));
		memset(strings + at, 'x', sizeof(hallmark));
	}
	memcpy(strings + STRINGS_SIZE - sizeof(hallmark), hallmark, sizeof(hallmark));
	f->symbol->st_name = STRINGS_SIZE - sizeof(hallmark);
	assert_true(is_runtime(f));
}

static void the_symbol_is_found_wherever_it_stands(void **state)
{
	struct fixture *f = *state;
	Elf64_Sym symbol = *f->symbol;

	memset(f->symbol, 0, sizeof(*f->symbol));
	assert_false(is_runtime(f));
	for (size_t i = 1; i < NUM_SYMBOLS; i += 333) {
		f->image.symbols[i] = symbol;
		assert_true(is_runtime(f));
		memset(&f->image.symbols[i], 0, sizeof(symbol));
	}
}

static void any_binding_will_do_and_an_import_will_not(void **state)
{
	struct fixture *f = *state;

	f->symbol->st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC);
	assert_true(is_runtime(f));
	f->symbol->st_info = ELF64_ST_INFO(STB_GLOBAL, STT_NOTYPE);
	assert_false(is_runtime(f));
	f->symbol->st_info = ELF64_ST_INFO(STB_WEAK, STT_FUNC);
	assert_true(is_runtime(f));
	f->symbol->st_shndx = SHN_UNDEF;
	assert_false(is_runtime(f));
}

static void a_longer_or_a_shorter_name_is_another_one(void **state)
{
	struct fixture *f = *state;
	char *name = f->image.strings + NAME_AT;

	f->symbol->st_name++;
	assert_false(is_runtime(f));
	f->symbol->st_name--;
	name[sizeof(hallmark) - 1] = 'x';
	assert_false(is_runtime(f));
	name[sizeof(hallmark) - 1] = '\0';
	name[0] = 'x';
	assert_false(is_runtime(f));
}

/* What the linker does when a string ends with another one. */
static void a_name_may_be_the_end_of_another_one(void **state)
{
	struct fixture *f = *state;

	memcpy(f->image.strings + NAME_AT - 4, "_ZTH", 4);
	assert_true(is_runtime(f));
}

static void only_programs_are_searched(void **state)
{
	struct fixture *f = *state;

	f->image.segments[0].p_type = PT_NULL;
	assert_false(is_runtime(f));
	f->image.dynamic[0] = (Elf64_Dyn){ .d_tag = DT_FLAGS_1, .d_un.d_val = DF_1_PIE };
	assert_true(is_runtime(f));
	f->image.dynamic[0].d_un.d_val = DF_1_NOW;
	assert_false(is_runtime(f));
	f->image.header.e_type = ET_EXEC;
	assert_true(is_runtime(f));
}

static void tables_that_lie_nowhere_have_no_names(void **state)
{
	struct fixture *f = *state;
	Elf64_Shdr *symbols = &f->image.sections[1], *strings = &f->image.sections[2];
	static const __u64 wrong[] = { 1ull << 40, ~0ull, ~0ull - NAME_AT };

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		fill_headers(&f->image);
		symbols->sh_offset = wrong[i];
		assert_false(is_runtime(f));
		fill_headers(&f->image);
		strings->sh_offset = wrong[i];
		assert_false(is_runtime(f));
		fill_headers(&f->image);
		symbols->sh_link = (Elf64_Word)wrong[i];
		assert_false(is_runtime(f));
		fill_headers(&f->image);
		f->image.header.e_shoff = wrong[i];
		assert_false(is_runtime(f));
	}
}

/* All holes; as large as a file can be, or as memory might be. */
static void a_table_that_promises_too_much_is_not_read(void **state)
{
	static const __u64 sizes[] = { 1ull << 42, 1ull << 30 };
	struct fixture *f = *state;
	struct elf_file *file;
	struct elf_syms syms;

	if (ftruncate(f->file.fd, (off_t)(2 * sizes[0])))
		skip();
	alarm(20);
	for (int i = 0; i < 4; i++) {
		fill_headers(&f->image);
		f->image.sections[1 + i / 2].sh_size =
			sizes[i % 2] / sizeof(Elf64_Sym) * sizeof(Elf64_Sym);
		assert_false(is_runtime(f));
		assert_int_equal(elf_file__open(f->file.path, &file), 0);
		assert_int_equal(elf_syms__init(&syms, file, ELF_TABLE_SYMTAB), -ENOEXEC);
		elf_file__close(file);
	}
	alarm(0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, make_fixture, drop_fixture)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_name_is_found_wherever_it_stands),
		TEST(the_symbol_is_found_wherever_it_stands),
		TEST(any_binding_will_do_and_an_import_will_not),
		TEST(a_longer_or_a_shorter_name_is_another_one),
		TEST(a_name_may_be_the_end_of_another_one),
		TEST(only_programs_are_searched),
		TEST(tables_that_lie_nowhere_have_no_names),
		TEST(a_table_that_promises_too_much_is_not_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
