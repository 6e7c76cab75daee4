// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "target/elf_debug.h"

#include <elfutils/libdwelf.h>
#include <errno.h>
#include <gelf.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "lib/cleanup.h"
#include "target/elf_file.h"
#include "target/proc.h"

enum {
	BUILD_ID_MAX = 64, /* bytes; those of linkers have 8 to 32 */
	/*
	 * Bytes of a section that libdwelf reads as a whole. Real ones have some hundred; the table
	 * of the names of sections in a file of a compiler that gives each function its own, more.
	 */
	SECTION_MAX = 1 << 20,
	/* Bytes of a file whose CRC is calculated: that many take about a second. */
	LINKED_MAX = 1 << 30,
	CHUNK_SIZE = 64 << 10,
};

/* What the debug file is told by. */
struct wanted {
	char build_id[2 * BUILD_ID_MAX + 1]; /* hex; empty: it has none */
	char link[NAME_MAX + 1];	     /* empty: there is none */
	__u32 crc;			     /* of the file of that name */
	const char *directory;		     /* of the stripped file … */
	int directory_len;		     /* … without the slash at its end */
};

enum place {
	PLACE_BUILD_ID,
	PLACE_BESIDE, /* this and the following: by its name */
	PLACE_BELOW,
	PLACE_GLOBAL,
	NUM_PLACES,
};

/* --- what the stripped file says ------------------------------------------------------------- */

static bool is_small(const GElf_Shdr *section)
{
	return section->sh_size <= SECTION_MAX && !(section->sh_flags & SHF_COMPRESSED);
}

/*
 * Libdwelf looks for .gnu_debuglink by its name, and reads it whatever its size: both are looked at
 * before. A file that promises gigabytes is easily made.
 */
static bool link_fits(Elf *elf)
{
	Elf_Scn *scn = NULL;
	GElf_Shdr section;
	size_t names;
	const char *name;

	if (elf_getshdrstrndx(elf, &names) || !gelf_getshdr(elf_getscn(elf, names), &section) ||
	    !is_small(&section))
		return false;
	while ((scn = elf_nextscn(elf, scn))) {
		if (!gelf_getshdr(scn, &section) ||
		    !(name = elf_strptr(elf, names, section.sh_name)))
			return false;
		if (!strcmp(name, ".gnu_debuglink"))
			return is_small(&section);
	}
	return false;
}

static void read_link(struct elf_file *file, struct wanted *wanted)
{
	const char *name;
	GElf_Word crc;

	if (elf_file__open_sections(file) || !link_fits(file->elf))
		return;
	name = dwelf_elf_gnu_debuglink(file->elf, &crc);
	/* it is a name, and no way out of the directory */
	if (!name || strchr(name, '/') || strlen(name) > NAME_MAX)
		return;
	snprintf(wanted->link, sizeof(wanted->link), "%s", name);
	wanted->crc = crc;
}

static bool read_wanted(struct elf_file *file, const char *name, struct wanted *wanted)
{
	const char *slash = strrchr(name, '/');

	elf_file__build_id(file, wanted->build_id, sizeof(wanted->build_id));
	if (slash) {
		wanted->directory = name;
		wanted->directory_len = (int)(slash - name);
		read_link(file, wanted);
	}
	return wanted->build_id[0] || wanted->link[0];
}

/* --- what a candidate says ------------------------------------------------------------------- */

static bool notes_fit(Elf *elf)
{
	Elf_Scn *scn = NULL;
	GElf_Shdr section;

	while ((scn = elf_nextscn(elf, scn)))
		if (!gelf_getshdr(scn, &section) ||
		    (section.sh_type == SHT_NOTE && !is_small(&section)))
			return false;
	return true;
}

/*
 * By its sections: in a debug file the segments, by which elf_file__build_id() goes, do not say
 * where in the file something lies.
 */
