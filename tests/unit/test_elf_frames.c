// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * What is read of a file to unwind and to name frames: of this very program, and of files that are
 * broken in ways that only somebody who means harm would think of.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "assembly.h"
#include "stack/frame_rule.h"
#include "target/elf.h"
#include "target/elf_functions.h"

enum {
	MUTANTS = 300,
	CHANGES = 16,
	PROBED = 64, /* addresses that are asked for in each */
};

/* libelf 0.192 loses the buffer of a chunk that could not be read whole: elf_getdata_rawchunk(). */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libelf.so\n";
}

static char *whole; /* this program's file */
static size_t size;

static int set_up(void **state)
{
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	struct stat st;

	(void)state;
	if (fd < 0 || fstat(fd, &st))
		return -1;
	size = (size_t)st.st_size;
	whole = malloc(size);
	if (!whole || read(fd, whole, size) != (ssize_t)size)
		return -1;
	close(fd);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	free(whole);
	return 0;
}

__attribute__((noinline)) static __u64 next_random(__u64 *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

static void ask_for_names(struct elf_file *file, __u64 *seed)
{
	struct elf_functions *functions;
	__u64 offset;
	char *name;

	if (elf_functions__new(file, NULL, &functions))
		return;
	for (int i = 0; i < PROBED; i++)
		if (!elf_functions__find(functions, next_random(seed) % (2 * size), &name, &offset))
			free(name);
	elf_functions__free(functions);
}

static void ask_for_rules(struct elf_file *file, __u64 *seed)
{
	struct frame_rule rule;
	Dwarf_CFI *cfi;

	if (elf_file__frames(file, &cfi))
		return;
	for (int i = 0; i < PROBED; i++)
		if (!frame_rule__of(cfi, next_random(seed) % (2 * size), &rule))
			frame_rule__done(&rule);
	dwarf_cfi_end(cfi);
}

static void ask_for_ranges(const struct elf_file *file, __u64 *seed)
{
	__u64 start, end, vaddr;

	for (int i = 0; i < PROBED; i++) {
		vaddr = next_random(seed) % (2 * size);
		if (elf_file__frame_range(file, vaddr, &start, &end))
			continue;
		assert_true(start <= vaddr && vaddr < end);
	}
}

/* Whatever it says, we come back. */
static void ask(const char *path, __u64 *seed)
{
	struct elf_file *file;
	__u64 vaddr;

	if (elf_file__open(path, &file))
		return;
	ask_for_names(file, seed);
	ask_for_rules(file, seed);
	ask_for_ranges(file, seed);
	elf_file__find(file, "main", &vaddr);
	elf_file__close(file);
}

static void with_file(const char *bytes, size_t length, __u64 *seed)
{
	char path[] = "/tmp/tttrace-test-XXXXXX";
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, length), length);
	close(fd);
	ask(path, seed);
	unlink(path);
}

static void functions_of_this_program_are_found_by_their_addresses(void **state)
{
	struct elf_functions *functions;
	struct elf_file *file;
	struct elf_symbol symbol;
	struct elf_syms syms;
	__u64 offset;
	char *name;
	int found = 0;

	(void)state;
	assert_int_equal(elf_file__open("/proc/self/exe", &file), 0);
	assert_int_equal(elf_functions__new(file, NULL, &functions), 0);
	assert_int_equal(elf_syms__init(&syms, file, ELF_TABLE_SYMTAB), 0);
	while (elf_syms__next(&syms, &symbol)) {
		if (!symbol.is_func || strcmp(symbol.name, "main"))
			continue;
		found++;
		assert_int_equal(elf_functions__find(functions, symbol.vaddr + 3, &name, &offset),
				 0);
		assert_string_equal(name, "main");
		assert_int_equal(offset, 3);
		free(name);
		/* its size is respected */
		if (!elf_functions__find(functions, symbol.vaddr + symbol.size, &name, &offset)) {
			assert_string_not_equal(name, "main");
			free(name);
		}
	}
	assert_int_equal(found, 1);
	assert_int_equal(elf_functions__find(functions, 0, &name, &offset), -ENOENT);
	assert_int_equal(elf_functions__find(functions, ~0ull, &name, &offset), -ENOENT);
	elf_functions__free(functions);
	elf_file__close(file);
}

