// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "report/text_stacks.h"

#include <string.h>

#include "report/words.h"

typedef unsigned long long ull;

enum {
	STACKS_SHOWN = 10,
	FRAMES_SHOWN = 24,
	NAME_SIZE = 1024,
	NAME_COLUMNS = 72, /* of a name that could not be demangled */
};

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* "forward  [model.py:214]"; the path is as the program was started with it. */
static void print_python(FILE *out, const struct event_frame *frame)
{
	char name[3 * NAME_SIZE], file[3 * NAME_SIZE];

	fprintf(out, "          %s  [%s:%u]\n",
		words__clean(name, sizeof(name), frame->function ? frame->function : "?"),
		words__clean(file, sizeof(file), frame->image), frame->line);
}

/* As gdb and perf show it; where the function is not known, the place in the file. */
static void print_frame(FILE *out, const struct event_frame *frame)
{
	char name[NAME_SIZE], clean[3 * NAME_SIZE], image[3 * WORDS_PLACE_SIZE];

	if (frame->line)
		return print_python(out, frame);
	words__clean(image, sizeof(image), base_name(frame->image));
	if (!frame->function) {
		fprintf(out, "          [%s+0x%llx]\n", image, (ull)frame->vaddr);
		return;
	}
	words__clean(clean, sizeof(clean), words__function(name, sizeof(name), frame->function));
	if (!strncmp(clean, "_Z", 2) && strlen(clean) > NAME_COLUMNS)
		fprintf(out, "          %.*s...  [%s]\n", NAME_COLUMNS - 3, clean, image);
	else
		fprintf(out, "          %s  [%s]\n", clean, image);
}

/* Of the file of an interpreter of Python: between frames of Python it tells nobody anything. */
static bool is_interpreter(const struct event_frame *frame)
{
	const char *name = base_name(frame->image);

	return !frame->line && (!strncmp(name, "libpython", strlen("libpython")) ||
				!strncmp(name, "python", strlen("python")));
}

/* How many frames there are up to the outermost one of Python; all if there is none. */
static __u32 count_interesting(const struct event_stack *stack)
{
	for (__u32 num = stack->num_frames; num; num--)
		if (stack->frames[num - 1]->line)
			return num;
	return stack->num_frames;
}

/* Returns how many were left out. */
static __u32 print_frames(FILE *out, const struct event_stack *stack, bool verbose)
{
	__u32 num = verbose ? stack->num_frames : count_interesting(stack), shown = 0;
	bool has_python = count_interesting(stack) < stack->num_frames;

	for (__u32 i = 0; i < num; i++) {
		if (!verbose &&
		    (shown == FRAMES_SHOWN || (has_python && is_interpreter(stack->frames[i]))))
			continue;
		print_frame(out, stack->frames[i]);
		shown++;
	}
	return stack->num_frames - shown;
}

static void print_stack(FILE *out, const struct snapshot_stack *group, bool verbose)
{
	const struct event_stack *stack = group->stack;
	char bytes[WORDS_SIZE], age[WORDS_SIZE];
	__u32 left_out;

	fprintf(out, "      %llu %s, %llu bytes (%s), oldest %s\n", (ull)group->sum.buffers,
		words__plural(group->sum.buffers, "buffer", "buffers"), (ull)group->sum.bytes,
		words__bytes(bytes, group->sum.bytes), words__age(age, group->oldest_ns));
	if (!stack) {
		fputs("          the stack is not known\n", out);
		return;
	}
	left_out = print_frames(out, stack, verbose);
	if (left_out)
		fprintf(out, "          ... %u frames more (-v shows all)\n", left_out);
	if (stack->end != TT_STACK_COMPLETE)
		fprintf(out, "          ... %s\n", words__stack_end(stack->end));
}

void text_stacks__write(FILE *out, const struct snapshot_list *list, bool verbose)
{
	__u32 shown = list->num_stacks < STACKS_SHOWN ? list->num_stacks : STACKS_SHOWN;

	if (!list->num_stacks)
		return;
	fputs("    allocated by:\n", out);
	for (__u32 i = 0; i < shown; i++)
		print_stack(out, &list->stacks[i], verbose);
	if (shown < list->num_stacks)
		fprintf(out, "      ... and by %u other stacks\n", list->num_stacks - shown);
}