static bool has_build_id(struct elf_file *debug, const char *hex)
{
	const void *id;
	ssize_t size;
	char byte[3];

	if (elf_file__open_sections(debug) || !notes_fit(debug->elf))
		return false;
	size = dwelf_elf_gnu_build_id(debug->elf, &id);
	if (size <= 0 || strlen(hex) != 2 * (size_t)size)
		return false;
	for (ssize_t i = 0; i < size; i++) {
		snprintf(byte, sizeof(byte), "%02x", ((const __u8 *)id)[i]);
		if (strncmp(byte, hex + 2 * i, 2))
			return false;
	}
	return true;
}

static bool has_crc(const struct elf_file *debug, __u32 crc)
{
	_cleanup_free_ Bytef *chunk = malloc(CHUNK_SIZE);
	uLong sum = crc32(0, NULL, 0);
	__u64 left = debug->size;
	size_t n;

	if (!chunk || debug->size > LINKED_MAX)
		return false;
	for (; left; left -= n) {
		n = left < CHUNK_SIZE ? left : CHUNK_SIZE;
		if (elf_file__read_at(debug, debug->size - left, chunk, n))
			return false;
		sum = crc32(sum, chunk, (uInt)n);
	}
	return sum == crc;
}

static bool belongs(struct elf_file *debug, const struct wanted *wanted, enum place place)
{
	if (!elf_file__has_symtab(debug))
		return false;
	if (wanted->build_id[0] && !has_build_id(debug, wanted->build_id))
		return false;
	return place == PLACE_BUILD_ID || has_crc(debug, wanted->crc);
}

/* --- places ---------------------------------------------------------------------------------- */

/* -ENOENT: it cannot be there. */
static int make_path(const struct wanted *wanted, enum place place, char path[PATH_MAX])
{
	static const char *const formats[NUM_PLACES] = {
		[PLACE_BESIDE] = "%.*s/%s",
		[PLACE_BELOW] = "%.*s/.debug/%s",
		[PLACE_GLOBAL] = "/usr/lib/debug%.*s/%s",
	};
	int len;

	if (place == PLACE_BUILD_ID ? strlen(wanted->build_id) <= 2 : !wanted->link[0])
		return -ENOENT;
	if (place == PLACE_BUILD_ID)
		len = snprintf(path, PATH_MAX, "/usr/lib/debug/.build-id/%.2s/%s.debug",
			       wanted->build_id, wanted->build_id + 2);
	else
		len = snprintf(path, PATH_MAX, formats[place], wanted->directory_len,
			       wanted->directory, wanted->link);
	return len < PATH_MAX ? 0 : -ENOENT;
}

static int try_place(int root_fd, const struct wanted *wanted, enum place place,
		     struct elf_file **ret_debug)
{
	_cleanup_close_ int fd = -1;
	struct elf_file *debug;
	char path[PATH_MAX];
	int err;

	err = make_path(wanted, place, path);
	if (!err)
		err = proc__open_regular(root_fd, path, &fd);
	if (!err)
		err = elf_file__open_fd(fd, &debug);
	if (err)
		return err;
	if (!belongs(debug, wanted, place)) {
		elf_file__close(debug);
		return -ENOENT;
	}
	*ret_debug = debug;
	return 0;
}

int elf_debug__open_below(struct elf_file *file, int root_fd, const char *name,
			  struct elf_file **ret_debug)
{
	struct wanted wanted = {};
	int err = -ENOENT;

	if (elf_file__has_symtab(file) || !read_wanted(file, name, &wanted))
		return -ENOENT;
	for (enum place place = 0; err && place < NUM_PLACES; place++)
		err = try_place(root_fd, &wanted, place, ret_debug);
	return err ? -ENOENT : 0;
}

int elf_debug__open(struct elf_file *file, pid_t pid, const char *name, struct elf_file **ret_debug)
{
	_cleanup_close_ int theirs = -1, ours = -1;

	if (!proc__open_root(pid, &theirs) && !elf_debug__open_below(file, theirs, name, ret_debug))
		return 0;
	if (!proc__open_root(0, &ours) && !elf_debug__open_below(file, ours, name, ret_debug))
		return 0;
	return -ENOENT;
}