/* What glibc does with what it calls itself; the alias has a size of 1. */
LOCAL_FUNCTION("__tt_GI_called", "nop\nnop\nret");
ALIAS("tt_called", "__tt_GI_called");
LOCAL_FUNCTION("__tt_inner", "ret");
__asm__(".type tt_inner, @function\n.set tt_inner, __tt_inner\n.size tt_inner, 1");

static __u64 vaddr_of(struct elf_file *file, const char *name)
{
	struct elf_symbol symbol;
	struct elf_syms syms;

	assert_int_equal(elf_syms__init(&syms, file, ELF_TABLE_SYMTAB), 0);
	while (elf_syms__next(&syms, &symbol))
		if (!strcmp(symbol.name, name))
			return symbol.vaddr;
	fail();
	return 0;
}

static void assert_named(struct elf_file *file, __u64 vaddr, const char *wanted)
{
	struct elf_functions *functions;
	__u64 offset;
	char *name;

	assert_int_equal(elf_functions__new(file, NULL, &functions), 0);
	assert_int_equal(elf_functions__find(functions, vaddr, &name, &offset), 0);
	assert_string_equal(name, wanted);
	free(name);
	elf_functions__free(functions);
}

static void of_several_names_the_one_that_others_know_is_shown(void **state)
{
	struct elf_file *file;

	(void)state;
	assert_int_equal(elf_file__open("/proc/self/exe", &file), 0);
	assert_named(file, vaddr_of(file, "__tt_GI_called"), "tt_called");
	assert_named(file, vaddr_of(file, "__tt_inner"), "tt_inner");
	/* as far as it goes */
	assert_named(file, vaddr_of(file, "__tt_GI_called") + 2, "__tt_GI_called");
	elf_file__close(file);
}

/* gcc writes an entry for each function, from its begin to its end. */
static void an_entry_of_the_frames_is_as_long_as_its_function(void **state)
{
	struct elf_file *file;
	struct elf_symbol symbol;
	struct elf_syms syms;
	__u64 start, end;

	(void)state;
	assert_int_equal(elf_file__open("/proc/self/exe", &file), 0);
	assert_int_equal(elf_syms__init(&syms, file, ELF_TABLE_SYMTAB), 0);
	while (elf_syms__next(&syms, &symbol) && strcmp(symbol.name, "next_random"))
		;
	assert_string_equal(symbol.name, "next_random");
	for (__u64 i = 0; i < symbol.size; i++) {
		assert_int_equal(elf_file__frame_range(file, symbol.vaddr + i, &start, &end), 0);
		assert_int_equal(start, symbol.vaddr);
		assert_int_equal(end, symbol.vaddr + symbol.size);
	}
	assert_int_equal(elf_file__frame_range(file, 0, &start, &end), -ENOENT);
	assert_int_equal(elf_file__frame_range(file, ~0ull, &start, &end), -ENOENT);
	elf_file__close(file);
}

static void files_that_are_cut_short_are_no_danger(void **state)
{
	__u64 seed = 1;

	(void)state;
	for (size_t length = 0; length < size; length += size / 60 + 1)
		with_file(whole, length, &seed);
}

static void files_with_changed_bytes_are_no_danger(void **state)
{
	__u64 seed = 88172645463325252ull;
	char *changed = malloc(size);

	(void)state;
	assert_non_null(changed);
	for (int i = 0; i < MUTANTS; i++) {
		memcpy(changed, whole, size);
		for (int j = 0; j < CHANGES; j++) {
			/* every other one in the headers, at the begin and at the end */
			size_t where = next_random(&seed) % (j % 2 ? size : 4096);

			changed[j % 4 == 2 ? size - 1 - where : where] = (char)next_random(&seed);
		}
		memcpy(changed, whole, 24); /* else it is no ELF file at all */
		with_file(changed, size, &seed);
	}
	free(changed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(functions_of_this_program_are_found_by_their_addresses),
		cmocka_unit_test(of_several_names_the_one_that_others_know_is_shown),
		cmocka_unit_test(an_entry_of_the_frames_is_as_long_as_its_function),
		cmocka_unit_test(files_that_are_cut_short_are_no_danger),
		cmocka_unit_test(files_with_changed_bytes_are_no_danger),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
