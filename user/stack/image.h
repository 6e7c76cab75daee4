/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The files that hold code, each opened once however many processes map it, and held open: what was
 * mapped can be explained after it was replaced or deleted, and after the end of the process.
 * Addresses are those of the file itself.
 */
#ifndef TTTRACE_IMAGE_H
#define TTTRACE_IMAGE_H

#include "stack/frame_rule.h"
#include "target/proc.h"

struct image;
struct images;

/* Returns 0 or -ENOMEM. */
int images__new(struct images **ret_images);
void images__free(struct images *images);

/*
 * The file that @mapping maps; it lives as long as @images. Returns 0; -ENOEXEC: no ELF file of
 * this machine; -ESRCH: the process has ended; -ENOMEM; -errno.
 */
int images__open(struct images *images, const struct proc_mapping *mapping,
		 struct image **ret_image);

/*
 * Reads what image__rule() needs, and of all but the largest files what image__function() needs:
 * some milliseconds for each.
 */
void image__prepare(struct image *image);

/* As the first process that mapped it saw it. */
const char *image__name(const struct image *image);

/* As elf_file__bias(). */
int image__bias(const struct image *image, const struct proc_mapping *mapping, __u64 *ret_bias);

/* NULL: the file does not say how to step out of a frame at @vaddr. Valid until the next call. */
const struct frame_rule *image__rule(struct image *image, __u64 vaddr);

/* As elf_file__find() and elf_file__read_const(). */
int image__symbol(struct image *image, const char *name, __u64 *ret_vaddr);
int image__read(const struct image *image, __u64 vaddr, void *buf, size_t size);

/* As elf_file__read(): what memory that is written to had at first. */
int image__initial(const struct image *image, __u64 vaddr, void *buf, size_t size);

/* As elf_file__frame_range(). */
int image__frame_range(const struct image *image, __u64 vaddr, __u64 *ret_start, __u64 *ret_end);

/* As elf_functions__find(); of a stripped file by its debug file, if there is one. */
int image__function(struct image *image, __u64 vaddr, char **ret_name, __u64 *ret_offset);

#endif
