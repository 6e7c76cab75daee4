// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "stack/image.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cleanup.h"
#include "lib/table.h"
#include "target/elf.h"
#include "target/elf_debug.h"
#include "target/elf_functions.h"
#include "target/file_key.h"

enum {
	PREPARED_MAX =
		128 << 20, /* bytes of a file whose symbols are read before they are needed */
};

/* One address, and what the file says of it. */
struct known_rule {
	__u64 vaddr;
	int err; /* 0: there is a rule */
	struct frame_rule rule;
	UT_hash_handle hh;
};

struct image {
	struct file_key key;
	char *name;		/* by which … */
	pid_t pid;		/* … this process knows it */
	struct elf_file *file;	/* NULL: it is none that we can read */
	struct elf_file *debug; /* NULL: there is none, or it was not looked for yet */
	Dwarf_CFI *cfi;		/* NULL: there is none, or it was not asked for yet */
	bool cfi_tried;
	struct elf_functions *functions;
	bool functions_tried;
	struct known_rule *rules;
	UT_hash_handle hh;
};

struct images {
	struct image *all;
};

int images__new(struct images **ret_images)
{
	*ret_images = calloc(1, sizeof(**ret_images));
	return *ret_images ? 0 : -ENOMEM;
}

static void free_image(struct image *image)
{
	struct known_rule *known, *next;

	HASH_ITER (hh, image->rules, known, next) {
		HASH_DEL(image->rules, known);
		if (!known->err)
			frame_rule__done(&known->rule);
		free(known);
	}
	elf_functions__free(image->functions);
	dwarf_cfi_end(image->cfi);
	elf_file__close(image->debug);
	elf_file__close(image->file);
	free(image->name);
	free(image);
}

void images__free(struct images *images)
{
	struct image *image, *next;

	if (!images)
		return;
	HASH_ITER (hh, images->all, image, next) {
		HASH_DEL(images->all, image);
		free_image(image);
	}
	free(images);
}

static int add_image(struct images *images, const struct file_key *key, int fd,
		     const struct proc_mapping *mapping, struct image **ret_image)
{
	struct image *image = calloc(1, sizeof(*image));

	if (!image)
		return -ENOMEM;
	image->key = *key;
	image->pid = mapping->pid;
	image->name = strdup(mapping->name);
	if (!image->name) {
		free(image);
		return -ENOMEM;
	}
	if (elf_file__open_fd(fd, &image->file))
		image->file = NULL;
	HASH_ADD(hh, images->all, key, sizeof(image->key), image);
	if (!table__has(image)) {
		free_image(image);
		return -ENOMEM;
	}
	*ret_image = image;
	return 0;
}

int images__open(struct images *images, const struct proc_mapping *mapping,
		 struct image **ret_image)
{
	_cleanup_close_ int fd = -1;
	struct file_key key;
	struct image *image;
	int err;

	err = proc__open_mapped(mapping, &fd);
	if (!err)
		err = file_key__read(fd, &key);
	if (err)
		return err;
	HASH_FIND(hh, images->all, &key, sizeof(key), image);
	if (!image)
		err = add_image(images, &key, fd, mapping, &image);
	if (err)
		return err;
	*ret_image = image;
	return image->file ? 0 : -ENOEXEC;
}

const char *image__name(const struct image *image)
{
	return image->name;
}

int image__bias(const struct image *image, const struct proc_mapping *mapping, __u64 *ret_bias)
{
	return elf_file__bias(image->file, mapping->start, mapping->offset, ret_bias);
}

static Dwarf_CFI *get_cfi(struct image *image)
{
	if (!image->cfi_tried && elf_file__frames(image->file, &image->cfi))
		image->cfi = NULL;
	image->cfi_tried = true;
	return image->cfi;
}

const struct frame_rule *image__rule(struct image *image, __u64 vaddr)
{
	struct known_rule *known;
	Dwarf_CFI *cfi;

	HASH_FIND(hh, image->rules, &vaddr, sizeof(vaddr), known);
	if (known)
		return known->err ? NULL : &known->rule;
	known = calloc(1, sizeof(*known));
	if (!known)
		return NULL;
	known->vaddr = vaddr;
	cfi = get_cfi(image);
	known->err = cfi ? frame_rule__of(cfi, vaddr, &known->rule) : -ENOENT;
	HASH_ADD(hh, image->rules, vaddr, sizeof(known->vaddr), known);
	if (known->err || table__has(known))
		return known->err ? NULL : &known->rule;
	frame_rule__done(&known->rule);
	free(known);
	return NULL;
}

static void read_functions(struct image *image)
{
	if (elf_debug__open(image->file, image->pid, image->name, &image->debug))
		image->debug = NULL;
	if (elf_functions__new(image->file, image->debug, &image->functions))
		image->functions = NULL;
}

static const struct elf_functions *get_functions(struct image *image)
{
	if (!image->functions_tried && image->file)
		read_functions(image);
	image->functions_tried = true;
	return image->functions;
}

int image__function(struct image *image, __u64 vaddr, char **ret_name, __u64 *ret_offset)
{
	const struct elf_functions *functions = get_functions(image);

	return functions ? elf_functions__find(functions, vaddr, ret_name, ret_offset) : -ENOENT;
}

void image__prepare(struct image *image)
{
	Dwarf_CFI *cfi = get_cfi(image);
	struct frame_rule rule;

	/* of an address that is nowhere libdw looks for in all there is, and keeps what it has seen
	 */
	if (cfi && !frame_rule__of(cfi, ~0ull, &rule))
		frame_rule__done(&rule);
	if (image->key.size <= PREPARED_MAX)
		get_functions(image);
}

int image__symbol(struct image *image, const char *name, __u64 *ret_vaddr)
{
	return image->file ? elf_file__find(image->file, name, ret_vaddr) : -ENOENT;
}

int image__read(const struct image *image, __u64 vaddr, void *buf, size_t size)
{
	return image->file ? elf_file__read_const(image->file, vaddr, buf, size) : -ENOENT;
}

int image__initial(const struct image *image, __u64 vaddr, void *buf, size_t size)
{
	return image->file ? elf_file__read(image->file, vaddr, buf, size) : -ENOENT;
}

int image__frame_range(const struct image *image, __u64 vaddr, __u64 *ret_start, __u64 *ret_end)
{
	return image->file ? elf_file__frame_range(image->file, vaddr, ret_start, ret_end)
			   : -ENOENT;
}
