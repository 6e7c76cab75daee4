// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "target/elf_file.h"

#include <errno.h>
#include <elfutils/libdw.h>

int elf_file__frames(struct elf_file *file, struct Dwarf_CFI_s **ret_cfi)
{
	int err = elf_file__open_sections(file);

	if (err)
		return err;
	*ret_cfi = dwarf_getcfi_elf(file->elf);
	return *ret_cfi ? 0 : -ENOENT;
}
