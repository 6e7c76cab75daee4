// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Has the kernel verify a BPF object as tttrace loads it, and prints for each program how many
 * instructions that took, and whether it runs on a private stack of its CPU; or the last lines of
 * why it was refused. It attaches nothing.
 *
 *   verify OBJECT [-v] [lean] [stacks] [views] [all] [perf]
 *
 * Exit status: 0 all were taken, 1 one was refused, 2 wrong usage.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <linux/types.h>

#include "tttrace_config.h"

enum {
	LOG_SIZE = 16 << 20,
	LOG_STATISTICS = 4, /* BPF_LOG_STATS of linux/bpf_verifier.h */
	LOG_ALL = 2 | LOG_STATISTICS,
	TAIL_LINES = 12,
};

static char kernel_log[LOG_SIZE];
static bool verbose;

static int print_libbpf(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	return level < LIBBPF_DEBUG && verbose ? vfprintf(stderr, fmt, ap) : 0;
}

/* Where the knobs are in .rodata; NULL: nowhere. */
static struct tt_config *find_knobs(struct bpf_object *object)
{
	const struct btf *btf = bpf_object__btf(object);
	struct bpf_map *map = bpf_object__find_map_by_name(object, ".rodata");
	int id = btf__find_by_name_kind(btf, ".rodata", BTF_KIND_DATASEC);
	const struct btf_type *section = id < 0 ? NULL : btf__type_by_id(btf, id);
	const struct btf_type *variable;
	size_t size;

	for (int i = 0; map && section && i < btf_vlen(section); i++) {
		const struct btf_var_secinfo *place = btf_var_secinfos(section) + i;

		variable = btf__type_by_id(btf, place->type);
		if (!strcmp(btf__name_by_offset(btf, variable->name_off), "knobs"))
			return bpf_map__initial_value(map, &size) + place->offset;
	}
	return NULL;
}

static int set_knob(struct tt_config *knobs, struct bpf_object *object, const char *word)
{
	if (!strcmp(word, "lean"))
		knobs->lean = 1;
	else if (!strcmp(word, "stacks"))
		knobs->stacks = 1;
	else if (!strcmp(word, "views"))
		knobs->emit_views = 1;
	else if (!strcmp(word, "all"))
		knobs->scope = TT_SCOPE_ALL;
	else if (!strcmp(word, "perf"))
		bpf_program__set_expected_attach_type(
			bpf_object__find_program_by_name(object, "on_probe"), 0);
	else if (!strcmp(word, "-v"))
		verbose = true;
	else
		return -1;
	return 0;
}

static const char *last_lines(const char *text)
{
	const char *at = text + strlen(text);
	int lines = 0;

	while (at > text && lines <= TAIL_LINES)
		lines += *--at == '\n';
	return at;
}

/*
 * Does the machine code at @image take its frame pointer from memory of the CPU? As
 * emit_priv_frame_ptr() in arch/x86/net/bpf_jit_comp.c writes it: add %gs:this_cpu_off,%r9.
 */
static bool has_private_stack(const unsigned char *image, size_t size)
{
	static const unsigned char add_cpu_offset[] = { 0x65, 0x4c, 0x03, 0x0c, 0x25 };

	return memmem(image, size, add_cpu_offset, sizeof(add_cpu_offset));
}

static int print_program(const struct bpf_program *program)
{
	static unsigned char image[1 << 20];
	struct bpf_prog_info info = {
		.jited_prog_insns = (__u64)(unsigned long)image,
		.jited_prog_len = sizeof(image),
	};
	__u32 size = sizeof(info);

	if (bpf_prog_get_info_by_fd(bpf_program__fd(program), &info, &size))
		return 1;
	printf("%s %u %s\n", bpf_program__name(program), info.verified_insns,
	       !info.jited_prog_insns || !info.jited_prog_len  ? "not-jited"
	       : has_private_stack(image, info.jited_prog_len) ? "private-stack"
							       : "thread-stack");
	return 0;
}

static int load(struct bpf_object *object)
{
	int err = bpf_object__load(object);

	if (err) {
		printf("refused: %s\n%s", strerror(-err),
		       verbose ? kernel_log : last_lines(kernel_log));
		return 1;
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct bpf_program *program;
	struct bpf_object *object;
	struct tt_config *knobs;
	int status;

	if (argc < 2)
		return 2;
	libbpf_set_print(print_libbpf);
	object = bpf_object__open_file(argv[1], NULL);
	knobs = object ? find_knobs(object) : NULL;
	if (!knobs)
		return 2;
	knobs->scope = TT_SCOPE_LISTED;
	knobs->copy_limit = 4 << 20;
	for (int i = 2; i < argc; i++) {
		if (set_knob(knobs, object, argv[i]))
			return 2;
	}
	bpf_object__for_each_program(program, object)
	{
		bpf_program__set_log_level(program, verbose ? LOG_ALL : 1 | LOG_STATISTICS);
		bpf_program__set_log_buf(program, kernel_log, sizeof(kernel_log));
	}
	status = load(object);
	if (!status) {
		bpf_object__for_each_program(program, object) status |= print_program(program);
	}
	bpf_object__close(object);
	return status;
}
