/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* For files of ELF that tests make by hand: the header, and a file that goes when it is over. */
#ifndef TTTRACE_TEST_ELF_IMAGE_H
#define TTTRACE_TEST_ELF_IMAGE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <elf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct elf_image_file {
	char path[32];
	int fd;
};

static inline struct elf_image_file elf_image_file(void)
{
	struct elf_image_file file = { .path = "/tmp/test_elf.XXXXXX" };

	file.fd = mkstemp(file.path);
	assert_true(file.fd >= 0);
	return file;
}

static inline void elf_image_file_write(const struct elf_image_file *file, const void *image,
					size_t size)
{
	assert_int_equal(pwrite(file->fd, image, size, 0), size);
}

static inline void elf_image_file_remove(const struct elf_image_file *file)
{
	close(file->fd);
	unlink(file->path);
}

/* A library with tables at these offsets. */
static inline Elf64_Ehdr elf_image_header(size_t segments_at, Elf64_Half num_segments,
					  size_t sections_at, Elf64_Half num_sections)
{
	return (Elf64_Ehdr){
		.e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB,
			     EV_CURRENT },
		.e_type = ET_DYN,
		.e_machine = EM_X86_64,
		.e_version = EV_CURRENT,
		.e_phoff = segments_at,
		.e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = num_segments,
		.e_shoff = sections_at,
		.e_shentsize = sizeof(Elf64_Shdr),
		.e_shnum = num_sections,
	};
}

#endif
