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

/* As gdb and perf show it; where the function is not known, the place in the file. */
static void print_frame(FILE *out, const struct event_frame *frame)
{
	char name[NAME_SIZE], clean[3 * NAME_SIZE], image[3 * WORDS_PLACE_SIZE];

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

static void print_stack(FILE *out, const struct snapshot_stack *group, bool verbose)
{
	const struct event_stack *stack = group->stack;
	char bytes[WORDS_SIZE], age[WORDS_SIZE];
	__u32 shown;

	fprintf(out, "      %llu %s, %llu bytes (%s), oldest %s\n", (ull)group->sum.buffers,
		words__plural(group->sum.buffers, "buffer", "buffers"), (ull)group->sum.bytes,
		words__bytes(bytes, group->sum.bytes), words__age(age, group->oldest_ns));
	if (!stack) {
		fputs("          the stack is not known\n", out);
		return;
	}
	shown = verbose || stack->num_frames <= FRAMES_SHOWN ? stack->num_frames : FRAMES_SHOWN;
	for (__u32 i = 0; i < shown; i++)
		print_frame(out, stack->frames[i]);
	if (shown < stack->num_frames)
		fprintf(out, "          ... %u frames more (-v shows all)\n",
			stack->num_frames - shown);
	else if (stack->end != TT_STACK_COMPLETE)
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
