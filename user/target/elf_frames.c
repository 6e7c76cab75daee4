// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "target/elf_file.h"

#include <errno.h>
#include <stddef.h>
#include <elfutils/libdw.h>

int elf_file__frames(struct elf_file *file, struct Dwarf_CFI_s **ret_cfi)
{
	int err = elf_file__open_sections(file);

	if (err)
		return err;
	*ret_cfi = dwarf_getcfi_elf(file->elf);
	return *ret_cfi ? 0 : -ENOENT;
}

/*
 * .eh_frame_hdr (LSB 5.0, 10.6.2): a head and a table by which the entry for an address is found.
 * Its addresses are relative to its own begin.
 */
struct frame_header {
	__u8 version, pointer_encoding, count_encoding, table_encoding;
	__s32 eh_frame;
	__u32 count;
};

struct frame_row {
	__s32 start;
	__s32 entry;
};

/* Begins of an entry of .eh_frame; without what a 64-bit length would put before it. */
struct frame_entry {
	__u32 size;
	__u32 common;
	__s32 start; /* from here */
	__u32 length;
};

enum {
	HEADER_VERSION = 1,
	COUNT_ENCODING = 0x03, /* DW_EH_PE_udata4 */
	TABLE_ENCODING = 0x3b, /* DW_EH_PE_datarel | DW_EH_PE_sdata4 */
};

static int read_header(const struct elf_file *file, struct frame_header *ret_header,
		       __u64 *ret_vaddr)
{
	int err = -ENOENT;

	for (int i = 0; i < file->header.e_phnum; i++) {
		if (file->segments[i].p_type != PT_GNU_EH_FRAME)
			continue;
		*ret_vaddr = file->segments[i].p_vaddr;
		err = elf_file__read(file, *ret_vaddr, ret_header, sizeof(*ret_header));
		break;
	}
	if (!err && (ret_header->version != HEADER_VERSION ||
		     ret_header->count_encoding != COUNT_ENCODING ||
		     ret_header->table_encoding != TABLE_ENCODING))
		err = -ENOENT;
	return err;
}

/* The last row that begins at @vaddr or before it; @header: where the table's is. */
static int find_row(const struct elf_file *file, __u64 header, __u32 count, __u64 vaddr,
		    struct frame_row *ret_row)
{
	__u64 table = header + sizeof(struct frame_header);
	__u32 low = 0, high = count, middle;
	struct frame_row row;
	int err;

	while (low < high) {
		middle = low + (high - low) / 2;
		err = elf_file__read(file, table + middle * sizeof(row), &row, sizeof(row));
		if (err)
			return err;
		if (header + (__u64)(__s64)row.start > vaddr) {
			high = middle;
			continue;
		}
		*ret_row = row;
		low = middle + 1;
	}
	return low ? 0 : -ENOENT;
}

int elf_file__frame_range(const struct elf_file *file, __u64 vaddr, __u64 *ret_start,
			  __u64 *ret_end)
{
	struct frame_header header;
	struct frame_entry entry;
	struct frame_row row;
	__u64 base, at, start;
	int err = read_header(file, &header, &base);

	if (!err)
		err = find_row(file, base, header.count, vaddr, &row);
	if (err)
		return err;
	at = base + (__u64)(__s64)row.entry;
	start = base + (__u64)(__s64)row.start;
	err = elf_file__read(file, at, &entry, sizeof(entry));
	if (err)
		return err;
	/* another encoding than DW_EH_PE_pcrel | DW_EH_PE_sdata4 gives another address */
	if (at + offsetof(struct frame_entry, start) + (__u64)(__s64)entry.start != start)
		return -ENOENT;
	if (vaddr - start >= entry.length)
		return -ENOENT;
	*ret_start = start;
	*ret_end = start + entry.length;
	return 0;
}
