// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* A text among the constants of a file: in files that are made for it, byte by byte. */
#include "elf_image.h"

#include <errno.h>
#include <stdio.h>

#include "target/elf.h"

static const char text[] = "N2tt8tt_metal9allocator11FreeListOptE";

enum {
	NAMES = 1, /* sections */
	CONSTANTS,
	EXCEPTIONS,
	NUM_SECTIONS,
	CHUNK = 64 << 10, /* what elf_constants.c reads at once */
	SIZE = 4 * CHUNK,
	VADDR = 0x10000000,
};

/* A library of which there are constants. */
struct image {
	Elf64_Ehdr header;
	Elf64_Phdr segment;
	Elf64_Shdr sections[NUM_SECTIONS];
	char names[64];
	char constants[SIZE];
};

struct fixture {
	struct elf_image_file file;
	struct image image;
};

static void fill_image(struct image *image)
{
	static const char names[] = "\0.shstrtab\0.rodata\0.gcc_except_table";

	image->header = elf_image_header(offsetof(struct image, segment), 1,
					 offsetof(struct image, sections), NUM_SECTIONS);
	image->header.e_shstrndx = NAMES;
	image->segment = (Elf64_Phdr){ .p_type = PT_LOAD,
				       .p_flags = PF_R,
				       .p_vaddr = VADDR,
				       .p_offset = offsetof(struct image, constants),
				       .p_filesz = SIZE,
				       .p_memsz = SIZE };
	image->sections[NAMES] = (Elf64_Shdr){ .sh_name = 1,
					       .sh_type = SHT_STRTAB,
					       .sh_offset = offsetof(struct image, names),
					       .sh_size = sizeof(image->names) };
	image->sections[CONSTANTS] = (Elf64_Shdr){ .sh_name = 11,
						   .sh_type = SHT_PROGBITS,
						   .sh_flags = SHF_ALLOC,
						   .sh_addr = VADDR,
						   .sh_offset = offsetof(struct image, constants),
						   .sh_size = SIZE };
	image->sections[EXCEPTIONS] = (Elf64_Shdr){ .sh_name = 19, .sh_type = SHT_PROGBITS };
	memcpy(image->names, names, sizeof(names));
	memset(image->constants, 'x', SIZE);
}

static int make_fixture(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->file = elf_image_file();
	fill_image(&f->image);
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

static int find_in(const struct fixture *f, __u64 from, __u64 *ret_vaddr)
{
	struct elf_file *file;
	int err;

	elf_image_file_write(&f->file, &f->image, sizeof(f->image));
	assert_int_equal(elf_file__open(f->file.path, &file), 0);
	err = elf_file__find_text(file, text, from, ret_vaddr);
	elf_file__close(file);
	return err;
}

static void it_is_found_wherever_it_stands(void **state)
{
	static const size_t places[] = { 0,	    1,
					 CHUNK - 1, CHUNK - sizeof(text),
					 CHUNK,	    SIZE - sizeof(text) };
	struct fixture *f = *state;
	__u64 vaddr;

	assert_int_equal(find_in(f, 0, &vaddr), -ENOENT);
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		memcpy(f->image.constants + places[i], text, sizeof(text));
		assert_int_equal(find_in(f, 0, &vaddr), 0);
		assert_int_equal(vaddr, VADDR + places[i]);
		memset(f->image.constants + places[i], 'x', sizeof(text));
	}
	/* with its end */
	memcpy(f->image.constants, text, sizeof(text) - 1);
	assert_int_equal(find_in(f, 0, &vaddr), -ENOENT);
}

static void the_next_one_is_found_behind_the_first(void **state)
{
	struct fixture *f = *state;
	__u64 vaddr;

	memcpy(f->image.constants + 1000, text, sizeof(text));
	memcpy(f->image.constants + CHUNK + 10, text, sizeof(text));
	assert_int_equal(find_in(f, VADDR + 1001, &vaddr), 0);
	assert_int_equal(vaddr, VADDR + CHUNK + 10);
	assert_int_equal(find_in(f, vaddr + 1, &vaddr), -ENOENT);
	assert_int_equal(find_in(f, VADDR + SIZE, &vaddr), -ENOENT);
}

static void a_file_in_c_is_not_read(void **state)
{
	struct fixture *f = *state;
	__u64 vaddr;

	memcpy(f->image.constants, text, sizeof(text));
	f->image.sections[EXCEPTIONS].sh_name = 0;
	assert_int_equal(find_in(f, 0, &vaddr), -ENOENT);
}

static void without_sections_it_is_found_in_what_nobody_writes_to(void **state)
{
	struct fixture *f = *state;
	__u64 vaddr;

	memcpy(f->image.constants + 5, text, sizeof(text));
	f->image.header.e_shnum = 0;
	assert_int_equal(find_in(f, 0, &vaddr), 0);
	assert_int_equal(vaddr, VADDR + 5);
	f->image.segment.p_flags |= PF_W;
	assert_int_equal(find_in(f, 0, &vaddr), -ENOENT);
}

/* A terabyte: what is not there takes no time. */
static void the_holes_of_a_file_are_passed_over(void **state)
{
	struct fixture *f = *state;
	__u64 vaddr, size = 1ull << 40;

	f->image.sections[CONSTANTS].sh_size = size;
	assert_int_equal(ftruncate(f->file.fd, (off_t)size + (1 << 20)), 0);
	assert_int_equal(find_in(f, 0, &vaddr), -ENOENT);
	assert_int_equal(pwrite(f->file.fd, text, sizeof(text), (off_t)size - CHUNK), sizeof(text));
	assert_int_equal(find_in(f, 0, &vaddr), 0);
	assert_int_equal(vaddr, VADDR + size - CHUNK - offsetof(struct image, constants));
}

static void what_lies_about_its_sections_does_no_harm(void **state)
{
	struct fixture *f = *state;
	__u64 vaddr;

	memcpy(f->image.constants, text, sizeof(text));
	f->image.sections[CONSTANTS].sh_size = UINT64_MAX;
	assert_int_equal(find_in(f, 0, &vaddr), -ENOENT);
	f->image.sections[CONSTANTS].sh_offset = UINT64_MAX;
	assert_int_equal(find_in(f, 0, &vaddr), -ENOENT);
	f->image.sections[CONSTANTS].sh_name = UINT32_MAX;
	assert_int_equal(find_in(f, 0, &vaddr), -ENOENT);
	/* then they are none, and the segments are searched */
	f->image.sections[NAMES].sh_size = UINT64_MAX;
	assert_int_equal(find_in(f, 0, &vaddr), 0);
	f->image.header.e_shstrndx = UINT16_MAX;
	assert_int_equal(find_in(f, 0, &vaddr), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(it_is_found_wherever_it_stands, make_fixture,
						drop_fixture),
		cmocka_unit_test_setup_teardown(the_next_one_is_found_behind_the_first,
						make_fixture, drop_fixture),
		cmocka_unit_test_setup_teardown(a_file_in_c_is_not_read, make_fixture,
						drop_fixture),
		cmocka_unit_test_setup_teardown(
			without_sections_it_is_found_in_what_nobody_writes_to, make_fixture,
			drop_fixture),
		cmocka_unit_test_setup_teardown(the_holes_of_a_file_are_passed_over, make_fixture,
						drop_fixture),
		cmocka_unit_test_setup_teardown(what_lies_about_its_sections_does_no_harm,
						make_fixture, drop_fixture),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
