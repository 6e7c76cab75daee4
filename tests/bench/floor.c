// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 *   floor nothing FILE OFFSET...      an empty program at these offsets in the file
 *   floor memleak FILE ALLOC FREE     what memleak does, at two functions whose second argument
 *                                     is the object; it has a return probe, so nothing may throw
 *
 * Says "ready" when it is attached, and goes when its input ends.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/libbpf.h>

#include "floor.skel.h"

enum {
	MAX_OFFSETS = 64
};

static int attach(struct bpf_program *program, const char *file, const unsigned long *offsets,
		  size_t num, bool at_return)
{
	LIBBPF_OPTS(bpf_uprobe_multi_opts, opts, .offsets = offsets, .cnt = num,
		    .retprobe = at_return);

	if (bpf_program__attach_uprobe_multi(program, -1, file, NULL, &opts))
		return 0;
	perror("floor: cannot attach; are you root, and is the kernel 6.6 or later?");
	return -1;
}

static int attach_memleak(struct floor_bpf *skel, const char *file, const unsigned long *offsets)
{
	int err = attach(skel->progs.on_free, file, offsets + 1, 1, false);

	if (!err)
		err = attach(skel->progs.on_enter, file, offsets, 1, false);
	return err ? err : attach(skel->progs.on_return, file, offsets, 1, true);
}

int main(int argc, char **argv)
{
	bool memleak = argc > 1 && !strcmp(argv[1], "memleak");
	unsigned long offsets[MAX_OFFSETS];
	struct floor_bpf *skel;
	int num = argc - 3, err;

	if (num < 1 || num > MAX_OFFSETS || (memleak && num != 2)) {
		fprintf(stderr, "usage: floor nothing|memleak FILE OFFSET...\n");
		return 2;
	}
	for (int i = 0; i < num; i++)
		offsets[i] = strtoul(argv[i + 3], NULL, 0);
	skel = floor_bpf__open_and_load();
	if (!skel) {
		fprintf(stderr, "floor: cannot load its programs: are you root?\n");
		return 1;
	}
	if (memleak)
		err = attach_memleak(skel, argv[2], offsets);
	else
		err = attach(skel->progs.on_nothing, argv[2], offsets, num, false);
	if (err)
		return 1;
	puts("ready");
	fflush(stdout);
	while (getchar() != EOF)
		;
	return 0; /* the kernel takes the links away */
}
