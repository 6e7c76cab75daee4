// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* Which file an address belongs to, of a library that we map ourselves, and that goes away. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "stack/address_space.h"
#include "target/elf.h"

enum {
	SIZE = 4096, /* that is mapped of each file */
	NOBODY = 65534,
};

static char directory[] = "/tmp/tttrace-test-XXXXXX";
static char name[64];
static struct images *images;
static struct address_space *space;
static void *code;

/* A copy of this program: any file will do that is one of ELF. */
static void copy_program(const char *to)
{
	char command[256];

	snprintf(command, sizeof(command), "cp /proc/%d/exe %s && chmod 644 %s", getpid(), to, to);
	assert_int_equal(system(command), 0);
}

static __u64 code_offset(const char *path)
{
	struct elf_file *file;
	__u64 bias, offset;

	assert_int_equal(elf_file__open(path, &file), 0);
	for (offset = 0; elf_file__bias(file, 0, offset, &bias); offset += SIZE)
		;
	elf_file__close(file);
	return offset;
}

static void map_copy(void)
{
	int fd = open(name, O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	code = mmap(NULL, SIZE, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, (off_t)code_offset(name));
	assert_ptr_not_equal(code, MAP_FAILED);
	close(fd);
}

static int set_up(void **state)
{
	(void)state;
	if (!mkdtemp(directory) || chmod(directory, 0755))
		return -1;
	snprintf(name, sizeof(name), "%s/one", directory);
	copy_program(name);
	map_copy();
	return images__new(&images) || address_space__new(images, getpid(), &space);
}

static int tear_down(void **state)
{
	(void)state;
	address_space__free(space);
	images__free(images);
	munmap(code, SIZE);
	unlink(name);
	rmdir(directory);
	strcpy(directory + strlen(directory) - 6, "XXXXXX");
	return 0;
}

static struct image *find_code(void)
{
	struct image *image = NULL;
	__u64 vaddr;

	if (address_space__find(space, (uintptr_t)code, &image, &vaddr))
		return NULL;
	return image;
}

static void a_file_that_was_found_once_stays_known_when_it_cannot_be_opened_any_more(void **state)
{
	struct image *first = find_code();
	uid_t user = geteuid();

	(void)state;
	assert_non_null(first);
	assert_string_equal(image__name(first), name);
	unlink(name);
	/* as that of a process that ends: it still tells what it maps, and leads there no more */
	if (!user)
		assert_int_equal(seteuid(NOBODY), 0);
	address_space__forget(space);
	assert_ptr_equal(find_code(), first);
	if (!user)
		assert_int_equal(seteuid(0), 0);
}

int main(void)
{
#define a_test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		a_test(a_file_that_was_found_once_stays_known_when_it_cannot_be_opened_any_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
